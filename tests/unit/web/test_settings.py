"""The file of the console, and what is wrong in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from circus.exc import ConfigError
from circus.web.settings import Settings, settings

if TYPE_CHECKING:
    from pathlib import Path


def wrong(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        settings(str(file), {}, {})
    return str(caught.value).replace(str(file), "FILE")


def test_a_flag_goes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "console.ini"
    file.write_text("[console]\nport = 1\nhost = ops\nallowed_hosts = a, b:1\nsession_idle = 60\n")
    found = settings(None, {"port": 2, "host": None}, {"CIRCUS_CONSOLE": str(file)})
    assert found == Settings(port=2, host="ops", allowed_hosts=("a", "b:1"), session_idle=60.0)
    assert settings(str(file), {}, {"CIRCUS_CONSOLE": "/nowhere"}).port == 1


def test_everything_that_is_wrong_is_told_with_its_place(tmp_path: Path) -> None:
    text = """[console]
portt = 1
port = 70000
trusted_proxies = 10.0.0.0/33
url = ftp://x
proxy_role = boss
proxy_user_header = X-Remote-User
[circus]
endpoint = ipc:///x
"""
    assert wrong(tmp_path / "console.ini", text).splitlines() == [
        "FILE:2: unknown option 'portt', did you mean 'port'?",
        "FILE:3: port: 70000 is not between 0 and 65535",
        "FILE:4: trusted_proxies: '10.0.0.0/33' is not an address, a network such as 10.0.0.0/8, "
        "or unix",
        "FILE:5: url: 'ftp://x' is not an address such as https://ops.example.org",
        "FILE:6: proxy_role: 'boss' is not one of read, operate, admin",
        "FILE:7: proxy_user_header: nobody is believed without trusted_proxies",
        "FILE:8: unknown section [circus]",
    ]


def test_a_file_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "console.ini"
    assert wrong(file, "") == "FILE: there is no [console] in it"
    file.unlink()
    with pytest.raises(ConfigError, match="cannot read it: No such file"):
        settings(str(file), {}, {})
