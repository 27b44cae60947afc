"""Legal holds: what is held is restricted and not erased, and goes on when it is free."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audits import workflow
from audits.models import LegalHold, LogLeaf
from audits.services import holds, requests
from audits.services.rights import NotAllowed
from audits.workflow import tasks
from audits.workflow.steps import advance
from lineage.models import DataRecord, Job
from lineage.queries.availability import restricted_ordinals
from tests.audits import kinds
from tests.audits import world as worlds
from tests.audits.world import ADA, BERT, events, logged, member, officer, person

pytestmark = pytest.mark.django_db


def keeper():
    return member("keeper", "Administrator")


def place(**changed: object) -> LegalHold:
    given: dict[str, Any] = {
        "kind": "EMAIL",
        "identifier": " ADA@example.org",
        "basis": "Claim 7 O 12/26.",
        "review_on": timezone.now().date() + timedelta(days=30),
        "user": keeper(),
    }
    return workflow.place_hold(**given | changed)


def left(world) -> int:
    return DataRecord.objects.filter(space=world.dataset.space, invalidated_at=None).count()


def sweep(world) -> None:
    with world.commit(execute=True):
        tasks.sweep()


def test_L18_a_held_record_is_restricted_and_not_erased_and_the_block_is_an_event(world):
    place()
    before = left(world)
    case = world.finish(world.accepted())
    assert (case.status, case.held_from) == ("ON_HOLD", "RESTRICTED")
    assert restricted_ordinals(world.dataset.space) == world.owned(ADA)
    assert left(world) == before
    assert logged(case, "request_held") == [{"code": "LEGAL_HOLD"}]
    sweep(world)
    world.work()
    assert world.current(case).status == "ON_HOLD"
    assert events(case).count("request_held") == 1


def test_L18_a_released_hold_lets_the_case_go_on_by_itself(world):
    hold = place()
    case = world.finish(world.accepted())
    assert workflow.release_hold(hold_id=hold.pk, user=keeper())
    assert not workflow.release_hold(hold_id=hold.pk, user=keeper())
    sweep(world)
    case = world.finish(case)
    assert (case.status, case.held_from) == ("SEALED", "")
    assert events(case).index("request_held") < events(case).index("request_resumed")


def test_L18_the_last_moment_before_the_deletion_still_counts(world):
    case = world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="ERASE", status="QUEUED").exists())
    hold = place()
    before = left(world)
    case = world.finish(case)
    assert case.status == "ON_HOLD"
    assert left(world) == before
    workflow.release_hold(hold_id=hold.pk, user=keeper())
    sweep(world)
    case = world.finish(case)
    assert (case.status, case.outcome) == ("SEALED", "ERASED")
    assert left(world) < before


def test_L18_a_retry_asks_again_and_the_hold_beats_it(world):
    case = world.accepted()
    requests.fail_case(case_id=case.pk, code="StoreFull", message="No room.", now=timezone.now())
    place()
    world.do(workflow.retry, case_id=case.pk, user=officer())
    assert world.wake(case).status == "ON_HOLD"


def test_L18_two_holds_must_both_be_released(world):
    first, second = place(), place(kind="DATASET", identifier="", dataset=world.dataset)
    case = world.finish(world.accepted())
    workflow.release_hold(hold_id=first.pk, user=keeper())
    sweep(world)
    assert world.current(case).status == "ON_HOLD"
    workflow.release_hold(hold_id=second.pk, user=keeper())
    sweep(world)
    assert world.current(case).status != "ON_HOLD"


def test_L18_a_hold_on_somebody_else_stops_nobody(world):
    place(identifier=BERT)
    assert world.erased().status == "SEALED"


def test_L18_the_register_holds_no_identifier_and_the_log_no_basis(world):
    hold = place()
    row = LegalHold.objects.filter(pk=hold.pk).values().get()
    assert ADA not in str(row).lower()
    leaf = LogLeaf.objects.get(type="hold_placed")
    assert b"Claim" not in bytes(leaf.data)


def test_L18_only_who_keeps_registers_places_and_releases():
    with pytest.raises(NotAllowed, match="legal holds"):
        place(user=officer())
    hold = place()
    with pytest.raises(NotAllowed, match="legal holds"):
        workflow.release_hold(hold_id=hold.pk, user=worlds.reviewer())


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"kind": "MOON"}, "kind is 'MOON'; allowed are EMAIL"),
        ({"basis": " "}, "basis is empty"),
        ({"kind": "DATASET"}, "on a person or on a data set"),
        ({"identifier": "nobody"}, "does not have the form"),
        ({"review_on": timezone.now().date()}, "it must be after"),
    ],
)
def test_L18_a_hold_says_on_what_why_and_until_when_unreviewed(changed, sentence):
    with pytest.raises(ValueError, match=sentence):
        place(**changed)


def test_a_case_that_is_not_at_work_is_not_held(world):
    place()
    case = world.wake(world.ask())
    assert not holds.hold_case(case_id=case.pk, now=timezone.now())
    assert world.current(case).status == "VERIFIED"


def test_a_hold_does_not_stand_in_the_way_of_an_accepted_restriction(signing_key):
    person(ADA, records=2)
    case = kinds.confirmed("RESTRICTION")
    staff = kinds.member("Case officer")
    kinds.approved(workflow.accept(case_id=case.pk, ground="ART_18_1_A", user=staff))
    place()
    advance(case.pk)
    assert (kinds.now_of(case).status, kinds.restricted()) == ("RESTRICTED", 2)
    assert list(case.letters.values_list("code", flat=True)) == ["RESTRICTED"]
    day = timezone.now().date() + timedelta(days=9)
    workflow.plan_lift(case_id=case.pk, reason="It was checked in full.", lift_on=day, user=staff)
    advance(case.pk)
    assert case.letters.filter(code="LIFT_NOTICE").exists()
