"""A program that does something else while its workers run: they are looked after in a thread."""

from __future__ import annotations

from circus import get_arbiter

workers = [
    {"name": "resizer", "cmd": "sleep 3600", "numprocesses": 2},
    {"name": "mailer", "cmd": "sleep 3600"},
]
arbiter = get_arbiter(workers, background=True)
arbiter.start()
for watcher in arbiter.watchers:
    watcher.start().result(timeout=10)  # it starts by itself: this returns when it has
    print(watcher.name, watcher.status())
arbiter.get_watcher("resizer").incr().result(timeout=10)
print(len(arbiter.get_watcher("resizer").pids()), "resizers")
arbiter.stop()
