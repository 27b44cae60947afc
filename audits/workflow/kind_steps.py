"""Steps of cases that are no plain erasure: a question to the person, a restriction that ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from audits.core.identity import AGENT_WITHOUT_MANDATE
from audits.models import ErasureRequest, Notice, ProcessingStop
from audits.queries.letter_context import answer_context
from audits.queries.mandates import until_of
from audits.services import asking, letters, notices, planning, stopping

if TYPE_CHECKING:
    from datetime import datetime

Kind = ErasureRequest.Kind


def ask(request: ErasureRequest, now: datetime) -> None:
    """Send the person the question that is open, with the page on which to answer it."""
    question = asking.question_of(request)
    if question is None:
        return
    token = asking.answer_token(question)
    agent = question.doubt == AGENT_WITHOUT_MANDATE
    letters.send_letter(
        request=request,
        code="INFO_NEEDED",
        now=now,
        context={
            "asked": question.doubt,
            **({"until": until_of(question)} if agent else {}),
            "answer_url": f"{settings.SITE_URL}/erasure/answer/{token}/",
        },
    )


def keep_restricted(request: ErasureRequest, now: datetime) -> bool:
    """Tell the person of an accepted restriction, and keep it; True once it has ended."""
    letters.send_letter(request=request, code="RESTRICTED", now=now)
    notices.tell_of(request=request, occasion=Notice.Occasion.RESTRICTED, now=now)
    if ended(request, now):
        return True
    planning.restrict_arrived(case_id=request.pk, now=now)
    return False


def turned_down(request: ErasureRequest, now: datetime) -> bool:
    """Answer a refusal at once, and end what it restricted after notice; True once it has ended.

    The period for the answer (Art. 12(3), (4)) does not wait for the end of the restriction.
    """
    if stopping.holds_back(case_id=request.pk):
        context = answer_context(request)
        letters.send_letter(request=request, code="ANSWER_REFUSED", now=now, context=context)
    return ended(request, now)


def ended(request: ErasureRequest, now: datetime) -> bool:
    """End a restriction after notice, once its end is fixed; True where nothing is restricted."""
    if not stopping.holds_back(case_id=request.pk):
        return True
    stop = ProcessingStop.objects.get(request=request)
    if stop.lift_on is None:
        return False
    if stop.notice_at is None:
        stopping.put_off(case_id=request.pk, now=now)
        stop.refresh_from_db()
        told = letters.send_letter(
            request=request,
            code="LIFT_NOTICE",
            now=now,
            context={"reason": stop.lift_reason, "lift_on": stop.lift_on},
        )
        if told:
            stopping.note_notice(case_id=request.pk, now=now)
    return stopping.lift(case_id=request.pk, now=now)
