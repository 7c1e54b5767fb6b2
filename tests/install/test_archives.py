"""What is in the sdist and in the wheel."""

from __future__ import annotations

import configparser
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from packaging.metadata import Metadata
from packaging.utils import parse_sdist_filename, parse_wheel_filename

from circus import __version__
from tests import shells
from tests.install.conftest import EPOCH, TREE, Built, copied, do

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(300)  # the first one builds
MADE = ("circus.egg-info/", "PKG-INFO", "setup.cfg")
"""What setuptools puts into an sdist."""
DATA = f"circus-{__version__}.data/data/"
INFO = f"circus-{__version__}.dist-info/"


def held(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def files(folder: Path) -> set[str]:
    """The names of all below it."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_sdist_has_the_whole_tree_and_nothing_else(built: Built, tmp_path: Path) -> None:
    with tarfile.open(built.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (top,) = tmp_path.iterdir()
    unpacked = {name for name in files(top) if not name.startswith(MADE)}
    assert unpacked == files(copied(tmp_path / "tree"))


def test_the_wheel_has_the_package_and_what_is_shared(built: Built, tmp_path: Path) -> None:
    names = set(held(built.wheel))
    package = {f"circus/{name}" for name in files(copied(tmp_path / "tree") / "circus")}
    assert {name for name in names if name.startswith("circus/")} == (
        package - {"circus/host/launch.c"} | {"circus/host/launch"}
    )
    rest = {name.partition("/")[0] for name in names}
    assert rest == {"circus", DATA.partition("/")[0], INFO.partition("/")[0]}
    assert {name.removeprefix(DATA) for name in names if name.startswith(DATA)} >= {
        "share/bash-completion/completions/circusctl",
        "share/man/man5/circus.ini.5",
        "share/zsh/site-functions/_circus",
    }


def test_every_program_is_tried_here(built: Built) -> None:
    told = configparser.ConfigParser()
    told.read_string(held(built.wheel)[f"{INFO}entry_points.txt"].decode())
    assert set(told["console_scripts"]) == set(shells.PROGRAMS)


def test_one_wheel_is_for_every_python_of_its_machine(built: Built) -> None:
    name, version, _, tags = parse_wheel_filename(built.wheel.name)
    assert (name, str(version)) == ("circus", __version__)
    assert parse_sdist_filename(built.sdist.name) == ("circus", version)
    (tag,) = tags
    assert (tag.interpreter, tag.abi) == ("cp311", "abi3")
    assert tag.platform.startswith("linux_")


def test_the_metadata_is_valid(built: Built) -> None:
    told = Metadata.from_email(held(built.wheel)[f"{INFO}METADATA"], validate=True)
    assert str(told.requires_python) == ">=3.11"
    assert told.license == "Apache-2.0"
    assert told.description == (TREE / "README.md").read_text(encoding="utf-8")
    assert told.description_content_type == "text/markdown"
    assert any(name.endswith("/LICENSE") for name in held(built.wheel))


def test_two_builds_are_the_same_bit_for_bit(built: Built, tmp_path: Path) -> None:
    elsewhere = copied(tmp_path / "elsewhere")
    do(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, elsewhere,
       SOURCE_DATE_EPOCH=EPOCH, TZ="Asia/Tokyo", LC_ALL="C")  # fmt: skip
    again = tmp_path / built.wheel.name
    assert held(again) == held(built.wheel)
    assert again.read_bytes() == built.wheel.read_bytes()
