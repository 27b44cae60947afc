"""What may be tried on a case, as the people or the worker do it; most of it is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from audits.core.assessment import Assessed, by_code
from audits.core.identity import Check
from audits.models import Letter
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
)
from tests.audits.kinds import BALANCE
from tests.audits.world import ADA

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User

    from audits.models import ErasureRequest
    from audits.services.receiving import Received

PLAN: dict[str, list[str]] = {"affected": [], "not_affected": [], "unknown": [], "spaces": []}
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


class Actions:
    """One method per name in ``ACTIONS``."""

    officer: User
    reviewer: User
    keeper: User
    got: list[Received]
    held: set[Any]
    now: datetime

    def by_staff(self, case: ErasureRequest) -> dict[str, Any]:
        return {"case_id": case.pk, "user": self.officer, "now": self.now}

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

    def _ask_mandate(self, case: ErasureRequest) -> None:
        asking.ask_information(**self.by_staff(case), doubt="AGENT_WITHOUT_MANDATE")
        gone = {"state": Letter.State.SENT, "created_at": self.now, "sent_at": self.now}
        Letter.objects.create(request=case, code="INFO_NEEDED", **gone)

    def _no_mandate(self, case: ErasureRequest) -> None:
        identifying.close_unidentified(**self.by_staff(case), reason="NO_MANDATE")

    def _mandate(self, case: ErasureRequest) -> None:
        entering.see_mandate(**self.by_staff(case), digest="")

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
