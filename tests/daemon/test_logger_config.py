"""circusd's log led elsewhere by a configuration of Python's logging."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import only_if, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.daemon.conftest import Start

INI = """
[loggers]
keys = root
[handlers]
keys = file
[formatters]
keys = bare
[logger_root]
level = INFO
handlers = file
[handler_file]
class = FileHandler
args = ({file!r},)
formatter = bare
[formatter_bare]
format = <%(levelname)s> %(message)s
"""


def mapping(file: str) -> str:
    """The same as JSON, which is YAML too."""
    return json.dumps(
        {
            "version": 1,
            "formatters": {"bare": {"format": "<%(levelname)s> %(message)s"}},
            "handlers": {
                "file": {"class": "logging.FileHandler", "filename": file, "formatter": "bare"}
            },
            "root": {"level": "INFO", "handlers": ["file"]},
        }
    )


has_yaml = only_if(importlib.util.find_spec("yaml") is not None, "there is no PyYAML")


@pytest.mark.parametrize("suffix", ["ini", "json", pytest.param("yaml", marks=has_yaml)])
def test_the_log_goes_where_it_is_led(circusd: Start, tmp_path: Path, suffix: str) -> None:
    file, config = tmp_path / "led.log", tmp_path / f"logging.{suffix}"
    config.write_text(INI.format(file=str(file)) if suffix == "ini" else mapping(str(file)))
    daemon = circusd(f"[circus]\nloggerconfig = {config}\n[watcher:w]\ncmd = sleep 3600\n")
    (pid,) = daemon.wait_pids("w", 1)
    assert f"<INFO> w.1 started, pid {pid}\n" in text_of(file)
    assert daemon.text() == ""


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none.json", None, "No such file or directory"),
        ("wrong.json", "{", "Expecting property name"),
        ("odd.json", '{"version": 2}', "Unsupported version: 2"),
        ("empty.ini", "", "empty.ini is an empty file"),
        ("other.toml", "", "not .ini, .json or .yaml"),
    ],
)
def test_one_that_cannot_be_used_is_told(
    tmp_path: Path, name: str, text: str | None, said: str
) -> None:
    config, logging = tmp_path / "circus.ini", tmp_path / name
    config.write_text(f"[circus]\nendpoint = ipc://{tmp_path}/control\n")
    if text is not None:
        logging.write_text(text)
    ended = subprocess.run(
        [sys.executable, "-m", "circus.circusd", "--logger-config", str(logging), str(config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"circusd: cannot use loggerconfig '{logging}': ")
    assert said in line
