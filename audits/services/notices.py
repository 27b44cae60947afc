"""Tell recipients, publications and deployments of a case, once, and keep what they answer.

The case does not wait for them, unless ``EXPUNGE_AWAIT_WITHDRAWAL`` says so of deployments.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.roles import Right
from audits.models import ErasureRequest, Notice, ToldWho
from audits.queries.notices import deployment_notice, others_of
from audits.services import four_eyes, log
from audits.services.notice_delivery import deliver
from audits.services.notice_links import notice_of_link
from audits.services.pacing import within_seconds
from audits.services.requests import actor_of
from audits.services.rights import require
from lineage.core.worded import worded
from lineage.models import Deployment, ModelVersion
from lineage.services import deployments

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

LEAST_REASON = 20
S = Notice.State


class NoticeRefused(Exception):
    """The notice cannot be answered like this; the sentence says why, and nothing was changed."""


def tell_of(*, request: ErasureRequest, occasion: Notice.Occasion, now: datetime) -> None:
    """Note whom a case concerns, and write to them; again, it tells nobody twice.

    At ERASED with ``Occasion.ERASED``; for a case that ends in a restriction, at RESTRICTED with
    ``Occasion.RESTRICTED`` (Art. 19 covers both). An operator's case concerns deployments only.
    """
    note_others(request=request, occasion=occasion, now=now)
    note_deployments(now=now)
    send_due(now=now, request=request)


@transaction.atomic
def note_others(*, request: ErasureRequest, occasion: Notice.Occasion, now: datetime) -> None:
    """Note that each recipient of an affected data set or version is to be told."""
    for draft in others_of(request, occasion, now):
        notice, fresh = Notice.objects.get_or_create(
            request=request,
            occasion=occasion,
            **{draft.target.lower(): draft.addressee},
            defaults={
                "versions": draft.versions,
                "datasets": draft.datasets,
                "created_at": now,
                "next_at": now,
            },
        )
        if fresh:
            _log_due(notice, now)


@transaction.atomic
def note_deployments(*, now: datetime) -> None:
    """Note that whoever runs a destroyed version, or did, is to be told; also if it comes late."""
    gone = Deployment.objects.filter(
        version__state=ModelVersion.State.DESTROYED, acknowledged_at=None, notices=None
    )
    for one in gone.select_related("version").select_for_update(of=("self",)):
        by = one.version.invalidated_by
        case = ErasureRequest.objects.filter(pk=by).first() if by else None
        notice = deployment_notice(one, case, now)
        notice.save(force_insert=True)
        _log_due(notice, now)


def _log_due(notice: Notice, now: datetime) -> None:
    addressee = str(notice.addressee.pk)
    data = {"notice": str(notice.pk), "target": notice.target, "id": addressee}
    log.append(
        type="notice_due",
        case=notice.request_id,
        now=now,
        data={**data, "occasion": notice.occasion},
    )


def send_due(*, now: datetime, request: ErasureRequest | None = None) -> int:
    """Send the notices that are due, of one case or of all; return how many were sent.

    It ends after some seconds; the next sweep goes on with the rest.
    """
    due = Notice.objects.filter(state__in=[S.DUE, S.FAILED], next_at__lte=now)
    due = due.filter(request=request) if request else due
    rows = due.select_related("request", "recipient", "publication", "deployment__version")
    paced = within_seconds(rows.order_by("created_at"), "notices")
    return sum(deliver(notice=one, now=now) for one in paced)


def acknowledge_by_link(*, token: str, now: datetime) -> Notice:
    """Note that the addressee followed the link and said that it is done. Raises LinkUnknown."""
    notice = notice_of_link(token)
    _acknowledge(notice, now, by="LINK", user=None)
    return notice


def record_acknowledgement(*, notice_id: UUID, user: User, now: datetime) -> None:
    """Note that staff were told otherwise that it is done.

    Raises:
        NotAllowed: the user may not handle cases.
        NotYourDecision: it is their own request.
        NoticeRefused: it was acknowledged before.
    """
    require(user, Right.HANDLE)
    notice = Notice.objects.get(pk=notice_id)
    _check_stranger(notice, user, "NOTE_ACKNOWLEDGED")
    if not _acknowledge(notice, now, by="STAFF", user=user):
        raise NoticeRefused(worded("This notice was acknowledged before; nothing was changed."))


def _check_stranger(notice: Notice, user: User, action: str) -> None:
    if notice.request_id:  # one of a version that was destroyed outside a case has none
        four_eyes.check_stranger_to(case_id=notice.request_id, user=user, action=action)


@transaction.atomic
def _acknowledge(notice: Notice, now: datetime, *, by: str, user: User | None) -> bool:
    this = Notice.objects.filter(pk=notice.pk).exclude(state=S.ACKNOWLEDGED)
    if not this.update(state=S.ACKNOWLEDGED, ack_at=now, decided_by=user):
        return False
    if notice.deployment_id:
        deployments.acknowledge(deployment_id=notice.deployment_id, now=now)
    log.append(
        type="notice_acknowledged",
        case=notice.request_id,
        now=now,
        actor=actor_of(user) if user else log.SYSTEM,
        data={"notice": str(notice.pk), "target": notice.target, "by": by},
    )
    return True


def acknowledge_all(
    notices: Iterable[Notice], *, by: str, user: User | None, now: datetime
) -> None:
    """Acknowledge each of these, in the transaction of the caller."""
    for notice in notices:
        _acknowledge(notice, now, by=by, user=user)


@transaction.atomic
def record_not_possible(*, notice_id: UUID, reason: str, user: User, now: datetime) -> None:
    """Note that telling somebody is impossible or takes a disproportionate effort (Art. 19).

    Raises:
        NotAllowed: the user may not handle cases.
        NotYourDecision: it is their own request.
        NoticeRefused: the reason is short, or there was an acknowledgement.
    """
    require(user, Right.HANDLE)
    notice = Notice.objects.select_for_update().get(pk=notice_id)
    _check_stranger(notice, user, "NOTE_NOT_POSSIBLE")
    text = reason.strip()
    if len(text) < LEAST_REASON:
        raise NoticeRefused(
            worded(
                "The reason has %(count)s characters; write at least %(least)s, for the "
                "record refers to it.",
                count=len(text),
                least=LEAST_REASON,
            )
        )
    if notice.state == S.ACKNOWLEDGED:
        raise NoticeRefused(worded("This notice was acknowledged before; nothing was changed."))
    notice.state, notice.reason, notice.decided_by = S.NOT_POSSIBLE, text, user
    notice.save(update_fields=["state", "reason", "decided_by"])
    digest = hashlib.sha256(text.encode()).hexdigest()
    log.append(
        type="notice_not_possible",
        case=notice.request_id,
        now=now,
        actor=actor_of(user),
        data={"notice": str(notice.pk), "target": notice.target, "reason": digest},
    )


def note_who_asked(*, case_id: UUID, asked: bool, user: User) -> None:
    """Note whether the person asked who received their data. Raises as the others."""
    require(user, Right.HANDLE)
    four_eyes.check_stranger_to(case_id=case_id, user=user, action="NOTE_WHO_ASKED")
    ToldWho.objects.update_or_create(request_id=case_id, defaults={"asked_who_received": asked})
