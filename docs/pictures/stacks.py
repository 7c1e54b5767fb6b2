"""Pictures of a stack with and without Circus, for docs/use-cases.md; drawings.py writes them."""

from __future__ import annotations

from docs.pictures.boxes import Arrow, Box, picture

CLIENT, OURS, OTHERS = "#fff8c5", "#ddf4ff", "#f6f8fa"
WIDE, HIGH = 760, 400


def classical() -> str:
    """A server with workers of its own, and somebody who looks after that server."""
    browser = Box(200, 40, "browsers", tint=OTHERS)
    nginx = Box(200, 130, "nginx", tint=OTHERS)
    server = Box(200, 230, "gunicorn\nholds the socket", 170, 44, CLIENT)
    workers = [Box(x, 350, "web worker", 110, 40, OTHERS) for x in (80, 200, 320)]
    manager = Box(600, 130, "systemd", 150, 44, CLIENT)
    redis = Box(520, 350, "Redis", 110, 40, OTHERS)
    queue = Box(670, 350, "queue\nwith workers", 120, 44, OTHERS)
    arrows = [
        Arrow(browser, nginx),
        Arrow(nginx, server, "requests"),
        *(Arrow(server, worker, "runs" if at == 1 else "") for at, worker in enumerate(workers)),
        *(Arrow(manager, one, "runs", dashed=True) for one in (nginx, server, redis, queue)),
    ]
    boxes = [browser, nginx, server, *workers, manager, redis, queue]
    about = "nginx before gunicorn, which has workers of its own, and systemd that runs all servers"
    return picture(WIDE, HIGH, about, [*map(Arrow.drawn, arrows), *map(Box.drawn, boxes)])


def circus() -> str:
    """One that holds the socket and runs everything, each worker for itself."""
    browser = Box(190, 40, "browsers", tint=OTHERS)
    nginx = Box(190, 130, "nginx", tint=OTHERS)
    socket = Box(190, 230, "socket\nstays open", 130, 44, OURS)
    workers = [Box(x, 350, "web worker", 110, 40, OTHERS) for x in (70, 190, 310)]
    manager = Box(560, 170, "circusd\nruns all of them", 170, 50, CLIENT)
    redis = Box(440, 350, "Redis", 110, 40, OTHERS)
    queue = [Box(x, 350, "queue worker", 110, 40, OTHERS) for x in (565, 690)]
    arrows = [
        Arrow(browser, nginx),
        Arrow(nginx, socket, "connections"),
        *(Arrow(socket, worker, "accept" if at == 0 else "") for at, worker in enumerate(workers)),
        Arrow(manager, socket, "holds", bend=-20),
        *(Arrow(manager, one, dashed=True) for one in (nginx, *workers, redis, *queue)),
    ]
    boxes = [browser, nginx, socket, *workers, manager, redis, *queue]
    about = "nginx before a socket that circusd holds, and all workers run by circusd alone"
    return picture(WIDE, HIGH, about, [*map(Arrow.drawn, arrows), *map(Box.drawn, boxes)])
