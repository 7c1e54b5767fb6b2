"""The Debian package and its manual pages say what the program says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from circus import __version__
from circus.commands import COMMANDS
from circus.config.model import CircusConfig, PluginConfig, SocketConfig, WatcherConfig
from circus.config.schema import rows

ROOT = Path(__file__).parents[2]


def script(name: str) -> ModuleType:
    """One of those in packaging."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "packaging" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def manuals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the manual pages."""
    folder = tmp_path_factory.mktemp("man")
    script("manual").main(folder)
    return folder


def test_completion_is_fresh() -> None:
    complete = script("complete")
    for name, text in (("programs.bash", complete.bash()), ("_circus", complete.zsh())):
        written = (ROOT / "packaging" / "completion" / name).read_text(encoding="utf-8")
        assert written == text, "run python packaging/complete.py"


def terms(page: Path) -> set[str]:
    """What a manual page explains one by one, and its headings."""
    text = page.read_text(encoding="utf-8").replace(r"\-", "-").replace(r"\(ha", "^")
    found = re.findall(r"^\.TP\n(.+)$|^\.S[HS] (.+)$", text, re.MULTILINE)
    return {re.sub(r"\\f.", "", term or heading) for term, heading in found}


def test_every_option_is_explained(manuals: Path) -> None:
    options = {
        f"{row.name}NAME" if row.prefix else row.name
        for model in (CircusConfig, WatcherConfig, SocketConfig, PluginConfig)
        for row in rows(model)
    }
    assert options <= terms(manuals / "man5/circus.ini.5")


def test_every_command_is_explained(manuals: Path) -> None:
    assert {command.verb for command in COMMANDS} <= terms(manuals / "man1/circusctl.1")


def test_the_daemon_has_its_flags_and_signals(manuals: Path) -> None:
    assert {"--check", "--pidfile FILE", "HUP", "EXIT STATUS"} <= terms(manuals / "man8/circusd.8")


def test_no_markup_is_left_in_a_manual_page(manuals: Path) -> None:
    for page in manuals.glob("man?/*"):
        text = re.sub(r"^\.EX\n(?s:.*?)^\.EE\n", "", page.read_text(encoding="utf-8"), flags=re.M)
        assert not re.search(r"^\||^#|^```|\]\(", text, re.MULTILINE), page.name


def test_the_package_has_the_version_of_the_library() -> None:
    changelog = (ROOT / "packaging" / "debian" / "changelog").read_text(encoding="utf-8")
    found = re.match(r"circus \((.+?)\)", changelog)
    assert found is not None
    assert found[1].replace("~", ".") == __version__


def test_the_packages_need_and_suggest_what_is_optional() -> None:
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    extras = setup.partition("extras_require")[2].partition("entry_points")[0]
    control = (ROOT / "packaging" / "debian" / "control").read_text(encoding="utf-8")
    suggested = re.search(r"^Suggests: ((?:.+\n?)(?: .+\n)*)", control, re.MULTILINE)
    assert suggested is not None
    wanted = {f"python3-{name}" for name in re.findall(r'"(\w+)>=', extras)}
    console = control.partition("Package: circus-console")[2].partition("Package:")[0]
    needed = set(re.findall(r"python3-\w+ \(>= [\d.]+\)", console))
    assert needed == {
        f"python3-{name} (>= {version})"
        for name, version in re.findall(r'"(\w+)>=([\d.]+)"', extras.partition('"web"')[2])
    }
    wanted -= {name.partition(" ")[0] for name in needed}
    assert set(re.findall(r"python3-\w+", suggested[1])) == wanted
