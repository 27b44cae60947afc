"""What a withdrawal of consent or an objection stops, whenever it is found or arrives."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audits import workflow
from audits.core.identity import Check
from audits.services import requests, stopping
from audits.workflow import tasks
from lineage.models import DataRecord, OrdinalSpace
from lineage.services.subjects import register_subject
from tests.audits.kinds import BALANCE, approved, confirmed, member, now_of, restricted
from tests.audits.world import ADA, BERT, NOW, events, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(signing_key):
    return member("Case officer")


def test_a_stop_takes_in_what_a_check_of_identity_finds(officer):
    register_subject(identifiers={"EMAIL": ADA}, now=NOW)
    person("old@example.org", records=3)
    told = requests.Told(identifiers=(("EMAIL", "old@example.org"),))
    case = confirmed("CONSENT", told=told)
    assert restricted() == 0
    check = Check(method="CALL_BACK", level="HIGH")
    workflow.check_identity(case_id=case.pk, check=check, user=officer)
    assert restricted() == 3
    before = len(events(case))
    workflow.check_identity(case_id=case.pk, check=check, user=officer)
    assert events(case)[before:] == ["identity_checked", "subject_identified"]


def arrive(subject):
    space = OrdinalSpace.objects.get(records__subject=subject, records__ordinal=0)
    OrdinalSpace.objects.filter(pk=space.pk).update(next_ordinal=space.next_ordinal + 1)
    DataRecord.objects.create(
        space=space, ordinal=space.next_ordinal, subject=subject, generated_at=NOW
    )


def overrule(case, officer):
    decided = workflow.decide_objection(case_id=case.pk, upheld=False, text=BALANCE, user=officer)
    approved(decided)


@pytest.mark.parametrize("refused", [False, True])
def test_the_sweep_stops_what_arrives_of_somebody_who_objected(officer, refused):
    subject = person(ADA, records=2)
    case = confirmed("OBJECTION")
    if refused:
        overrule(case, officer)
    arrive(subject)
    tasks.sweep()
    assert restricted() == 3
    stopping.lift_at_once(case_id=case.pk, now=NOW)
    arrive(subject)
    tasks.sweep()
    assert restricted() == 0


# --- beside another case of the same person ---------------------------------------------------


@pytest.mark.parametrize("kind", ["ERASURE", "CONSENT", "SEEN_IN_OUTPUT"])
def test_what_is_asked_beside_an_undecided_objection_outlives_it(officer, kind):
    person(ADA, records=2)
    first, second = confirmed("OBJECTION"), confirmed(kind)
    assert (second.outcome, second.joined_to) == ("", None)
    overrule(first, officer)
    stopping.note_notice(case_id=first.pk, now=timezone.now())
    assert stopping.lift(case_id=first.pk, now=timezone.now() + timedelta(days=9))
    assert restricted() == (2 if kind == "CONSENT" else 0)
    approved(workflow.accept(case_id=second.pk, ground="ART_17_1_B", user=officer))
    assert now_of(second).status == "ACCEPTED"


def test_a_withdrawal_of_consent_outlives_the_request_that_came_before_it(officer):
    person(ADA, records=2)
    first, second = confirmed("ERASURE"), confirmed("CONSENT")
    workflow.withdraw(case_id=first.pk)
    assert (now_of(second).outcome, restricted()) == ("", 2)


def test_what_is_asked_while_an_erasure_is_certain_joins_it(officer):
    person(ADA, records=2)
    first = confirmed("ERASURE")
    approved(workflow.accept(case_id=first.pk, ground="ART_17_1_D", user=officer))
    second = confirmed("CONSENT")
    assert (second.outcome, second.joined_to) == ("JOINED", first)


@pytest.mark.parametrize("at_once", [True, False])
def test_two_cases_of_one_person_both_come_to_their_end(world, at_once):
    world.train("digits", world.snapshot(ADA, BERT))
    first, second = world.wake(asked(world, "ERASURE")), world.wake(asked(world, "CONSENT"))
    first = world.accept(first)
    if at_once:
        world.accept(second)
    first = world.finish(first)
    assert (first.status, first.outcome) == ("SEALED", "ERASED")
    tasks.sweep()
    second = world.current(second)
    second = world.finish(second if at_once else world.accept(second))
    assert (second.status, second.outcome, second.failure) == ("SEALED", "ERASED", "")


def asked(world, kind):
    with world.commit(execute=True):
        got = workflow.submit(email=ADA, kind=kind)
    with world.commit(execute=True):
        return world.current(workflow.confirm(token=got.confirm_token))
