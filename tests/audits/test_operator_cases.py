"""The operator's own case, from the first suspicion to the sealed record."""

from __future__ import annotations

import base64
import json

import pytest
from django.db import IntegrityError
from django.utils import timezone
from pyroaring import BitMap

from audits import keys, workflow
from audits.core.record import verify
from audits.execution.report_view import SealedCase, view_of
from audits.models import DuplicateFinding, ErasureRequest, Letter, OperatorCase, ScoredRecord
from audits.queries import cases
from audits.queries.operator_cases import chosen_of, digest_of, intake_of
from audits.services import operator_cases, removal, requests
from audits.services.operator_cases import NotYourApproval
from audits.services.rights import NotAllowed
from audits.services.transitions import MoveNotAllowed
from lineage.models import DataRecord, Job, ModelVersion, RecordContent, Restriction
from lineage.queries.training_view import training_view
from tests.audits import late_versions
from tests.audits.operator_worlds import (
    BAD,
    RIDGE,
    SPOILT,
    approved,
    new_case,
    opened,
    spoilt,
    staff,
)
from tests.audits.test_workflow_duplicates import derived
from tests.audits.world import ADA, BERT, accept_now, events, logged, runs, told
from unlearning.core.planning.policy import Intake

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


def test_a_case_goes_from_three_seeds_to_a_sealed_record(world, snapshot, version):
    case = opened(world, new_case(snapshot.space, version))
    assert (case.note, case.request.status) == ("", "DRAFT")
    assert chosen_of(case) == BAD
    assert len(training_view(snapshot)) == 160  # nothing leaves before it is approved
    request = approved(world, case)
    assert (request.status, request.outcome, request.failure) == ("SEALED", "REMOVED", "")
    assert told(runs(request)) == [("ones v1", "retrain", "CLEARED")]
    assert training_view(snapshot).ordinals == BitMap(range(160)) - BAD
    assert RecordContent.objects.filter(space=snapshot.space).count() == 160  # kept apart
    new = ModelVersion.objects.get(model_name="ones", version=2)
    old = ModelVersion.objects.get(model_name="ones", version=1)
    assert (new.state, old.state) == ("ACTIVE", "DESTROYED")
    assert events(request)[:8] == [
        "case_opened",
        "forget_set_scored",
        "forget_set_proposed",
        "forget_set_approved",
        "records_restricted",
        "erasure_view_opened",
        "duplicates_searched",
        "plan_drawn",
    ]
    assert "records_erased" not in events(request)
    assert logged(request, "records_kept_apart")[0]["records"] == len(BAD)


def test_the_sealed_record_verifies_and_does_not_speak_of_the_regulation(world, snapshot, version):
    request = approved(world, opened(world, new_case(snapshot.space, version)))
    sealed = verify(bytes(request.record.data), vkey=keys.verifier_text()).account
    assert sealed.outcome == "REMOVED"
    told_of = sealed.findings["operator_case"]
    assert isinstance(told_of, dict)
    assert (told_of["reason"], told_of["disposal"]) == ("MISLABELLED", "KEEP")
    assert (told_of["seeds"], told_of["chosen"]) == (3, len(BAD))
    assert told_of["finding"]["chance"] < 0.05
    envelope = json.loads(bytes(request.record.data))["envelope"]
    statement = base64.b64decode(envelope["payload"]).decode()
    for word in ("GDPR", "Art. 1", "ART_1", "case_erased", "annotator", "ann@", '"ann"', '"bea"'):
        assert word not in statement, word


def test_the_report_speaks_of_a_removal(world, snapshot, version):
    request = approved(world, opened(world, new_case(snapshot.space, version)))
    job = Job.objects.get(payload_id=request.pk, kind="REPORT")
    assert job.status == "SUCCEEDED", job.error
    data = bytes(request.record.data)
    key = keys.verifier_text()
    view = view_of(
        SealedCase(verified=verify(data, vkey=key), sha256="0" * 64, vkey=key, checkpoint_note="")
    )
    assert (view["outcome"], view["names"]["title"]) == ("Removed", "Removal record")
    assert view["kept"] == [["Kept apart, out of every training", str(len(BAD))]]
    assert [area[0] for area in view["areas"]] == ["Data", "Models", "Approval"]
    assert "no statutory deadline" in view["due"]
    assert any("that the set is complete" in limit for limit in view["limits"])
    for word in (
        "GDPR",
        "Art. ",
        "rasure request",
        "rasure record",
        "erased records",
        "case_erased",
    ):
        assert word not in json.dumps(view), word


