"""What learned from erased records after all gets a case of its own."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from pyroaring import BitMap

from audits import keys, workflow
from audits.core.record import verify
from audits.models import LogLeaf
from audits.services import closing, late
from audits.workflow import tasks
from lineage import keys as lineage_keys
from lineage.core.identifiers import location_digest
from lineage.models import (
    Artefact,
    Job,
    ModelVersion,
    NamedLocation,
    RecordLocation,
)
from lineage.queries.artefacts import weights_of
from lineage.queries.closure import affected
from lineage.queries.membership import members
from lineage.services.runs import Input, RunPlan, SourceNotUsable, begin_run
from lineage.services.versions import destroy_version
from tests.audits import world as worlds
from tests.audits.late_versions import closed_by_destruction, end, linked, opened
from tests.audits.world import ADA, BERT, CLEO, DORA, MLP, SMALL, events, logged, runs, told
from tests.lineage.events import named, send, trained_on

pytestmark = pytest.mark.django_db


def test_a_version_that_comes_after_the_seal_is_quarantined(world, still_open):
    case = world.erased()
    assert case.status == "SEALED"
    version = end(still_open)
    assert version.state == "QUARANTINED"
    assert version.metrics["born_affected"]
    with pytest.raises(SourceNotUsable, match="late v1 is quarantined"):
        begin_run(
            plan=RunPlan(activity="FINE_TUNE", inputs=(Input(source=version),)),
            now=timezone.now(),
        )


def test_it_gets_one_linked_case_that_ends_with_its_destruction(world, still_open):
    first = world.erased()
    version = end(still_open)
    (case,) = linked(world)
    assert (case.linked_to, case.status, case.email) == (first, "RESTRICTED", "")
    assert linked(world) == [case]  # asked again, nothing is opened
    case = world.finish(world.wake(case))
    assert told(runs(case)) == [("late v1", "retrain", "WAITING")]
    world.do(workflow.destroy_version, run_id=runs(case)[0].pk, user=worlds.officer())
    case = world.finish(world.wake(case))
    assert (case.status, case.outcome, case.failure) == ("SEALED", "ERASED", "")
    version.refresh_from_db()
    assert version.state == "DESTROYED"
    assert Artefact.objects.get(version=version).destroyed_at is not None
    assert linked(world) == [case]
    kinds = events(case)
    assert kinds[:4] == [
        "request_received",
        "case_linked",
        "request_accepted",
        "records_restricted",
    ]
    assert logged(case, "case_linked") == [{"original": str(first.pk), "versions": 1}]
    sealed = verify(bytes(case.record.data), vkey=keys.verifier_text()).account
    named = [one.event.data for one in sealed.events if one.event.type == "case_linked"]
    assert [dict(data)["original"] for data in named] == [str(first.pk)]


def test_with_a_recipe_it_is_retrained_without_the_erased_records(world):
    twin = world.train("twin", world.snapshot(BERT, CLEO))
    run = begin_run(
        plan=RunPlan(
            activity="TRAIN",
            inputs=(Input(source=world.snapshot(ADA, BERT, CLEO, DORA)),),
            recipe=MLP,
            recipe_parameters=SMALL,
            recipe_digest=twin.generated_by.recipe_digest,
            seed=3,
        ),
        now=timezone.now(),
    )
    world.erased()
    weights = weights_of(twin)
    destroy_version(version=twin, by_case=twin.pk, now=timezone.now())  # it has the same bytes
    end(run, name="again", weights=weights)
    (case,) = linked(world)
    case = world.finish(world.wake(case))
    assert (case.status, case.failure) == ("SEALED", "")
    assert told(runs(case)) == [("again v1", "retrain", "CLEARED")]
    new = ModelVersion.objects.get(model_name="again", version=2)
    assert new.state == "ACTIVE"
    assert world.touched(world.owned(ADA)) == []


def test_a_version_that_did_not_use_the_person_is_left_alone(world, still_open):
    world.erased()
    version = end(still_open, used=world.owned(BERT))
    assert version.state == "ACTIVE"
    assert linked(world) == []


@pytest.mark.parametrize("until", ["PLAN", "UNLEARN", "ERASE"])
def test_while_the_first_case_is_open_its_own_plan_takes_the_version_in(world, still_open, until):
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    case = world.accepted()
    world.work(until=lambda: Job.objects.filter(kind=until, status="QUEUED").exists())
    version = end(still_open)
    assert version.state == "WITHDRAWN"
    assert linked(world) == []
    case = world.finish(case)
    waiting = [run for run in runs(case) if run.status == "WAITING"]
    assert [str(run.target) for run in waiting] == ["late v1"]
    world.do(workflow.destroy_version, run_id=waiting[0].pk, user=worlds.officer())
    case = world.finish(world.wake(case))
    assert (case.status, case.failure) == ("SEALED", "")
    version.refresh_from_db()
    assert version.state == "DESTROYED"
    assert linked(world) == []


def test_two_late_versions_of_one_person_share_a_case(world, still_open):
    other = begin_run(
        plan=RunPlan(activity="TRAIN", inputs=(Input(source=world.snapshot(ADA)),)),
        now=timezone.now(),
    )
    world.erased()
    end(still_open)
    end(other, name="other")
    (case,) = linked(world)
    case = world.finish(world.wake(case))
    assert sorted(str(run.target) for run in runs(case)) == ["late v1", "other v1"]


def test_a_linked_case_is_no_second_original(world):
    first, second = opened(world, ADA, BERT), opened(world, ADA, CLEO)
    original = world.erased()
    end(first)
    (one,) = linked(world)
    assert closed_by_destruction(world, one).status == "SEALED"
    end(second, name="second")
    assert [case.linked_to for case in linked(world)] == [original, original]


def test_other_records_of_the_same_person_are_part_of_the_open_linked_case(world):
    first, second = opened(world, ADA, BERT), opened(world, ADA, CLEO)
    world.erased()
    hers = list(world.owned(ADA))
    end(first, used=BitMap(hers[:3]) | world.owned(BERT))
    (case,) = linked(world)
    end(second, used=BitMap(hers[3:]) | world.owned(CLEO), name="second")
    assert linked(world) == [case]
    case = world.finish(world.wake(case))
    assert sorted(str(run.target) for run in runs(case)) == ["late v1", "second v1"]


def test_a_version_that_ends_after_the_last_check_of_its_case_gets_a_linked_case(
    world, still_open, monkeypatch
):
    world.accepted()
    purge_shadows, made = closing.purge_shadows, []

    def meanwhile(**arguments: Any) -> None:  # noqa: ANN401  (passed on)
        made.append(end(still_open))
        purge_shadows(**arguments)

    monkeypatch.setattr(closing, "purge_shadows", meanwhile)
    world.work()
    monkeypatch.undo()
    (version,) = made
    assert version.state == "WITHDRAWN"
    (case,) = linked(world)
    version.refresh_from_db()
    assert version.state == "QUARANTINED"
    assert closed_by_destruction(world, case).status == "SEALED"
    assert world.touched(world.owned(ADA)) == []


def test_the_sealed_record_names_the_case_that_it_follows_on_from(world, still_open, client):
    original = world.erased()
    end(still_open)
    (case,) = linked(world)
    case = closed_by_destruction(world, case)
    sealed = verify(bytes(case.record.data), vkey=keys.verifier_text()).account
    findings: Any = sealed.findings
    assert findings["request"]["linked_to"] == original.reference
    client.force_login(worlds.officer())
    assert original.reference in client.get(f"/cases/{case.pk}/").content.decode()
    assert case.reference in client.get(f"/cases/{original.pk}/").content.decode()


def test_nothing_is_opened_where_nothing_is_in_quarantine(world, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert late.open_late_cases(now=timezone.now()) == []
    assert not LogLeaf.objects.filter(type="case_linked").exists()


def test_the_sweep_matches_files_that_an_import_did_not_live_to_match(world):
    send(trained_on(named("elsewhere", files=["s3://a"]), name="told"), now=timezone.now())
    space, record = world.snapshot(ADA).space, min(members(world.snapshot(ADA)))
    digest = location_digest(lineage_keys.get_or_create("location"), "s3://a")
    RecordLocation.objects.create(space=space, ordinal=record, digest=digest)
    NamedLocation.objects.update(due=True)
    tasks.sweep()
    hits = affected(space, BitMap([record])).versions
    assert "told v1" in [str(hit.version) for hit in hits]
