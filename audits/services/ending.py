"""End what a case that ends would leave open: a proposal, a clock that stands still, letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import Decision, ExtensionDecision, Letter
from audits.services import budget_waits, log, pauses

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

NOTE = "The case ended before this was approved."
# What a person who has the answer must not be told or asked any more.
POINTLESS = ("INFO_NEEDED", "EXTENSION")
UNSENT = (Letter.State.WAITING, Letter.State.FAILED, Letter.State.TO_POST)


def end_open(*, case_id: UUID, now: datetime, actor: str) -> None:
    """Send back what is proposed, let the clock go on, drop what waits; within a transaction."""
    for decision in Decision.objects.filter(request_id=case_id, state=Decision.State.PROPOSED):
        decision.state, decision.return_note = Decision.State.RETURNED, NOTE
        decision.save(update_fields=["state", "return_note"])
        data = {"decision": str(decision.pk), "kind": str(decision.kind)}
        log.append(type="decision_returned", case=case_id, now=now, actor=actor, data=data)
    pauses.end_pause(case_id=case_id, now=now, actor=actor)
    budget_waits.end_waits(case_id=case_id, now=now)
    _lapse(case_id, now)
    waiting = Letter.objects.filter(request_id=case_id, code__in=POINTLESS, state__in=UNSENT)
    waiting.update(state=Letter.State.DROPPED, next_try_at=None, content=b"")


def _lapse(case_id: UUID, now: datetime) -> None:
    """End an extension of which the person was not told: the answer is there."""
    letters = Letter.objects.filter(request_id=case_id, code="EXTENSION")
    if letters.exclude(sent_at=None).exists():
        return  # what was told counts
    waiting = ExtensionDecision.objects.filter(pk=case_id, notice_sent_at=None, lapsed_at=None)
    if waiting.update(lapsed_at=now):
        due_on = ExtensionDecision.objects.get(pk=case_id).request.due_on
        log.append(type="extension_lapsed", case=case_id, now=now, data={"due_on": due_on})