def test_nobody_is_written_to_and_nothing_is_due(world, draft):
    request = approved(world, draft)
    assert request.status == "SEALED"
    assert request.due_on is None
    assert not Letter.objects.exists()
    assert not DuplicateFinding.objects.exists()


def test_deletion_is_carried_out_only_where_it_was_chosen(world):
    space = world.dataset.space
    case = opened(
        world, new_case(space, seeds=[1, 2], reason="EXPIRED_CONSENT", disposal="DELETE")
    )
    request = approved(world, case)
    assert (request.status, request.outcome) == ("SEALED", "REMOVED")
    gone = DataRecord.objects.filter(space=space).exclude(invalidated_at=None)
    assert sorted(gone.values_list("ordinal", flat=True)) == [1, 2]
    assert not RecordContent.objects.filter(space=space, ordinal__in=[1, 2]).exists()
    assert logged(request, "records_erased")[0]["remaining"] == 0


@pytest.mark.parametrize("name", ["ann", "carl", "dora"])
def test_whoever_took_part_in_the_proposal_cannot_approve_it(world, draft, name):
    world.do(workflow.choose_records, case_id=draft.pk, ordinals=BitMap([1]), user=staff("carl"))
    world.do(workflow.propose_forget_set, case_id=draft.pk, user=staff("dora"))
    draft.refresh_from_db()
    with pytest.raises(NotYourApproval, match="whoever proposes a forget set cannot approve it"):
        approve(draft, staff(name))
    draft.request.refresh_from_db()
    assert draft.request.status == "PROPOSED"
    assert not Restriction.objects.exists()


def test_even_one_with_every_right_cannot_approve_alone(world, draft):
    ann = staff("ann")
    ann.is_superuser = True
    ann.save()
    world.do(workflow.propose_forget_set, case_id=draft.pk, user=ann)
    with pytest.raises(NotYourApproval):
        approve(draft, ann)


def test_the_database_refuses_one_pair_of_eyes(draft):
    with pytest.raises(IntegrityError):
        OperatorCase.objects.filter(pk=draft.pk).update(
            proposed_by=staff("ann"), approved_by=staff("ann")
        )


def test_somebody_who_is_not_staff_cannot_approve(world, draft):
    world.do(workflow.propose_forget_set, case_id=draft.pk, user=staff("ann"))
    guest = staff("guest")
    guest.is_staff = False
    with pytest.raises(NotAllowed, match="takes the role Reviewer"):
        approve(draft, guest)


def test_a_set_that_changed_since_it_was_looked_at_is_not_approved(world, draft):
    seen = digest_of(draft)
    world.do(workflow.choose_records, case_id=draft.pk, ordinals=BitMap([1]), user=staff("ann"))
    world.do(workflow.propose_forget_set, case_id=draft.pk, user=staff("ann"))
    with pytest.raises(MoveNotAllowed, match="was changed after you looked at it"):
        operator_cases.approve(
            case_id=draft.pk, digest=seen, user=staff("bea"), now=timezone.now()
        )


def test_a_person_cannot_be_accepted_into_it_nor_it_like_a_request(draft):
    for status in ("DRAFT", "PROPOSED"):
        ErasureRequest.objects.filter(pk=draft.pk).update(status=status)
        with pytest.raises(MoveNotAllowed):
            accept_now(draft.pk)


def test_both_pairs_of_eyes_are_in_the_log_by_pseudonym(world, draft):
    request = approved(world, draft)
    from audits.queries.case_page import log_of

    actors = {line.type: line.actor for line in log_of(request)}
    assert actors["forget_set_proposed"] == requests.actor_of(staff("ann"))
    assert actors["forget_set_approved"] == requests.actor_of(staff("bea"))


