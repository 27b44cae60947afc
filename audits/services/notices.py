"""Tell recipients, publications and deployments of a case, once, and keep what they answer.

The case does not wait for them, unless ``EXPUNGE_AWAIT_WITHDRAWAL`` says so of deployments.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from audits.core.roles import Right
from audits.models import ErasureRequest, Notice, Publication, Reading, ToldWho
from audits.queries import told
from audits.queries.operator_cases import operator_origin_of
from audits.services import log
from audits.services.notice_delivery import deliver
from audits.services.requests import actor_of
from audits.services.rights import require
from lineage.models import Deployment, ModelVersion
from lineage.services import deployments

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.contrib.auth.models import User

    from audits.models import Recipient

SALT = "audits.notice"
LEAST_REASON = 20
S, Occasion = Notice.State, Notice.Occasion


class NoticeRefused(Exception):
    """The notice cannot be answered like this; the sentence says why, and nothing was changed."""


class LinkUnknown(LookupError):
    """The link is none of ours."""


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
    if operator_origin_of(request.pk):
        return
    versions = {one.pk: str(one) for one in told.affected_versions(request)}
    datasets = {one.pk: str(one.name) for one in told.affected_datasets(request)}
    recipients, publications = told.recipients_of(list(versions), list(datasets))
    # Art. 17(2) speaks of erasure only.
    public = list(publications) if occasion == Occasion.ERASED else []
    concerned: list[Recipient | Publication] = [*recipients, *public]
    for one in concerned:
        had = set(one.versions.values_list("pk", flat=True)) | _fetched(one)
        data = set(one.datasets.values_list("pk", flat=True))
        what = {
            "versions": [name for pk, name in versions.items() if pk in had],
            "datasets": [name for pk, name in datasets.items() if pk in data],
        }
        _note(request, occasion, one, what, now)


def _fetched(one: Recipient | Publication) -> set[UUID]:
    """Return the versions that somebody fetched with their API keys."""
    if isinstance(one, Publication) or not one.api_reader:
        return set()
    readings = Reading.objects.filter(reader=one.api_reader)
    return set(readings.values_list("version", flat=True))


def _note(
    request: ErasureRequest,
    occasion: Notice.Occasion,
    one: Recipient | Publication,
    what: dict[str, list[str]],
    now: datetime,
) -> None:
    notice, fresh = Notice.objects.get_or_create(
        request=request,
        occasion=occasion,
        **{type(one).__name__.lower(): one},
        defaults={"created_at": now, "next_at": now, **what},
    )
    if fresh:
        _log_due(notice, one.pk, now)


@transaction.atomic
def note_deployments(*, now: datetime) -> None:
    """Note that whoever runs a destroyed version, or did, is to be told; also if it comes late."""
    gone = Deployment.objects.filter(
        version__state=ModelVersion.State.DESTROYED, acknowledged_at=None, notices=None
    )
    for one in gone.select_related("version").select_for_update(of=("self",)):
        by = one.version.invalidated_by
        case = ErasureRequest.objects.filter(pk=by).first() if by else None
        notice = Notice.objects.create(
            request=case,
            occasion=Occasion.ERASED if case else Occasion.DESTROYED,
            deployment=one,
            versions=[str(one.version)],
            created_at=now,
            next_at=now,
        )
        _log_due(notice, one.pk, now)


def _log_due(notice: Notice, addressee: UUID, now: datetime) -> None:
    data = {"notice": str(notice.pk), "target": notice.target, "id": str(addressee)}
    log.append(
        type="notice_due",
        case=notice.request_id,
        now=now,
        data={**data, "occasion": notice.occasion},
    )


def send_due(*, now: datetime, request: ErasureRequest | None = None) -> int:
    """Send the notices that are due, of one case or of all; return how many were sent."""
    due = Notice.objects.filter(state__in=[S.DUE, S.FAILED], next_at__lte=now)
    due = due.filter(request=request) if request else due
    rows = due.select_related("request", "recipient", "publication", "deployment__version")
    return sum(
        deliver(notice=one, context=_context(one), now=now) for one in rows.order_by("created_at")
    )


def _context(notice: Notice) -> dict[str, object]:
    place = notice.deployment
    return {
        "notice": notice,
        "addressee": str(notice.recipient or notice.publication or (place.place if place else "")),
        "contract": notice.recipient.contract_ref if notice.recipient else "",
        "versions": notice.versions,
        "datasets": notice.datasets,
        "deployment": place,
        "newer": _newer(place) if place else None,
        "ack_url": settings.SITE_URL + reverse("audits:acknowledge", args=[link_token(notice)]),
        "controller": settings.EXPUNGE_CONTROLLER,
        "contact": settings.EXPUNGE_CONTACT,
    }


def _newer(place: Deployment) -> ModelVersion | None:
    """Return what is in use in the place of a version, where anything is."""
    usable = ModelVersion.objects.filter(
        model_name=place.model_name, state=ModelVersion.State.ACTIVE
    )
    return usable.exclude(kind=ModelVersion.Kind.SHADOW).order_by("-version").first()


def link_token(notice: Notice) -> str:
    """Return what the link of a notice ends in; it does not expire, as the notice does not."""
    return signing.dumps(str(notice.pk), salt=SALT)


def notice_of_link(token: str) -> Notice:
    """Return the notice of a link.

    Raises:
        LinkUnknown: it is none of ours.
    """
    try:
        pk = UUID(str(signing.loads(token, salt=SALT)))
    except (signing.BadSignature, ValueError) as error:
        raise LinkUnknown("This link is not one of ours, or not all of it was opened.") from error
    found = Notice.objects.select_related("recipient", "publication", "deployment__version")
    notice = found.filter(pk=pk).first()
    if notice is None:
        raise LinkUnknown("The notice of this link is not kept any more.")
    return notice


def acknowledge_by_link(*, token: str, now: datetime) -> Notice:
    """Note that the addressee followed the link and said that it is done. Raises LinkUnknown."""
    notice = notice_of_link(token)
    _acknowledge(notice, now, by="LINK", user=None)
    return notice


def record_acknowledgement(*, notice_id: UUID, user: User, now: datetime) -> None:
    """Note that staff were told otherwise that it is done.

    Raises:
        NotAllowed: the user may not handle cases.
        NoticeRefused: it was acknowledged before.
    """
    require(user, Right.HANDLE)
    if not _acknowledge(Notice.objects.get(pk=notice_id), now, by="STAFF", user=user):
        raise NoticeRefused("This notice was acknowledged before; nothing was changed.")


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
        NoticeRefused: the reason is short, or there was an acknowledgement.
    """
    require(user, Right.HANDLE)
    text = reason.strip()
    if len(text) < LEAST_REASON:
        raise NoticeRefused(
            f"The reason has {len(text)} characters; write at least {LEAST_REASON}, for the "
            "record refers to it."
        )
    notice = Notice.objects.select_for_update().get(pk=notice_id)
    if notice.state == S.ACKNOWLEDGED:
        raise NoticeRefused("This notice was acknowledged before; nothing was changed.")
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
    """Note whether the person asked who received their data. Raises NotAllowed."""
    require(user, Right.HANDLE)
    ToldWho.objects.update_or_create(request_id=case_id, defaults={"asked_who_received": asked})
