"""The procedure for requests, in words, as this installation is configured to follow it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from audits.core.case_retention import days_of
from audits.core.role_page import ACTIONS
from audits.models import ErasureRequest
from audits.queries.clocks import regime
from audits.queries.policy_values import in_force
from audits.services.transitions import ALLOWED, SEALED_AS

if TYPE_CHECKING:
    from audits.core.regimes import Period

S, Outcome = ErasureRequest.Status, ErasureRequest.Outcome
STOPPED = (S.ON_HOLD, S.FAILED)  # until the hold is released, or somebody tries again
SECOND_PERSON = {
    "ALWAYS": "Every decision of one person is approved by another.",
    "REFUSALS": "A refusal of one person is approved by another; one person is enough to accept.",
    "NEVER": "One person is enough, but not to refuse a request as unfounded or excessive.",
}


def procedure_text() -> str:
    """Return the procedure as Markdown: limits, states, who acts, how long cases are kept."""
    parts = (
        ["# Procedure for requests", f"Of {in_force('CONTROLLER')}."],
        ["## By when", *_limits()],
        ["## States of a case", *_states()],
        ["## Who may do what", SECOND_PERSON[settings.EXPUNGE_SECOND_PERSON], *_actions()],
        ["## How long a closed case is kept", *_kept()],
    )
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _limits() -> list[str]:
    law = regime()
    said = [f"* The answer is due {_period(law.first)} after receipt ({law.source})."]
    if law.extended:
        said.append(f"* Extended once, with a reason, to {_period(law.extended)} after receipt.")
    if law.acknowledge:
        said.append(f"* Receipt is confirmed within {law.acknowledge} working days.")
    said.append(f"* A link to confirm works for {in_force('CONFIRM_HOURS')} hours.")
    return said


def _period(period: Period) -> str:
    unit = period.unit.value.lower()
    return f"1 {unit.removesuffix('s')}" if period.count == 1 else f"{period.count} {unit}"


def _states() -> list[str]:
    lines = ["| from | to |", "|---|---|"]
    for state in S:
        after = [S(to).label for to, before in ALLOWED.items() if state in before]
        only = ", ".join(str(Outcome(one).label) for one in SEALED_AS.get(state, ()))
        sealed = f" (sealed only as: {only})" if only else ""
        end = "where it was" if state in STOPPED else "the end"
        lines.append(f"| {state.label} | {'; '.join(after) or end}{sealed} |")
    return lines


def _actions() -> list[str]:
    return [f"* {', '.join(one.roles)}: {one.words}." for one in ACTIONS.values()]


def _kept() -> list[str]:
    default, own = in_force("CASE_DAYS"), in_force("CASE_DAYS_BY_OUTCOME")
    found = [one for one in Outcome if one != Outcome.OPEN]
    return [
        f"* {one.label}: {days_of(one, default=default, by_outcome=own)} days." for one in found
    ]
