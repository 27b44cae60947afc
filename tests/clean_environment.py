"""Environments that hold what a wheel asks for and nothing else, made without a network.

The packages are those of the environment that runs the tests, linked one by one: what a wheel
does not name, directly or through what it names, cannot be imported there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("pyproject.toml", "README.md", "LICENSE")


def build_wheel(folder: Path) -> Path:
    """Build the wheel from a copy, so that the checkout is left as it is."""
    copy = folder / "copy"
    shutil.copytree(ROOT / "expunge", copy / "expunge", ignore=shutil.ignore_patterns("*.pyc"))
    for name in SOURCES:
        shutil.copy(ROOT / name, copy)
    offline = ["--no-deps", "--no-index", "--no-build-isolation", "--quiet"]
    pip("wheel", *offline, "--wheel-dir", str(folder), str(copy))
    return next(folder.glob("*.whl"))


def pip(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def needed(requirements: Iterable[Requirement], extra: str = "") -> dict[str, Distribution]:
    """Return what some requirements bring in, each by its name."""
    found: dict[str, Distribution] = {}
    asked: set[tuple[str, str]] = set()
    waiting = [one for one in requirements if applies(one, extra)]
    while waiting:
        one = waiting.pop()
        for name in ("", *one.extras):
            if (one.name, name) not in asked:
                asked.add((one.name, name))
                found[one.name] = distribution(one.name)
                waiting += [each for each in requires(found[one.name]) if applies(each, name)]
    return found


def declared(*extras: str) -> list[Requirement]:
    """Return what pyproject.toml asks for with some extras; an extra may name another."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = [Requirement(line) for line in project["dependencies"]]
    waiting = list(extras)
    while waiting:
        lines = map(Requirement, project["optional-dependencies"][waiting.pop()])
        for one in lines:
            if one.name == project["name"]:
                waiting += one.extras
            else:
                found.append(one)
    return found


def requires(package: Distribution) -> Iterator[Requirement]:
    return (Requirement(line) for line in package.requires or ())


def applies(one: Requirement, extra: str) -> bool:
    return one.marker is None or one.marker.evaluate({"extra": extra})


def make(folder: Path, packages: Iterable[Distribution], wheel: Path | None = None) -> Path:
    """Make an environment, and return its interpreter."""
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
    python = folder / "bin" / "python"
    site = next(folder.glob("lib/python3*/site-packages"))
    for package in packages:
        for name in tops(package):
            if not (site / name).exists():
                (site / name).symlink_to(Path(str(package.locate_file(name))).resolve())
    if wheel is not None:
        pip("--python", str(python), "install", "--no-deps", "--no-index", "-q", str(wheel))
    return python


def tops(package: Distribution) -> set[str]:
    """Return what a package has directly in the folder of packages."""
    return {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}
