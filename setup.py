"""Name, version, dependencies, programs and manual of Circus: the only metadata there is."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from setuptools import Command, Extension, find_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.install import install

HERE = Path(__file__).parent
PROGRAMS = {
    "circusd": "circus.circusd",
    "circusctl": "circus.circusctl",
    "circus-plugin": "circus.plugins.host",
    "circus-top": "circus.top.program",
    "circushttpd": "circus.web.circushttpd",
    "circusd-stats": "circus.stats.program",
}
"""The modules whose `main` they are."""


class BuildLauncher(build_ext):
    """Builds circus/host/launch as a program: it is run between fork and exec, not imported."""

    def get_ext_filename(self, fullname: str) -> str:
        """The launcher's path below the build folder, without the suffix of a module."""
        return fullname.replace(".", "/")

    def build_extension(self, ext: Extension) -> None:
        """Compile and link with the compiler that setuptools found."""
        objects = self.compiler.compile(
            list(ext.sources),
            output_dir=self.build_temp,
            # what a debugger is told does not depend on the folder: two builds are the same
            extra_postargs=[f"-ffile-prefix-map={HERE}=."],
        )
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        self.compiler.link_executable(
            objects,
            target.name,
            output_dir=str(target.parent),
            extra_postargs=shlex.split(os.environ.get("LDFLAGS", "")),
        )


class InstallShare(Command):
    """Installs below share what shells and `man` look for there."""

    user_options: ClassVar[list[tuple[str, str | None, str]]] = []

    def initialize_options(self) -> None:
        """Where that is becomes known later."""
        self.share = Path()

    def finalize_options(self) -> None:
        """It is in the prefix that everything else is installed in."""
        self.share = Path(self.get_finalized_command("install").install_data or "") / "share"

    def run(self) -> None:
        """Make the manual pages, and copy the files of completion."""
        packaging, man = HERE / "packaging", self.share / "man"
        bash = self.share / "bash-completion" / "completions"
        zsh = self.share / "zsh" / "site-functions"
        subprocess.run([sys.executable, packaging / "manual.py", man], check=True)
        for folder in (bash, zsh):
            folder.mkdir(parents=True, exist_ok=True)
        for program in PROGRAMS:  # bash looks for a file of that name
            own = packaging / "completion" / f"{program}.bash"
            shutil.copy(own if own.exists() else own.with_name("programs.bash"), bash / program)
        for file in (packaging / "completion").glob("_*"):
            shutil.copy(file, zsh)


class Install(install):
    """As usual, with the above."""

    sub_commands: ClassVar = [*install.sub_commands, ("install_share", None)]


def version() -> str:
    """What circus/__init__.py says, read without importing it."""
    text = (HERE / "circus" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise SystemExit("circus/__init__.py has no __version__")
    return found[1]


setup(
    name="circus",
    version=version(),
    description="A process and socket manager",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="Circus maintainers",
    license="Apache-2.0",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: No Input/Output (Daemon)",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: C",
        "Programming Language :: Python :: 3",
        "Topic :: System :: Boot :: Init",
        "Topic :: System :: Systems Administration",
        "Typing :: Typed",
    ],
    python_requires=">=3.11",
    packages=find_packages(include=["circus", "circus.*"]),
    package_data={
        "circus": ["py.typed"],
        "circus.web": ["templates/*", "static/*", "static/*/*"],
    },
    ext_modules=[Extension("circus.host.launch", ["circus/host/launch.c"])],
    cmdclass={"build_ext": BuildLauncher, "install": Install, "install_share": InstallShare},
    # the launcher is a program, so one wheel is for every Python
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
    install_requires=["pyzmq>=24.0.1", "psutil>=5.9.4", "python-prctl>=1.8.1"],
    extras_require={
        "gevent": ["gevent>=22.10.2"],
        "redis": ["redis>=4.3.4"],
        "web": ["falcon>=3.1.1", "waitress>=2.1.2", "jinja2>=3.1.2"],
    },
    entry_points={
        "console_scripts": [f"{program} = {module}:main" for program, module in PROGRAMS.items()],
    },
)
