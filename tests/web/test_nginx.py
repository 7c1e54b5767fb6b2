"""Debian's nginx before the console, set up as docs/web-console.md says."""

from __future__ import annotations

import base64
import contextlib
import http.client
import re
import shutil
import socket
import ssl
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import free_port, only_if, wait_until
from tests.web.console import Browser
from tests.web.follow import Follower

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.conftest import Open
    from tests.web.console import Console

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
PAGE = Path(__file__).parents[2] / "docs/web-console.md"
NAME = "ops.example.org"
AROUND = """
daemon off; pid nginx.pid; error_log error.log info; {user}
events {{ }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    {site}
}}
"""
"""What Debian has in nginx.conf, for a folder of the test."""

pytestmark = only_if(NGINX is not None, "takes nginx")


class Secure(Browser):
    """One that comes by https, from outside."""

    def __init__(self, port: int, authority: Path) -> None:
        super().__init__(port)
        self.origin = f"https://{NAME}:{port}"
        self.host = f"{NAME}:{port}"
        self.trust = ssl.create_default_context(cafile=authority)

    def connect(self) -> ssl.SSLSocket:
        """As DNS would have it."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        return self.trust.wrap_socket(plain, server_hostname=NAME)

    def _connection(self) -> http.client.HTTPConnection:
        found = http.client.HTTPConnection(NAME, self.port)
        found.sock = self.connect()
        return found


def block(kind: str, number: int) -> str:
    """One of those on the page."""
    found = re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    return str(found[number])


def site(number: int, folder: Path, port: int, console: Console) -> str:
    """That of the page, at other places."""
    text = block("nginx", number)
    for there, here in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        (f"/etc/ssl/certs/{NAME}.pem", f"{folder}/certificate"),
        (f"/etc/ssl/private/{NAME}.key", f"{folder}/key"),
        ("/run/circus-console/socket", f"{console.daemon.folder}/socket"),
        ("127.0.0.1:8080", f"127.0.0.1:{console.port}"),
        ("/etc/nginx/circus.htpasswd", f"{folder}/htpasswd"),
    ):
        text = text.replace(there, here)
    return text


def options(number: int, port: int) -> str:
    """Those of the console on the page, for this port."""
    blocks = [one for one in map(str.strip, ini()) if one.startswith("[console]\nurl")]
    text = blocks[number].removeprefix("[console]\n")
    return text.replace(f"https://{NAME}", f"https://{NAME}:{port}")


def ini() -> list[str]:
    return re.findall(r"^```ini\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


@contextlib.contextmanager
def nginx(folder: Path, text: str, port: int) -> Iterator[Secure]:
    """It runs on that site; whoever comes to it."""
    user = "user root;" if Path(folder).stat().st_uid == 0 else ""
    (folder / "nginx.conf").write_text(AROUND.format(user=user, site=text))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
         "-keyout", "key", "-out", "certificate", "-subj", f"/CN={NAME}",
         "-addext", f"subjectAltName=DNS:{NAME}"],
        cwd=folder, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    command = [str(NGINX), "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
    with subprocess.Popen(command, cwd=folder) as process:
        try:
            browser = Secure(port, folder / "certificate")

            def answers() -> bool:
                assert process.poll() is None, (folder / "error.log").read_text()
                with contextlib.suppress(OSError):
                    browser.connect().close()
                    return True
                return False

            wait_until(answers)
            yield browser
        finally:
            process.terminate()
            process.wait(timeout=60)


def test_a_unix_socket_behind_https(consoles: Open, tmp_path: Path) -> None:
    """Logging in, a form, and a stream of which each piece arrives as it is sent."""
    port = free_port()
    console = consoles(f"path = FOLDER/socket\n{options(0, port)}")
    with nginx(tmp_path, site(0, tmp_path, port, console), port) as browser:
        link = console.daemon.json("console-login", "--url", browser.origin)["link"]
        assert link.startswith(f"{browser.origin}/login?ticket=")
        browser.enter(link.partition("ticket=")[2])
        assert [*browser.cookies] == ["__Host-circus"]
        assert ">web<" in browser.get("/").text
        assert browser.post("/watchers/off/start").status == 303
        wait_until(lambda: console.daemon.pids("off"))
        assert "from=127.0.0.1 verb=start target=off" in console.audit()[-1]
        sock = browser.connect()  # of HTTP 1.0, for nginx cuts it into other chunks than we did
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        head = ("GET /live HTTP/1.0", f"Host: {browser.host}", f"Cookie: {cookies}", "", "")
        sock.sendall("\r\n".join(head).encode())
        with Follower(sock, {}) as stream:
            stream.until(lambda: stream.watcher("off").get("state") == "active")
            assert browser.post("/watchers/off/stop").status == 303
            stream.until(lambda: stream.watcher("off").get("state") == "stopped")


def test_nginx_says_who_somebody_is(consoles: Open, tmp_path: Path) -> None:
    port = free_port()
    console = consoles(options(1, port))
    (tmp_path / "htpasswd").write_text("alice:{PLAIN}secret\n")
    password = base64.b64encode(b"alice:secret").decode()
    with nginx(tmp_path, site(1, tmp_path, port, console), port) as browser:
        assert browser.get("/").status == 401
        allowed = {"Authorization": f"Basic {password}", "X_Remote_User": "root"}
        page = browser.get("/", **allowed).text
        assert "alice" in page
        form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": browser.origin}
        (csrf,) = re.findall(r'<meta name="csrf" content="(\w+)">', page)
        headers = {**form, "Authorization": f"Basic {password}"}
        answer = browser.ask("POST", "/watchers/off/start", f"csrf={csrf}", headers)
        assert answer.status == 303
        assert "who=alice from=127.0.0.1 verb=start target=off" in console.audit()[-1]
