"""No erasure takes what must be kept for somebody else: not a case, a duplicate, or a drop."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from pyroaring import BitMap

from audits import workflow
from audits.models import DuplicateFinding, LogLeaf
from audits.queries.forget_sets import forget_set, listed
from audits.services import closing, holds, planning, stopping
from audits.services.exceptions import MustBeKept
from audits.workflow.steps import advance
from lineage.models import LabelConflict, OrdinalSpace
from lineage.queries.availability import purged_ordinals, restricted_ordinals
from lineage.services.importing import Row, import_records
from tests.audits.bare_cases import accept_now
from tests.audits.case_actions import PLAN
from tests.audits.kinds import confirmed, member, now_of
from tests.audits.world import ADA, BERT, NOW, logged, officer

pytestmark = pytest.mark.django_db
HERS, HIS = BitMap([0, 1]), BitMap([2, 3])


@pytest.fixture
def space(signing_key) -> OrdinalSpace:
    """Two records of Ada, then two of Bert."""
    rows = [
        Row(
            line=n, key=str(n), subject=who, content=b"%d" % n, target="1", media_type="text/plain"
        )
        for n, who in enumerate([ADA, ADA, BERT, BERT], start=2)
    ]
    import_records(dataset_name="faces", rows=rows, now=NOW)
    return OrdinalSpace.objects.get()


def restricting(email: str = BERT):
    """Somebody's accepted request of Art. 18."""
    case = confirmed("RESTRICTION", email)
    accept_now(case.pk, ground="ART_18_1_C")
    stopping.restrict_accepted(case_id=case.pk, now=NOW)
    return case


def erasing():
    """Ada's case, at its duplicates."""
    case = confirmed("ERASURE")
    accept_now(case.pk)
    planning.restrict_records(case_id=case.pk, now=NOW)
    return now_of(case)


def twin(case, space: OrdinalSpace) -> dict[str, Any]:
    found = DuplicateFinding.objects.create(
        request=case, space=space, forget_ordinal=0, other_ordinal=2, kind="NEAR", distance=0.1
    )
    return {"finding_id": found.pk, "user": officer()}


def test_a_duplicate_that_somebody_wants_kept_cannot_be_erased(space):
    restricting()
    case = erasing()
    given = twin(case, space)
    with pytest.raises(MustBeKept, match=r"Record 2 of .* must be kept \(Art. 17\(3\), 18\)"):
        workflow.decide_duplicate(**given, decision="ERASE")
    refused = {"action": "DECIDE_DUPLICATE", "reason": "MUST_BE_KEPT"}
    assert logged(case, "action_refused") == [refused]
    assert forget_set(case.pk) == {space: HERS}
    workflow.decide_duplicate(**given, decision="KEEP")
    assert DuplicateFinding.objects.get().decision == "KEEP"


def test_a_restriction_that_comes_after_the_decision_keeps_all_the_same(space):
    case = erasing()
    workflow.decide_duplicate(**twin(case, space), decision="ERASE")
    his = restricting()
    closing.erase_data(request=case, now=NOW)
    assert purged_ordinals(space) == HERS
    assert restricted_ordinals(space) >= HIS
    assert forget_set(case.pk) == {space: HERS}
    assert forget_set(his.pk) == {space: HIS}
    assert [one["records"] for one in logged(case, "records_left_to_others")] == [1]
    closing.erase_data(request=case, now=NOW)  # as after a crash
    assert len(logged(case, "records_left_to_others")) == 1


def test_the_own_restriction_of_a_person_stops_no_erasure_of_theirs(space):
    restricting(ADA)
    case = erasing()
    closing.erase_data(request=case, now=NOW)
    assert purged_ordinals(space) == HERS


@pytest.mark.parametrize("all_gone", [True, False])
def test_a_restriction_ends_without_notice_once_its_person_is_erased(space, all_gone):
    restriction = restricting(ADA)
    advance(restriction.pk)
    case = erasing()
    plan = {**PLAN, "spaces": listed(forget_set(case.pk))}
    planning.keep_plan(case_id=case.pk, plan=plan, runs=[], now=NOW)
    if all_gone:
        closing.erase_data(request=case, now=NOW)
    closing.mark_erased(case_id=case.pk, now=NOW)
    advance(restriction.pk)
    ended = now_of(restriction)
    if not all_gone:  # as where an exception keeps some of it
        assert (ended.status, ended.outcome) == ("RESTRICTED", "")
        return
    assert (ended.status, ended.outcome) == ("SEALED", "RESTRICTION_ERASED")
    assert logged(ended, "restriction_lifted") == [{"restrictions": 1}]
    codes = list(ended.letters.order_by("created_at").values_list("code", flat=True))
    assert codes == ["RESTRICTED", "ANSWER_RESTRICTION_ERASED"]
    said = " ".join(str(mail.outbox[-1].body).split())
    assert "we have erased it" in said
    assert "use your data again" not in said


def hold(**what: object) -> None:
    later = timezone.now().date() + timedelta(days=9)
    given = {"basis": "A claim.", "review_on": later, "user": member("Administrator")}
    holds.place_hold(**given, **what, now=timezone.now())  # type: ignore[arg-type]


@pytest.mark.parametrize("by", ["person", "data set", "restriction"])
def test_a_held_record_that_must_be_kept_is_not_dropped(space, client, by):
    if by == "restriction":
        restricting()
    elif by == "person":
        hold(kind="EMAIL", identifier=BERT)
    else:
        hold(kind="DATASET", dataset=space.datasets.get())
    conflict, free = (
        LabelConflict.objects.create(
            space=space, ordinal=at, distance=0, state="HELD", found_at=NOW
        )
        for at in (2, 0)
    )
    client.force_login(officer())
    drop = reverse("audits:drop_conflict", args=[conflict.pk])
    page = client.post(drop, follow=True).content.decode()
    assert "must be kept" in page or "under a legal hold" in page
    assert not purged_ordinals(space)
    refused = LogLeaf.objects.filter(type="action_refused").get()
    assert b'"MUST_BE_KEPT"' in bytes(refused.data)
    client.post(reverse("audits:drop_conflict", args=[free.pk]))
    assert purged_ordinals(space) == (BitMap() if by == "data set" else BitMap([0]))
