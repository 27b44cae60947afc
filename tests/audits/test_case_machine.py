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

from audits.core.assessment import Assessed, by_code
from audits.core.identity import Check
from audits.models import ComplianceRecord, ErasureRequest, LogLeaf
from audits.services import (
    asking,
    closing,
    deciding,
    entering,
    extensions,
    holds,
    identifying,
    objections,
    planning,
    records,
    requests,
    unconfirmed,
)
from audits.services.extensions import ExtensionRefused
from audits.services.receiving import KINDS, LinkNotUsable
from audits.services.rights import give_role
from audits.services.transitions import ALLOWED, MoveNotAllowed
from lineage.models import Restriction
from tests.audits.case_invariants import (
    an_answer_takes_longer_only_once_told_in_the_first_period,
    nothing_is_erased_before_identity_and_decision,
    processing_stops_with_a_confirmed_objection,
    what_expired_says_nothing_of_anybody,
    what_is_sealed_has_an_end_that_was_reached,
)
from tests.audits.kinds import BALANCE, member
from tests.audits.world import ADA, NOW, person

if TYPE_CHECKING:
    from audits.services.requests import Received

pytestmark = pytest.mark.django_db

S = ErasureRequest.Status
PLAN: dict[str, list[str]] = {"affected": [], "not_affected": [], "unknown": [], "spaces": []}
MOST = 2
ACTIONS = [
    "confirm",
    "check",
    "ask",
    "answer",
    "take_back",
    "give_up",
    "accept",
    "refuse",
    "overrule",
]
ACTIONS += ["approve", "decide", "extend", "go_free"]
ACTIONS += ["withdraw", "restrict", "plan", "hold", "fail", "resume", "erase", "seal"]
USUAL: dict[str, str] = {
    S.INFO_ASKED: "answer",
    S.RECEIVED: "confirm",
    S.VERIFIED: "decide",
    S.ACCEPTED: "restrict",
    S.RESTRICTED: "plan",
    S.PLANNED: "erase",
}
which = st.integers(0, MOST - 1)


class Cases(RuleBasedStateMachine):
    """All that may be done to the requests of one person."""

    @initialize(steps=st.integers(0, 5), held=st.booleans())
    def begin(self, steps: int, held: bool) -> None:
        """The first request is some steps on its usual way already."""
        self.point = transaction.savepoint()
        self.officer = User.objects.get(username="Case officer")
        self.reviewer = User.objects.get(username="Reviewer")
        self.keeper = User.objects.get(username="Administrator")
        self.got: list[Received] = []
        self.held: set[Any] = set()
        self.now = NOW
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

    def some(self) -> bool:
        return bool(getattr(self, "got", ()))

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

    def _confirm(self, case: ErasureRequest) -> None:
        token = next(one.confirm_token for one in self.got if one.request.pk == case.pk)
        requests.confirm_request(token=token, now=self.now)

    def _check(self, case: ErasureRequest) -> None:
        check = Check(method="CALL_BACK", level="LOW")
        identifying.check_identity(**self.by_staff(case), check=check)

    def _ask(self, case: ErasureRequest) -> None:
        asking.ask_information(**self.by_staff(case), doubt="CLAIMS_DIFFER")

    def _answer(self, case: ErasureRequest) -> None:
        stated = [("EXTERNAL", "4711")]
        asking.receive_information(case_id=case.pk, identifiers=stated, now=self.now)

    def _take_back(self, case: ErasureRequest) -> None:
        asking.take_question_back(**self.by_staff(case))

    def _give_up(self, case: ErasureRequest) -> None:
        identifying.close_unidentified(**self.by_staff(case), reason="NOT_ENOUGH")

    def _accept(self, case: ErasureRequest) -> None:
        ground = "ART_18_1_A" if case.kind == "RESTRICTION" else "ART_17_1_B"
        deciding.accept_request(**self.by_staff(case), assessed=by_code(ground))

    def _refuse(self, case: ErasureRequest) -> None:
        deciding.refuse_request(
            **self.by_staff(case), code="ART_17_3_B", assessed=Assessed(assessment="Needed.")
        )

    def _overrule(self, case: ErasureRequest) -> None:
        objections.decide_objection(**self.by_staff(case), upheld=False, text=BALANCE)

    def _approve(self, case: ErasureRequest) -> None:
        for decision in case.decisions.filter(state="PROPOSED"):
            deciding.approve_decision(decision_id=decision.pk, user=self.reviewer, now=self.now)

    def _decide(self, case: ErasureRequest) -> None:
        if not case.decisions.filter(state="PROPOSED").exists():
            self._accept(case)
        self._approve(case)

    def _extend(self, case: ErasureRequest) -> None:
        text = "Several models learned from it."
        extensions.decide_extension(**self.by_staff(case), code="COMPLEXITY", text=text)
        extensions.send_notice(case_id=case.pk, now=self.now)

    def _withdraw(self, case: ErasureRequest) -> None:
        requests.withdraw_request(case_id=case.pk, now=self.now)

    def _restrict(self, case: ErasureRequest) -> None:
        planning.restrict_records(case_id=case.pk, now=self.now)

    def _plan(self, case: ErasureRequest) -> None:
        planning.keep_plan(case_id=case.pk, plan=PLAN, runs=[], now=self.now)

    def _hold(self, case: ErasureRequest) -> None:
        holds.place_hold(
            kind="EMAIL",
            identifier=ADA,
            basis="A claim is pending.",
            review_on=self.now.date() + timedelta(days=90),
            user=self.keeper,
            now=self.now,
        )
        if holds.hold_case(case_id=case.pk, now=self.now):
            self.held.add(case.pk)

    def _go_free(self, case: ErasureRequest) -> None:
        assert not holds.resume_held(case_id=case.pk, now=self.now)

    def _fail(self, case: ErasureRequest) -> None:
        requests.fail_case(case_id=case.pk, code="StoreFull", message="No room.", now=self.now)

    def _resume(self, case: ErasureRequest) -> None:
        requests.resume_case(**self.by_staff(case))

    def _erase(self, case: ErasureRequest) -> None:
        closing.mark_erased(case_id=case.pk, now=self.now)

    def _seal(self, case: ErasureRequest) -> None:
        records.seal_case(case_id=case.pk, now=self.now)

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
        for case in ErasureRequest.objects.select_related("stop", "clock", "extension"):
            an_answer_takes_longer_only_once_told_in_the_first_period(case)
            nothing_is_erased_before_identity_and_decision(case, told[case.pk])
            what_is_sealed_has_an_end_that_was_reached(case, facts[1])
            processing_stops_with_a_confirmed_objection(case, facts[0])
            what_expired_says_nothing_of_anybody(case)
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

    def by_staff(self, case: ErasureRequest) -> dict[str, Any]:
        return {"case_id": case.pk, "user": self.officer, "now": self.now}


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


def test_no_order_of_actions_breaks_a_case():
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
