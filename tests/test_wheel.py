"""The wheel is what a training script or a serving process installs: small, and one name."""

from __future__ import annotations

import subprocess
from importlib.metadata import Distribution
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import pytest

import expunge
from audits.core.software import VERSION
from tests import clean_environment
from tests.audits.core_trail.make_golden_bundle import BUNDLE, KEY
from tests.clean_environment import ROOT, applies, needed, requires

HEAVY = {"django", "torch", "celery", "scikit-learn", "scipy", "pandas", "matplotlib"}
EVERY_MODULE = """
import importlib, pkgutil, sys
import expunge
for found in pkgutil.walk_packages(expunge.__path__, 'expunge.'):
    if not found.name.endswith('__main__'):
        importlib.import_module(found.name)
        print(found.name)
for name in expunge.__all__:
    assert getattr(expunge, name), name
"""
TRAINING = """
import numpy, expunge
class Sink:
    def begin(self, start): return 'run'
    def finish(self, run, finish): return ','.join(map(str, finish.used))
    def fail(self, run, reason): raise AssertionError(reason)
    def check(self, run): return 0
class Estimator:
    def fit(self, x, y): self.mean = x.mean()
print(expunge.fit(Estimator(), numpy.ones((3, 2)), numpy.ones(3), ordinals=[4, 2, 9],
      sink=Sink(), weights=lambda fitted: fitted.mean.tobytes()))
"""
LIGHT = "import sys, expunge; print(sorted(set(sys.modules) & {'numpy', 'torch', 'httpx'}))"


class Installed(NamedTuple):
    """A wheel, and an interpreter where it and what it asks for is installed."""

    wheel: Path
    python: Path
    names: set[str]

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.python, "-I", "-W", "error", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    wheel = clean_environment.build_wheel(folder)
    (info,) = {name for name in ZipFile(wheel).namelist() if name.endswith("/METADATA")}
    ZipFile(wheel).extractall(folder / "unpacked")
    packages = needed(requires(Distribution.at(folder / "unpacked" / Path(info).parent)))
    python = clean_environment.make(folder / "environment", packages.values(), wheel)
    return Installed(wheel, python, set(packages))


def test_the_wheel_brings_one_name(installed):
    names = {name.partition("/")[0] for name in ZipFile(installed.wheel).namelist()}
    assert names == {"expunge", f"expunge-{expunge.__version__}.dist-info"}


def test_the_wheel_holds_every_file_of_the_client(installed):
    there = {name for name in ZipFile(installed.wheel).namelist() if name.startswith("expunge/")}
    files = [*(ROOT / "expunge").rglob("*.py"), ROOT / "expunge" / "py.typed"]
    assert there == {path.relative_to(ROOT).as_posix() for path in files}


def test_the_wheel_asks_for_nothing_heavy(installed):
    assert installed.names & HEAVY == set()
    assert {"httpx", "numpy", "pyroaring"} <= installed.names


def test_every_module_works_with_what_the_wheel_asks_for(installed):
    modules = installed.run("-c", EVERY_MODULE).split()
    assert {"expunge.capture", "expunge.serving", "expunge.standalone.verify"} <= set(modules)


def test_a_training_is_captured_where_there_is_no_torch(installed):
    assert installed.run("-c", TRAINING).strip() == "2,4,9"


def test_the_command_is_there_and_verifies_a_case(installed):
    command = installed.python.with_name("expunge")
    told = installed.run(str(command), "--help")
    assert {"case", "lineage", "verify"} <= set(told.split())
    verified = installed.run(str(command), "verify", str(BUNDLE), "--key", str(KEY))
    assert verified.startswith("VERIFIED.")


def test_a_terminal_loads_no_numbers(installed):
    heavy = "print(sorted(set(sys.modules) & {'numpy', 'torch', 'cryptography'}))"
    assert installed.run("-c", f"import sys, expunge.cli.main; {heavy}").strip() == "[]"


def test_the_import_alone_loads_nothing(installed):
    assert installed.run("-c", LIGHT).strip() == "[]"


def test_a_function_is_imported_although_its_module_has_the_same_name(installed):
    told = "from expunge import remote_view; print(callable(remote_view))"
    assert installed.run("-c", told).strip() == "True"


def test_each_integration_has_an_extra_of_its_name_with_ranges_that_end(installed):
    about = Distribution.at(next(installed.wheel.parent.glob("unpacked/*.dist-info")))
    extras = set(about.metadata.get_all("Provides-Extra") or ())
    files = {path.stem for path in (ROOT / "expunge" / "integrations").glob("[a-z]*.py")}
    assert files - {"hooks"} <= extras
    for extra in ("torch", *sorted(files - {"hooks"})):
        asked = [one for one in requires(about) if one.marker and applies(one, extra)]
        assert asked, extra
        for one in asked:
            bounds = {bound.operator for bound in one.specifier}
            assert one.name == "expunge" or {">=", "<"} <= bounds, (extra, str(one))


def test_what_an_integration_stores_weights_with_comes_with_its_extra():
    for extra in ("lightning", "sklearn", "transformers"):
        names = {one.name for one in clean_environment.declared(extra)}
        assert "safetensors" in names, extra
        assert names & {"lightning", "transformers", "scikit-learn"}, extra


def test_the_installed_client_and_the_server_are_of_one_version(installed):
    told = "import importlib.metadata as m; print(m.version('expunge'))"
    assert installed.run("-c", told).strip() == expunge.__version__ == VERSION


def test_the_names_of_the_client_are_those_it_can_import():
    assert set(expunge.__all__) - {"__version__"} == set(expunge._HOMES)
    assert set(expunge.__all__) <= set(dir(expunge))
    with pytest.raises(AttributeError, match="no attribute 'Server'"):
        expunge.Server  # noqa: B018
