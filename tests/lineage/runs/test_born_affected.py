"""A version that learned from whom was stopped meanwhile is born affected."""

from __future__ import annotations

import pytest
from pyroaring import BitMap

from lineage.services import versions
from lineage.services.purge import erase_records
from lineage.services.restriction import restrict
from lineage.services.runs import RunPlan, SourceNotUsable, begin_run, finish_run
from lineage.services.versions import VersionNotReleasable
from tests.lineage.builders import base, data, trained
from tests.lineage.runs.opening import CASE, opened, result

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("stop", "state"), [(restrict, "WITHDRAWN"), (erase_records, "QUARANTINED")]
)
def test_a_record_stopped_while_a_run_is_open_makes_its_version_born_affected(
    taken, now, stop, state
):
    run = opened(taken, now)
    stop(case_id=CASE, space=taken.space, ordinals=BitMap([3, 5]), now=now)
    version = finish_run(run=run, result=result(), now=now)
    assert (version.state, version.invalidated_at) == (state, now)
    assert version.metrics["born_affected"] is True
    assert version.metrics["barred_records_used"] == 2


@pytest.mark.parametrize(("stop", "state"), [(restrict, "ACTIVE"), (erase_records, "QUARANTINED")])
def test_what_may_know_who_waits_is_tainted_by_the_erased_alone(taken, now, stop, state):
    run = opened(taken, now)
    stop(case_id=CASE, space=taken.space, ordinals=BitMap([3, 5]), now=now)
    version = finish_run(run=run, result=result(waiting=True), now=now)
    assert version.state == state
    if state == "ACTIVE":
        assert versions.release(version=version, waiting=True).state == "ACTIVE"
        with pytest.raises(VersionNotReleasable, match="trained on 2 records"):
            versions.release(version=version)


def test_what_was_not_used_does_not_taint(taken, now):
    run = opened(taken, now)
    restrict(case_id=CASE, space=taken.space, ordinals=BitMap([3]), now=now)
    version = finish_run(run=run, result=result(used=BitMap([0, 1])), now=now)
    assert version.state == "ACTIVE"
    assert "born_affected" not in version.metrics


def test_a_base_withdrawn_while_a_run_is_open_makes_its_version_born_affected(taken, now):
    first = trained("m", now, data(taken))
    run = begin_run(plan=RunPlan(activity="FINE_TUNE", inputs=(base(first),)), now=now)
    versions.withdraw(version=first, by_case=CASE, now=now)
    version = finish_run(run=run, result=result("n"), now=now)
    assert version.state == "WITHDRAWN"
    assert version.metrics["sources_out_of_use"] == ["m v1"]


def test_unlearning_may_start_from_a_withdrawn_version(taken, now):
    first = trained("m", now, data(taken))
    restrict(case_id=CASE, space=taken.space, ordinals=BitMap([3]), now=now)
    versions.withdraw(version=first, by_case=CASE, now=now)
    clean = trained("m", now, base(first), data(taken), activity="UNLEARN", used=BitMap([0]))
    assert clean.state == "ACTIVE"
    with pytest.raises(SourceNotUsable, match="m v1 is withdrawn; a FINE_TUNE run cannot start"):
        trained("n", now, base(first), activity="FINE_TUNE")
    versions.destroy_version(version=first, by_case=CASE, now=now)
    with pytest.raises(SourceNotUsable, match="m v1 is destroyed"):
        trained("n", now, base(first), activity="UNLEARN")