def approve(case, user):
    operator_cases.approve(case_id=case.pk, digest=digest_of(case), user=user, now=timezone.now())


def test_a_proposed_set_can_be_sent_back_and_chosen_anew(world, draft):
    world.do(workflow.propose_forget_set, case_id=draft.pk, user=staff("ann"))
    with pytest.raises(MoveNotAllowed, match="can be chosen only while it is DRAFT"):
        workflow.choose_records(case_id=draft.pk, ordinals=BitMap([5]), user=staff("ann"))
    world.do(workflow.return_forget_set, case_id=draft.pk, user=staff("bea"))
    world.do(workflow.choose_records, case_id=draft.pk, ordinals=BitMap([5]), user=staff("ann"))
    draft.refresh_from_db()
    request = approved(world, draft)
    assert logged(request, "records_restricted")[0]["records"] == 1


def test_an_approximate_method_is_weighed_and_refused(world, settings):
    settings.EXPUNGE_METHOD = "finetune"
    world.train("base", world.snapshot(ADA, BERT))
    seeds = list(world.owned(ADA))[:2]
    request = approved(world, opened(world, new_case(world.dataset.space, seeds=seeds)))
    assert told(runs(request)) == [("base v1", "retrain", "CLEARED")]
    refused = {row["key"]: row["reason"] for row in runs(request)[0].weighed["refused"]}
    assert refused["approximate:finetune"] == (
        "It promises APPROXIMATE, and a case that the operator started takes exact ways only."
    )


def test_integer_sums_are_decremented(world):
    world.train("sums", world.snapshot(ADA, BERT), **RIDGE)
    seeds = list(world.owned(ADA))[:2]
    request = approved(world, opened(world, new_case(world.dataset.space, seeds=seeds)))
    assert told(runs(request)) == [("sums v1", "decrement", "CLEARED")]


def test_the_same_records_are_erased_later_when_their_owner_asks(world):
    seeds = list(world.owned(ADA))[:2]
    approved(world, opened(world, new_case(world.dataset.space, seeds=seeds)))
    assert world.erased(ADA).outcome == "ERASED"


def test_records_that_their_owner_had_erased_meanwhile_are_not_called_kept(world):
    ada, bert = list(world.owned(ADA))[:2], list(world.owned(BERT))[:1]
    case = opened(world, new_case(world.dataset.space, seeds=ada + bert))
    assert world.erased(ADA).outcome == "ERASED"
    request = approved(world, case)
    assert (request.status, request.outcome) == ("SEALED", "REMOVED")
    assert [row["records"] for row in logged(request, "records_kept_apart")] == [1]


def test_a_late_version_is_unlearned_exactly_too(world):
    run = late_versions.opened(world, ADA, BERT)
    seeds = list(world.owned(ADA))[:2]
    approved(world, opened(world, new_case(world.dataset.space, seeds=seeds, disposal="DELETE")))
    late_versions.end(run)
    (case,) = late_versions.linked(world)
    assert intake_of(case.pk) is Intake.OPERATOR


def test_what_was_measured_of_a_record_goes_with_it(world):
    ada, bert = world.owned(ADA)[0], world.owned(BERT)[0]
    case = opened(world, new_case(world.dataset.space, seeds=[ada, bert]))
    for ordinal in (ada, bert):
        ScoredRecord.objects.create(case=case, ordinal=ordinal, score=1.0, cluster=1)
    assert world.erased(ADA).outcome == "ERASED"
    assert list(ScoredRecord.objects.values_list("ordinal", flat=True)) == [bert]


def test_what_was_derived_from_the_records_leaves_with_them_at_once(world, draft):
    captions = derived("captions", world.take(BitMap([2])), 2)
    world.do(workflow.propose_forget_set, case_id=draft.pk, user=staff("ann"))
    approve(draft, staff("bea"))
    removal.restrict_chosen(case_id=draft.pk, now=timezone.now())
    assert not training_view(captions).ordinals


def test_a_case_without_a_date_stands_below_those_with_one(world, draft):
    person = world.accepted(ADA)
    assert list(cases.open_cases()) == [person, draft.request]
