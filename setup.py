"""Name, version, dependencies and programs of Circus: the only metadata there is."""

import os
import re
import shlex
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).parent


class BuildLauncher(build_ext):
    """Builds circus/host/launch as a program: it is run between fork and exec, not imported."""

    def get_ext_filename(self, fullname: str) -> str:
        """The launcher's path below the build folder, without the suffix of a module."""
        return fullname.replace(".", "/")

    def build_extension(self, ext: Extension) -> None:
        """Compile and link with the compiler that setuptools found."""
        objects = self.compiler.compile(list(ext.sources), output_dir=self.build_temp)
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        self.compiler.link_executable(
            objects,
            target.name,
            output_dir=str(target.parent),
            extra_postargs=shlex.split(os.environ.get("LDFLAGS", "")),
        )


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
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["circus", "circus.*"]),
    package_data={
        "circus": ["py.typed"],
        "circus.host": ["launch.c"],
        "circus.web": ["templates/*", "static/*", "static/*/*"],
    },
    ext_modules=[Extension("circus.host.launch", ["circus/host/launch.c"])],
    cmdclass={"build_ext": BuildLauncher},
    install_requires=["pyzmq>=24.0.1", "psutil>=5.9.4", "python-prctl>=1.8.1"],
    extras_require={
        "gevent": ["gevent>=22.10.2"],
        "redis": ["redis>=4.3.4"],
        "web": ["falcon>=3.1.1", "waitress>=2.1.2", "jinja2>=3.1.2"],
    },
    entry_points={
        "console_scripts": [
            "circusd = circus.circusd:main",
            "circusctl = circus.circusctl:main",
            "circus-plugin = circus.plugins.host:main",
            "circus-top = circus.top.program:main",
            "circushttpd = circus.web.circushttpd:main",
            "circusd-stats = circus.stats.program:main",
        ],
    },
)
