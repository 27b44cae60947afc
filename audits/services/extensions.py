"""Take longer than the first limit: once, with a reason, and only if the person is told in time.

Deciding changes no due date. The notice is a letter; once it is sent the new date counts. Where
the first limit passes before that, the extension lapses and the old date stays. A notice on paper
counts from the day of posting, which staff may record later: it undoes a lapse.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from audits.core.roles import Right
from audits.models import CaseClock, ErasureRequest, ExtensionDecision, Letter
from audits.queries import clocks
from audits.queries.extending import NOTICE, why_not
from audits.services import four_eyes, letter_delivery, letters, log
from audits.services.actors import actor_of
from audits.services.clocks import settle
from audits.services.rights import require
from lineage.core.worded import not_among, worded

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from django.contrib.auth.models import User

LEAST_REASON = 20
# So long after the first limit staff may still record that they posted the notice before it.
GRACE = timedelta(days=7)


class ExtensionRefused(Exception):
    """The answer must not take longer; the sentence says why, and nothing was changed."""


class ExtensionUnexplained(ExtensionRefused):
    """The reason that the person is told says too little."""


@transaction.atomic
def decide_extension(
    *, case_id: UUID, code: str, text: str, user: User, now: datetime
) -> ExtensionDecision:
    """Record that an answer takes longer, and why. The due date stays until the notice is sent.

    Raises:
        NotAllowed: the user may not handle cases.
        NotYourDecision: it is their own request.
        ExtensionUnexplained: the text says too little.
        ExtensionRefused: the reason is none, or the case cannot be extended any more.
    """
    require(user, Right.HANDLE)
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    four_eyes.check_stranger(request=request, user=user, action="EXTEND")
    if code not in ExtensionDecision.Reason.values:
        allowed = ", ".join(ExtensionDecision.Reason.values)
        raise ExtensionRefused(not_among("code", code, allowed))
    if len(text.strip()) < LEAST_REASON:
        raise ExtensionUnexplained(
            worded(
                "The reason has %(count)s characters; write at least %(least)s, for the "
                "person is told it.",
                count=len(text.strip()),
                least=LEAST_REASON,
            )
        )
    if refusal := why_not(request, now):
        raise ExtensionRefused(refusal)
    decision = ExtensionDecision.objects.create(
        request=request,
        reason_code=code,
        reason_text=text.strip(),
        decided_by=user,
        decided_at=now,
        new_due=_new_due(request),
    )
    log.append(
        type="extension_decided",
        case=case_id,
        now=now,
        actor=actor_of(user),
        data={"reason": code, "due_on": decision.new_due},
    )
    return decision


def send_notice(*, case_id: UUID, now: datetime) -> bool:
    """Tell the person that their answer takes longer; return whether the new date counts now.

    A failure of the mail server leaves the due date as it is and can be tried again.
    """
    decision = ExtensionDecision.objects.select_related("request").filter(pk=case_id).first()
    if decision is None:
        return False
    if decision.notice_sent_at:
        return True
    if _sent_at(decision) is None:
        if decision.lapsed_at or _lapse_if_late(case_id=case_id, now=now):
            return False
        new_due = _new_due(decision.request)
        ExtensionDecision.objects.filter(pk=case_id).update(new_due=new_due)
        letters.send_letter(
            request=decision.request,
            code=NOTICE,
            now=now,
            context={"reason": decision.reason_text, "new_due": new_due},
        )
    return _apply(case_id=case_id, now=now)


def retry_notice(*, case_id: UUID, user: User, now: datetime) -> bool:
    """Try the notice again for a member of staff; return whether the new date counts now.

    Raises:
        NotAllowed: the user may not handle cases.
        NotYourDecision: it is their own request.
    """
    require(user, Right.HANDLE)
    four_eyes.check_stranger_to(case_id=case_id, user=user, action="TELL_OF_EXTENSION")
    for letter in Letter.objects.filter(request_id=case_id, code=NOTICE):
        letter_delivery.try_again(letter=letter, now=now)
    return send_notice(case_id=case_id, now=now)


def settle_extensions(*, now: datetime) -> int:
    """Apply each notice that was sent, and end each extension whose notice came too late.

    Return how many were settled.
    """
    sent = Letter.objects.filter(code=NOTICE).exclude(sent_at=None).values("request")
    open_ = ExtensionDecision.objects.filter(Q(lapsed_at=None) | Q(pk__in=sent))
    ids = list(open_.filter(notice_sent_at=None).values_list("pk", flat=True))
    return sum(
        _apply(case_id=case_id, now=now) or _lapse_if_late(case_id=case_id, now=now)
        for case_id in ids
    )


@transaction.atomic
def _apply(*, case_id: UUID, now: datetime) -> bool:
    """Let the new date count if the notice was sent in time, also where that was said too late."""
    decision = ExtensionDecision.objects.select_for_update().get(pk=case_id)
    sent_at = _sent_at(decision)
    if decision.notice_sent_at or sent_at is None:
        return decision.notice_sent_at is not None
    clock = CaseClock.objects.get(pk=case_id)
    previous = ErasureRequest.objects.get(pk=case_id).due_on
    if clocks.place().local_date(sent_at) > clocks.first_limit(clock):
        return False
    decision.notice_sent_at, decision.lapsed_at = sent_at, None
    decision.save(update_fields=["notice_sent_at", "lapsed_at"])
    due_on = settle(case_id=case_id)
    data = {"previous": previous, "due_on": due_on}
    log.append(type="deadline_extended", case=case_id, now=now, data=data)
    return True


@transaction.atomic
def _lapse_if_late(*, case_id: UUID, now: datetime) -> bool:
    decision = ExtensionDecision.objects.select_for_update().get(pk=case_id)
    last = clocks.first_limit(CaseClock.objects.get(pk=case_id))
    last_day = last + GRACE if _lies_to_post(case_id) else last
    if decision.notice_sent_at or decision.lapsed_at or clocks.today(now) <= last_day:
        return False
    decision.lapsed_at = now
    decision.save(update_fields=["lapsed_at"])
    log.append(type="extension_lapsed", case=case_id, now=now, data={"due_on": last})
    return True


def _lies_to_post(case_id: UUID) -> bool:
    letters = Letter.objects.filter(request=case_id, code=NOTICE)
    return letters.filter(state=Letter.State.TO_POST).exists()


def _sent_at(decision: ExtensionDecision) -> datetime | None:
    letter = Letter.objects.filter(request_id=decision.pk, code=NOTICE).first()
    return letter.sent_at if letter else None


def _new_due(request: ErasureRequest) -> date:
    """Return when the extended answer is due. Raises ExtensionRefused where the law has none."""
    new_due = clocks.extended_limit(CaseClock.objects.get(request=request))
    if new_due is None:
        raise ExtensionRefused(
            worded("The law knows no extension for %(case)s.", case=request.reference)
        )
    return new_due
