"""An operator's case that leads nowhere is refused, or ends, with a sentence."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pyroaring import BitMap

from audits import workflow
from audits.models import ErasureRequest, OperatorCase
from audits.queries.operator_cases import chosen_of
from audits.services import case_scores, operator_cases
from audits.services.operator_checks import ForgetSetRefused
from audits.services.transitions import MoveNotAllowed
from lineage.core.bitmaps import encode
from lineage.models import Restriction
from lineage.services.snapshots import OrdinalsUnknown
from tests.audits.operator_worlds import (
    RIDGE,
    SPOILT,
    new_case,
    opened,
    spoilt,
    staff,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def snapshot():
    return spoilt()


@pytest.fixture
def version(world, snapshot):
    return world.train("ones", snapshot, recipe_parameters=SPOILT)


@pytest.fixture
def draft(world):
    """A case about two records of which nothing was trained."""
    return opened(world, new_case(world.dataset.space, seeds=[1, 2], reason="EXPIRED_CONSENT"))


@pytest.mark.parametrize("seeds", [[], [99_999]])
def test_records_that_cannot_be_forgotten_are_refused(world, seeds):
    new = new_case(world.dataset.space, seeds=seeds)
    with pytest.raises((ForgetSetRefused, OrdinalsUnknown)):
        operator_cases.open_case(new=new, user=staff("ann"), now=timezone.now())
    assert not ErasureRequest.objects.exists()


@pytest.mark.parametrize(("field", "value"), [("reason", "BOREDOM"), ("disposal", "SELL")])
def test_a_reason_or_disposal_of_another_kind_is_refused(world, field, value):
    new = new_case(world.dataset.space, **{field: value})
    with pytest.raises(ValueError, match=rf"^{field} is '{value}'; allowed are "):
        operator_cases.open_case(new=new, user=staff("ann"), now=timezone.now())


def test_nothing_is_chosen_or_proposed_before_the_records_are_scored(world, snapshot, version):
    case = world.do(workflow.open_case, new=new_case(snapshot.space, version), user=staff("ann"))
    with pytest.raises(MoveNotAllowed, match="are still being scored"):
        workflow.propose_forget_set(case_id=case.pk, user=staff("ann"))
    with pytest.raises(MoveNotAllowed, match="are still being scored"):
        workflow.choose_records(case_id=case.pk, ordinals=BitMap([5]), user=staff("ann"))


@pytest.mark.parametrize(
    ("seeds", "sentence"),
    [
        ([20, 31, 44, 59], "no more in common than records of the same labels"),
        ([0, 1], "2 of the seed records were trained on; at least 3"),
    ],
    ids=["clean", "few"],
)
def test_seeds_that_lead_nowhere_get_a_sentence(world, snapshot, version, seeds, sentence):
    case = opened(world, new_case(snapshot.space, version, seeds))
    assert sentence in case.note
    assert chosen_of(case) == BitMap(seeds)


def test_a_recipe_without_gradients_gets_a_sentence(world, snapshot):
    sums = world.train("sums", snapshot, **RIDGE)
    case = opened(world, new_case(snapshot.space, sums))
    assert "does not end in a linear layer" in case.note
    assert case.request.status == "DRAFT"


def test_a_version_without_a_recipe_gets_a_sentence(world, snapshot):
    case = opened(world, new_case(snapshot.space, world.bare("bare", snapshot)))
    assert "was captured without a recipe" in case.note


# --- the exact path only --------------------------------------------------------------------


def test_a_dropped_case_is_sealed_and_leaves_every_record_where_it_is(world, draft):
    world.do(workflow.drop_case, case_id=draft.pk, user=staff("ann"))
    request = world.finish(world.wake(draft.request))
    assert (request.status, request.outcome) == ("SEALED", "WITHDRAWN")
    assert not Restriction.objects.exists()


def test_scores_that_come_after_the_case_was_dropped_are_not_kept(world, snapshot, version):
    case = world.do(workflow.open_case, new=new_case(snapshot.space, version), user=staff("ann"))
    world.do(workflow.drop_case, case_id=case.pk, user=staff("ann"))
    kept = case_scores.keep_scores(
        case_id=case.pk, records=[(1, 0.5, 1)], finding={}, note="", now=timezone.now()
    )
    assert not kept
    assert encode(BitMap([0, 3, 7])) == bytes(OperatorCase.objects.get(pk=case.pk).chosen)


def test_a_case_whose_records_cannot_be_scored_is_dropped(world, snapshot, version, monkeypatch):
    def fail(*_: object):
        raise RuntimeError("no memory is left")

    monkeypatch.setattr("audits.execution.scoring.propose", fail)
    case = opened(world, new_case(snapshot.space, version))
    assert (case.request.status, case.request.failure) == ("FAILED", "no memory is left")
    world.do(workflow.drop_case, case_id=case.pk, user=staff("ann"))
    request = world.finish(world.wake(case.request))
    assert (request.status, request.outcome, request.failure) == ("SEALED", "WITHDRAWN", "")


def test_a_case_that_stopped_after_its_approval_is_not_dropped(draft):
    ErasureRequest.objects.filter(pk=draft.pk).update(status="FAILED", failed_from="PLANNED")
    with pytest.raises(MoveNotAllowed):
        workflow.drop_case(case_id=draft.pk, user=staff("ann"))
