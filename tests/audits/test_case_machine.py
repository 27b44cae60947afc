"""The invariants of a case, whatever people and workers do in whatever order.

Two requests of one person are received, confirmed or not, decided, held, failed and
resumed. After every step the invariants are looked at; a table of moves that is broken on purpose
must be caught by the same machine.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import HealthCheck, Phase
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from audits.core.identity import Check
from audits.models import ComplianceRecord, ErasureRequest, LogLeaf
from audits.services import (
    entering,
    requests,
    unconfirmed,
)
from audits.services.extensions import ExtensionRefused
from audits.services.receiving import KINDS, LinkNotUsable, Told
from audits.services.rights import give_role
from audits.services.transitions import ALLOWED, MoveNotAllowed
from lineage.models import Restriction
from tests.audits.case_actions import ACTIONS, Actions
from tests.audits.case_invariants import (
    an_answer_takes_longer_only_once_told_in_the_first_period,
    nothing_is_erased_before_identity_and_decision,
    processing_stops_with_a_confirmed_objection,
    what_expired_says_nothing_of_anybody,
    what_is_sealed_has_an_end_that_was_reached,
    what_was_joined_is_answered,
)
from tests.audits.kinds import member
from tests.audits.world import ADA, NOW, person

if TYPE_CHECKING:
    from audits.services.requests import Received

pytestmark = pytest.mark.django_db

S = ErasureRequest.Status
MOST = 2
USUAL: dict[str, str] = {
    S.INFO_ASKED: "answer",
    S.RECEIVED: "confirm",
    S.VERIFIED: "decide",
    S.ACCEPTED: "restrict",
    S.RESTRICTED: "plan",
    S.PLANNED: "erase",
}
which = st.integers(0, MOST - 1)


class Cases(Actions, RuleBasedStateMachine):
    """All that may be done to the requests of one person."""

    @initialize(
        steps=st.integers(0, 5),
        held=st.booleans(),
        agent=st.sampled_from([False, False, False, True]),
    )
    def begin(self, steps: int, held: bool, agent: bool) -> None:
        """The first request is some steps on its usual way already, or an agent's."""
        self.point = transaction.savepoint()
        self.officer = User.objects.get(username="Case officer")
        self.reviewer = User.objects.get(username="Reviewer")
        self.keeper = User.objects.get(username="Administrator")
        self.got: list[Received] = []
        self.held: set[Any] = set()
        self.now = NOW
        if agent:
            self.enter_of_agent("ERASURE")
        else:
            self.got.append(requests.receive_request(email=ADA, channel="FORM", now=NOW))
        for _ in range(steps):
            self.go_on(0)
        if held:
            self.hold(0)

    def teardown(self) -> None:
        if hasattr(self, "point"):
            transaction.savepoint_rollback(self.point)

    # --- what comes in --------------------------------------------------------------------

    def few(self) -> bool:
        return len(getattr(self, "got", ())) < MOST

    def some(self) -> bool:
        return bool(getattr(self, "got", ()))

    @precondition(few)
    @rule(kind=st.sampled_from(KINDS), marketing=st.booleans())
    def receive(self, kind: str, marketing: bool) -> None:
        wish = requests.Wish(kind=kind, marketing=marketing)
        before = self.verified()
        self.got.append(
            requests.receive_request(email=ADA, channel="FORM", now=self.now, wish=wish)
        )
        assert self.verified() == before

    @precondition(few)
    @rule(checked=st.booleans())
    def enter(self, checked: bool) -> None:
        check = Check(method="CALL_BACK", level="LOW") if checked else None
        entry = entering.Entry(
            channel="EMAIL", received_at=self.now - timedelta(days=2), email=ADA, check=check
        )
        before = self.verified()
        self.got.append(entering.enter_request(entry=entry, user=self.officer, now=self.now))
        after = self.verified()
        assert {pk: after[pk] for pk in before} == before

    @precondition(few)
    @rule(kind=st.sampled_from(KINDS))
    def enter_of_agent(self, kind: str) -> None:
        """Who asks was made sure of, but not that the person wants it."""
        entry = entering.Entry(
            channel="EMAIL",
            received_at=self.now,
            email=ADA,
            wish=requests.Wish(kind=kind),
            told=Told(agent_name="Lee", agent_contact="lee@example.com"),
            agent=entering.Agent(answer_to_agent=True),
            check=Check(method="CALL_BACK", level="LOW"),
        )
        self.got.append(entering.enter_request(entry=entry, user=self.officer, now=self.now))

    @precondition(some)
    @rule(place=which, shown=st.booleans())
    def wait_for_mandate(self, place: int, shown: bool) -> None:
        """The agent is asked, and shows the mandate or nothing in time."""
        self.act(place, "ask_mandate")
        self.now += timedelta(days=15)
        self.act(place, "mandate" if shown else "no_mandate")

    @rule()
    def expire(self) -> None:
        before = self.verified()
        self.now += timedelta(hours=49)
        unconfirmed.expire_unconfirmed(now=self.now)
        assert self.verified() == before

    @rule(days=st.integers(1, 40))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    # --- what is done ---------------------------------------------------------------------

    @precondition(some)
    @rule(place=which)
    def go_on(self, place: int) -> None:
        """The next step of the usual way, as a worker takes it, who does not know of a hold."""
        case = self.case(place)
        self.act(place, USUAL.get(case.held_from or case.status, "seal"))

    @precondition(some)
    @rule(place=which)
    def skip(self, place: int) -> None:
        """The steps after the next one, in a hurry."""
        left = list(USUAL.values())
        due = USUAL.get(self.case(place).status, "erase")
        for action in reversed(left[left.index(due) + 1 :]):
            self.act(place, action)

    @precondition(some)
    @rule(place=which, actions=st.lists(st.sampled_from(ACTIONS), min_size=6, max_size=10))
    def do(self, place: int, actions: list[str]) -> None:
        """Anything at all; most of it is refused."""
        for action in actions:
            self.act(place, action)

    @precondition(some)
    @rule(place=which)
    def hold(self, place: int) -> None:
        self.act(place, "hold")

    def act(self, place: int, action: str) -> None:
        case = self.case(place)
        try:
            with transaction.atomic():
                getattr(self, f"_{action}")(case)
        except (MoveNotAllowed, LinkNotUsable, ExtensionRefused):
            case_now = self.fresh(case)
            assert case_now.status == case.status, "what is refused changes nothing"

    # --- what always holds ----------------------------------------------------------------

    @invariant()
    def every_invariant_holds(self) -> None:
        if not self.some():
            return
        told: dict[Any, list[str]] = {}
        for pk, kind in LogLeaf.objects.order_by("index").values_list("case_id", "type"):
            told.setdefault(pk, []).append(kind)
        live = Restriction.objects.filter(lifted_at=None).values_list("case_id", flat=True)
        facts = set(live), set(ComplianceRecord.objects.values_list("request", flat=True))
        for case in ErasureRequest.objects.select_related(
            "stop", "clock", "extension", "joined_to"
        ):
            an_answer_takes_longer_only_once_told_in_the_first_period(case)
            nothing_is_erased_before_identity_and_decision(case, told[case.pk])
            what_is_sealed_has_an_end_that_was_reached(case, facts[1])
            processing_stops_with_a_confirmed_objection(case, facts[0])
            what_expired_says_nothing_of_anybody(case)
            what_was_joined_is_answered(case)
            # A hold beats whatever else is tried.
            assert case.pk not in self.held or case.status == S.ON_HOLD

    # --- reading --------------------------------------------------------------------------

    def verified(self) -> dict[Any, tuple[str, str, Any, str]]:
        """What nobody who merely typed an address may change."""
        return {
            case.pk: (case.status, case.outcome, case.joined_to_id, case.email)
            for case in ErasureRequest.objects.exclude(verified_at=None)
        }

    def case(self, place: int) -> ErasureRequest:
        return self.fresh(self.got[place % len(self.got)].request)

    def fresh(self, case: ErasureRequest) -> ErasureRequest:
        return ErasureRequest.objects.get(pk=case.pk)


@pytest.fixture(autouse=True)
def world(signing_key):
    for role in ("Case officer", "Reviewer", "Administrator"):
        member(role)
    give_role(user=member("Case officer"), role="Model operator")  # who retries
    person(ADA, records=2)


def run(most: int) -> None:
    run_state_machine_as_test(
        Cases,
        settings=examples(
            max_examples=most,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],  # a shorter example of a slip says no more
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_L3_no_order_of_actions_breaks_a_case():
    run(20)


@pytest.mark.parametrize(
    ("to", "slip"),
    [(S.ERASED, S.VERIFIED), (S.RESTRICTED, S.VERIFIED), (S.RESTRICTED, S.ON_HOLD)],
    ids=["erased undecided", "restricted undecided", "restricted on hold"],
)
def test_the_machine_catches_a_table_that_is_broken(monkeypatch, to, slip):
    monkeypatch.setitem(ALLOWED, to, (*ALLOWED[to], slip))
    with pytest.raises(AssertionError):
        run(80)
