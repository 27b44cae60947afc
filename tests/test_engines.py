"""The modules that run on one engine are there, and each is named once."""

from pathlib import Path

from tests.engines import FOLDERS, MODULES, one_will_do

TESTS = Path(__file__).parent


def test_every_module_that_runs_on_one_engine_is_there():
    named = [stem for stems in MODULES.values() for stem in stems.split()]
    there = {path.stem.removeprefix("test_") for path in TESTS.rglob("test_*.py")}
    assert sorted(named) == sorted(set(named))
    assert set(named) <= there


def test_services_and_queries_run_on_both():
    assert not one_will_do(TESTS / "audits" / "test_workflow.py")
    assert one_will_do(TESTS / "audits" / next(iter(FOLDERS)) / "test_views_cases.py")
