"""Whole cases of people with few records, with none, or who change their mind."""

from __future__ import annotations

import pytest
from django.core import mail

from audits import keys, workflow
from audits.core.record import verify
from audits.models import Evidence
from audits.services.transitions import MoveNotAllowed
from audits.workflow import tasks
from lineage.models import Job
from lineage.queries.availability import restricted_ordinals
from tests.audits import world as worlds
from tests.audits.workflow.stands import verdicts
from tests.audits.world import ADA, BERT, CLEO, DORA, STRANGERS, events, logged, runs

# --- people -----------------------------------------------------------------------------------


def test_somebody_with_records_but_no_model_is_erased(world):
    case = world.erased(STRANGERS[0])
    assert (case.status, case.outcome) == ("SEALED", "ERASED")
    assert runs(case) == []
    assert logged(case, "records_erased")[0]["records"] == 9
    check_sealed(case)


def check_sealed(case):
    verify(bytes(case.record.data), vkey=keys.verifier_text())


def test_somebody_unknown_gets_a_sealed_answer(world):
    case = world.finish(world.wake(world.ask("nobody@example.org")))
    assert (case.status, case.outcome, case.email) == ("SEALED", "NO_DATA_FOUND", "")
    assert "no data about you" in mail.outbox[-1].subject
    check_sealed(case)


def test_a_second_request_joins_the_open_one(world):
    first = world.accepted()
    second = world.finish(world.wake(world.ask()))
    assert (second.status, second.outcome, second.joined_to) == ("SEALED", "JOINED", first)
    assert ADA not in bytes(second.record.data).decode()
    assert world.finish(first).status == "SEALED"


def test_after_the_erasure_nothing_is_found_any_more(world):
    world.erased(STRANGERS[0])
    again = world.finish(world.wake(world.ask(STRANGERS[0])))
    assert (again.status, again.outcome) == ("SEALED", "NO_DATA_FOUND")


def test_a_request_that_is_not_confirmed_affects_nobody(world):
    received = world.submit()
    world.rung.clear()
    tasks.sweep()
    world.wake(received.request)
    assert world.current(received.request).status == "RECEIVED"
    assert not restricted_ordinals(world.dataset.space)
    assert world.rung == []
    with pytest.raises(MoveNotAllowed, match="can become ACCEPTED only from VERIFIED"):
        workflow.accept(case_id=received.request.pk, ground=worlds.CONSENT, user=worlds.officer())
    other = world.wake(world.ask())
    assert other.outcome == ""  # whoever merely typed the address does not block its owner


def test_a_refused_request_is_answered_and_touches_nothing(world):
    case = world.wake(world.ask())
    case = world.finish(world.refuse(case, "ART_17_3_B"))
    assert (case.status, case.outcome, case.email) == ("SEALED", "REFUSED", "")
    assert not restricted_ordinals(world.dataset.space)
    assert worlds.subject_of(ADA) is not None
    check_sealed(case)


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_withdrawn_request_is_answered_and_touches_nothing(world, confirmed):
    case = world.ask() if confirmed else world.submit().request
    world.do(workflow.withdraw, case_id=case.pk)
    case = world.finish(world.wake(case))
    assert (case.status, case.outcome, case.email) == ("SEALED", "WITHDRAWN", "")
    check_sealed(case)


# --- audits that cannot be made ---------------------------------------------------------------


def test_what_is_too_small_for_an_attack_is_said(world):
    world.train("base", world.snapshot(ADA, BERT))
    world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="ERASE").exists())
    row = Evidence.objects.get(kind="POPULATION")
    assert row.payload["unlearned"] is None
    assert "at least 30 records" in row.payload["not_computed"]


def test_without_twins_the_audit_is_not_computed_and_retraining_follows(world, approximate):
    everybody = [ADA, BERT, CLEO, DORA, *STRANGERS]
    world.train("base", world.snapshot(*everybody))
    case = world.erased()
    assert (case.status, case.failure) == ("SEALED", "")
    assert verdicts(case) == [["INCONCLUSIVE"], ["ERASED_BY_CONSTRUCTION"]]
    evidence = runs(case)[0].evidence.get(kind="U_LIRA")
    assert "not computed" in evidence.payload["not_computed"]
    assert "shadows_purged" not in events(case)
