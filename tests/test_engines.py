"""The modules that run on one engine are there, and each is named once."""

import re
from pathlib import Path

from tests.engines import FOLDERS, MODULES, NO_DATABASE, nothing_to_repeat, one_will_do

TESTS = Path(__file__).parent


def test_every_module_that_runs_on_one_engine_is_there():
    named = [stem for stems in MODULES.values() for stem in stems.split()]
    there = {path.stem.removeprefix("test_") for path in TESTS.rglob("test_*.py")}
    assert sorted(named) == sorted(set(named))
    assert set(named) <= there


def test_services_and_queries_run_on_both():
    assert not one_will_do(TESTS / "audits" / "workflow" / "test_workflow.py")
    assert one_will_do(TESTS / "audits" / next(iter(FOLDERS)) / "test_views_cases.py")


def test_the_second_pass_leaves_out_folders_without_a_database(request):
    found = {
        item.path.name
        for item in request.session.items
        if NO_DATABASE.keys() & set(item.path.relative_to(TESTS).parts)
        and item.get_closest_marker("database")
        and not item.get_closest_marker("one_engine")
    }
    assert found == set()
    assert NO_DATABASE.keys() <= {path.name for path in TESTS.rglob("*") if path.is_dir()}


def test_what_is_left_out_needs_no_real_queue_and_is_left_out_of_the_second_pass_only():
    second = "queue or (database and not one_engine)"
    left_out = [path for path in TESTS.rglob("test_*.py") if nothing_to_repeat(path, second)]
    assert len(left_out) > len(MODULES)
    assert [path for path in left_out if re.search(r"mark\.queue", path.read_text())] == []
    assert not any(nothing_to_repeat(path, "") for path in left_out)
    assert nothing_to_repeat(TESTS / "battery", second)
