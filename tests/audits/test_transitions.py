"""The state machine of a case, under every order in which people and workers may act."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from audits.models import ComplianceRecord, ErasureRequest
from audits.services import closing, evidence, planning, records, requests, transitions
from audits.services.requests import LinkNotUsable
from audits.services.transitions import ALLOWED, MoveNotAllowed, move
from lineage.models import Restriction
from tests.audits.world import ADA, NOW, accept_now, events, officer, person, refuse_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db

S = ErasureRequest.Status
PLAN: dict[str, list[str]] = {"affected": [], "not_affected": [], "unknown": [], "spaces": []}
# Phases tell of themselves by the events of their runs.
EVENT_OF = {
    "VERIFIED": "request_verified",
    "ACCEPTED": "request_accepted",
    "REFUSED": "request_refused",
    "WITHDRAWN": "request_withdrawn",
    "RESTRICTED": "records_restricted",
    "PLANNED": "plan_drawn",
    "ERASED": "case_erased",
    "SEALED": "case_sealed",
    "FAILED": "case_failed",
}


@dataclass
class Case:
    """A case and all that may be done to it, in any order."""

    received: requests.Received
    officer: User

    @property
    def pk(self):
        return self.received.request.pk

    def now(self) -> ErasureRequest:
        return ErasureRequest.objects.get(pk=self.pk)

    def confirm(self):
        requests.confirm_request(token=self.received.confirm_token, now=NOW)

    def accept(self):
        accept_now(self.pk)

    def refuse(self):
        refuse_now(self.pk, code="ART_17_3_B")

    def withdraw(self):
        requests.withdraw_request(case_id=self.pk, now=NOW)

    def restrict(self):
        planning.restrict_records(case_id=self.pk, now=NOW)

    def plan(self):
        planning.keep_plan(case_id=self.pk, plan=PLAN, runs=[], now=NOW)

    def unlearn(self):
        evidence.set_phase(case_id=self.pk, phase=S.UNLEARNING, now=NOW)

    def audit(self):
        evidence.set_phase(case_id=self.pk, phase=S.AUDITING, now=NOW)

    def erase(self):
        closing.mark_erased(case_id=self.pk, now=NOW + timedelta(hours=1))

    def seal(self):
        records.seal_case(case_id=self.pk, now=NOW + timedelta(hours=2))

    def fail(self):
        requests.fail_case(case_id=self.pk, code="StoreFull", message="No room.", now=NOW)

    def resume(self):
        requests.resume_case(case_id=self.pk, user=self.officer, now=NOW)


ACTIONS: list[Callable[[Case], None]] = [
    Case.confirm,
    Case.accept,
    Case.refuse,
    Case.withdraw,
    Case.restrict,
    Case.plan,
    Case.unlearn,
    Case.audit,
    Case.erase,
    Case.seal,
    Case.fail,
    Case.resume,
]
ORDER = [*ACTIONS[:2], *ACTIONS[4:10]]


@pytest.fixture
def case(signing_key):
    person(ADA, records=1)
    received = requests.receive_request(email=ADA, channel="FORM", now=NOW)
    return Case(received=received, officer=officer())


def sequences():
    """Anything at all, and the usual way with things in between, which gets further."""
    stray = st.lists(st.sampled_from(ACTIONS), max_size=3)
    usual = st.tuples(*[stray] * len(ORDER)).map(
        lambda strays: [one for pair in zip(ORDER, strays, strict=True) for one in flat(*pair)]
    )
    return st.lists(st.sampled_from(ACTIONS), max_size=12) | usual


def flat(action, strays):
    return [*strays, action]


@given(actions=sequences())
@examples(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_order_of_actions_leaves_the_allowed_moves(case, actions):
    with undone():
        for action in actions:
            before, told = case.now(), events(case.now())
            refused = act(case, action)
            check_move(before, case.now(), events(case.now())[len(told) :], refused=refused)
            check_order(case.now())


@contextmanager
def undone():
    """Take back what is done inside, so that one case serves every example."""
    point = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(point)


def act(case, action):
    try:
        with transaction.atomic():
            action(case)
    except (MoveNotAllowed, LinkNotUsable):
        return True
    return False


def check_move(before, after, new, *, refused):
    if before.status == after.status:
        assert not set(new) & set(EVENT_OF.values()), new
        return
    assert not refused
    if before.status == S.FAILED:
        assert (after.status, new) == (before.failed_from, ["request_resumed"])
        return
    assert before.status in ALLOWED[after.status]
    if after.status in EVENT_OF:
        assert new.count(EVENT_OF[after.status]) == 1


def check_order(case):
    """Nothing is done before the person confirmed and staff accepted."""
    kinds = events(case)
    restricted = Restriction.objects.filter(case_id=case.pk).exists()
    assert restricted == ("records_restricted" in kinds)
    for later in {"records_restricted", "plan_drawn", "case_erased"} & set(kinds):
        assert kinds.index("request_verified") < kinds.index("request_accepted")
        assert kinds.index("request_accepted") < kinds.index(later)
    assert (case.status == S.SEALED) == ComplianceRecord.objects.filter(request=case).exists()
    assert bool(case.erased_at) == (case.outcome == "ERASED")


def test_every_state_can_be_entered_and_only_the_last_ones_are_final():
    """A slip in the table would strand a case."""
    sources = {one for allowed in ALLOWED.values() for one in allowed}
    assert set(ALLOWED) == set(S.values)
    stopped = {S.SEALED, S.EXPIRED, S.ON_HOLD, S.FAILED}  # from the last two it goes back
    assert set(S.values) - sources == stopped


def test_the_table_is_told_in_the_docstring():
    told = transitions.__doc__ or ""
    for state in S.values:
        assert re.search(rf"\b{state}\b", told), state


def test_a_move_from_the_wrong_state_says_where_the_case_is_and_whence_it_may_come(case):
    with pytest.raises(MoveNotAllowed) as refused:
        move(case_id=case.pk, to=S.ERASED, now=NOW)
    assert str(refused.value) == (
        f"Case {case.now().reference} is RECEIVED; it can become ERASED only from PLANNED, "
        "UNLEARNING, AUDITING."
    )
    assert case.now().status == S.RECEIVED


def test_a_move_that_was_made_before_writes_nothing(case):
    withdraw = {"case_id": case.pk, "to": S.WITHDRAWN, "now": NOW}
    event: tuple[str, dict[str, str]] = ("request_withdrawn", {})
    assert [move(**withdraw, event=event) for _ in range(2)] == [True, False]
    assert events(case.now()).count("request_withdrawn") == 1
