"""End the retention of a closed case: forget whose it was, and destroy its key.

Every step may be taken again after a crash and finds what is done already.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.roles import Right
from audits.models import CaseRetention, ErasureRequest, LegalHold
from audits.models.case_secrets import key_name
from audits.queries import retention
from audits.queries.cases import OVER
from audits.queries.clocks import today
from audits.queries.policy_values import in_force
from audits.services import four_eyes, keeping, log, rights
from audits.services.actors import actor_of
from audits.services.forgetting_cases import forget_case
from lineage import keys
from lineage.core.worded import long_day, not_among, worded, worded_of

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User

Longer = CaseRetention.Longer


class NotKept(ValueError):
    """A case cannot be kept longer; the sentence says why."""


def destroy_due(*, now: datetime) -> int:
    """Destroy the identity of every case whose time is over; return how many.

    A legal hold on the person postpones it, as do records that an exception
    keeps. Legal holds that were released as long ago go too.
    """
    _note_missing()
    waiting = [kept.pk for kept in retention.due(today(now))]
    count = sum(_destroy_if_due(case_id, now) for case_id in waiting)
    LegalHold.objects.exclude(digest="").filter(
        released_at__lte=now - timedelta(days=in_force("CASE_DAYS"))
    ).delete()
    return count


@transaction.atomic
def destroy_identity(*, case_id: UUID, now: datetime) -> None:
    """Forget whose a closed case was, and destroy its key, whether or not its time has come.

    The key goes last, and before the transaction ends: the log never says of a key that is still
    there that it was destroyed. If the commit fails, the next try finds the key gone.
    """
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    forget_case(request=request)
    CaseRetention.objects.filter(request=request).update(person=b"", key_destroyed_at=now)
    log.append(type="case_key_destroyed", case=case_id, now=now, once=f"case key:{case_id}")
    keys.destroy(key_name(case_id))


def destroy_again() -> int:
    """Destroy keys that a restored key store brought back; return how many. Nothing is logged."""
    gone = retention.destroyed().values_list("pk", flat=True)
    back = keys.get_many(key_name(case_id) for case_id in gone)
    for name in back:
        keys.destroy(name)
    return len(back)


@transaction.atomic
def keep_longer(*, case_id: UUID, until: date, reason: str, user: User, now: datetime) -> None:
    """Keep a closed case until a later day, because of a complaint or a proceeding.

    Args:
        case_id: a closed case whose key is not destroyed.
        until: the day on which its identity goes instead; it may be changed again.
        reason: one of ``CaseRetention.Longer``.
        user: an administrator.
        now: when.

    Raises:
        NotAllowed: the member of staff may not administer.
        NotYourDecision: it is their own request.
        NotKept: the case is open, or its identity is destroyed; the reason or the day is wrong.
    """
    rights.require(user, Right.ADMINISTER)
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    four_eyes.check_stranger(request=request, user=user, action="KEEP_LONGER")
    if reason not in Longer.values:
        raise NotKept(not_among("reason", reason, Longer.values))
    kept = retention.retention_of(request)
    if kept is None:
        raise NotKept(
            worded(
                "Case %(case)s is open; only closed cases are kept until a day.",
                case=request.reference,
            )
        )
    if kept.key_destroyed_at:
        raise NotKept(
            worded(
                "The identity in case %(case)s was destroyed on %(day)s; nothing is left to keep.",
                case=request.reference,
                day=long_day(kept.key_destroyed_at),
            )
        )
    if until <= max(kept.until, today(now)):
        raise NotKept(
            worded_of(
                "until",
                "It is %(until)s; it must be after %(latest)s, or the case is not kept longer.",
                until=until,
                latest=max(kept.until, today(now)),
            )
        )
    CaseRetention.objects.filter(pk=kept.pk).update(
        longer_until=until, longer_reason=reason, longer_by=user
    )
    data = {"until": until, "reason": reason}
    log.append(type="case_kept_longer", case=case_id, now=now, actor=actor_of(user), data=data)


@transaction.atomic
def _destroy_if_due(case_id: UUID, now: datetime) -> bool:
    ErasureRequest.objects.select_for_update().get(pk=case_id)  # whoever keeps it longer waits
    still = retention.due(today(now)).filter(pk=case_id).first()
    if still is None or retention.why_kept(still.request):
        return False
    destroy_identity(case_id=case_id, now=now)
    return True


def _note_missing() -> None:
    """Say of cases that an earlier release closed until when they are kept."""
    closed = ErasureRequest.objects.filter(status__in=OVER, retention=None)
    for request in closed.exclude(outcome=ErasureRequest.Outcome.OPEN):
        at = request.sealed_at or request.received_at
        keeping.note_closing(case_id=request.pk, now=at)
