"""Whom a case concerns besides its person, whether they were told, and what they answered."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from audits.core import events
from audits.models import Notice, Publication, Reading, Recipient, ToldWho
from audits.queries.beside import beside
from audits.queries.forget_sets import forget_set
from audits.queries.operator_cases import operator_origin_of
from audits.queries.policy_values import in_force
from lineage.models import Dataset, Deployment, ModelVersion

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from audits.models import ErasureRequest

_State = ModelVersion.State
OUT_OF_USE = (_State.WITHDRAWN, _State.QUARANTINED, _State.DESTROYED)
ANSWERED = (Notice.State.ACKNOWLEDGED, Notice.State.NOT_POSSIBLE)


def affected_versions(request: ErasureRequest) -> QuerySet[ModelVersion]:
    """Return the versions that learned from the records, and what stood in for one of them."""
    planned = [row["version"] for row in request.plan.get("affected", [])]
    runs = request.runs.all()
    return ModelVersion.objects.filter(
        Q(pk__in=planned)
        | Q(pk__in=runs.values("target"))
        | Q(pk__in=runs.exclude(interim=None).values("interim"))
    ).order_by("model_name", "version")


def affected_datasets(request: ErasureRequest) -> QuerySet[Dataset]:
    """Return the data sets in which the records are, or were."""
    spaces = [space.pk for space in forget_set(request.pk)]
    return Dataset.objects.filter(space__in=spaces).order_by("name")


def recipients_of(
    versions: Collection[UUID], datasets: Collection[UUID]
) -> tuple[QuerySet[Recipient], QuerySet[Publication]]:
    """Return the active recipients and publications of any of these versions or data sets.

    A version that was fetched with API keys of a name counts as received by who has that name.
    """
    received = Q(versions__in=versions) | Q(datasets__in=datasets)
    readers = Reading.objects.filter(version__in=versions).values("reader")
    fetched = Q(api_reader__in=readers) & ~Q(api_reader="")
    told = Recipient.objects.filter(received | fetched, active=True)
    public = Publication.objects.filter(received, active=True)
    return told.order_by("name").distinct(), public.order_by("address").distinct()


def deployments_of(request: ErasureRequest) -> QuerySet[Deployment]:
    """Return where the affected versions run or ran."""
    found = Deployment.objects.filter(version__in=affected_versions(request))
    return found.select_related("version", "replaced_by").order_by("place", "deployed_at")


def still_deployed(request: ErasureRequest) -> list[Deployment]:
    """Return the open deployments of versions of a case that are out of use."""
    found = deployments_of(request).filter(switched_at=None, withdrawn_at=None)
    return list(found.filter(version__state__in=OUT_OF_USE))


def not_acknowledged(request: ErasureRequest) -> QuerySet[Deployment]:
    """Return the deployments of versions that are out of use which nobody said are gone."""
    return deployments_of(request).filter(version__state__in=OUT_OF_USE, acknowledged_at=None)


def awaited(request: ErasureRequest) -> list[Deployment]:
    """Return those for which a case waits, if it does: not those that staff gave a reason for."""
    if not in_force("AWAIT_WITHDRAWAL"):
        return []
    excused = Notice.objects.filter(state=Notice.State.NOT_POSSIBLE).exclude(deployment=None)
    return list(not_acknowledged(request).exclude(pk__in=excused.values("deployment")))


def notices_of(request: ErasureRequest) -> list[Notice]:
    """Return who is told of a case, the recipients first."""
    found = request.notices.select_related(
        "recipient", "publication", "deployment__version", "decided_by"
    )
    order = {"RECIPIENT": 0, "PUBLICATION": 1, "DEPLOYMENT": 2}
    return sorted(found, key=lambda one: (order[one.target], str(one.addressee), one.created_at))


def unregistered_readers(versions: Collection[UUID] | None = None) -> list[str]:
    """Return who fetched versions over the API and stands in no register, by name of keys."""
    known = Recipient.objects.exclude(api_reader="").values("api_reader")
    readings = Reading.objects.exclude(reader__in=known)
    if versions is not None:
        readings = readings.filter(version__in=versions)
    return sorted(set(readings.values_list("reader", flat=True)))


def asked_who(request: ErasureRequest) -> bool:
    """Return whether the person asked who received their data."""
    found: ToldWho | None = beside(request, "told_who")
    return bool(found and found.asked_who_received)


def who_received(request: ErasureRequest) -> list[str]:
    """Return the recipients by name for a person who asked, else nobody (Art. 19)."""
    if not asked_who(request):
        return []
    return [str(one.addressee) for one in notices_of(request) if one.target != "DEPLOYMENT"]


def told_record(request: ErasureRequest) -> dict[str, Any]:
    """Return what the record says of others: ids, roles, places and times; nothing where none."""
    deployed = [_deployment(one) for one in deployments_of(request)]
    notices = [one for one in notices_of(request) if one.target != "DEPLOYMENT"]
    told = [_notice(one) for one in notices]
    if not (deployed or told):
        return {}
    versions = [one.pk for one in affected_versions(request)]
    return {
        "told": {
            "notices": told,
            "deployments": deployed,
            "not_acknowledged": [
                *(_name(one) for one in notices if one.state not in ANSWERED),
                *(str(one) for one in not_acknowledged(request)),
            ],
            "readers_in_no_register": (
                0 if operator_origin_of(request.pk) else len(unregistered_readers(versions))
            ),
        }
    }


def _name(notice: Notice) -> str:
    """Return a recipient by id, as who it is may be personal."""
    return f"{notice.target} {notice.recipient_id or notice.publication_id}"


def _notice(one: Notice) -> dict[str, Any]:
    recipient = one.recipient
    return {
        "notice": str(one.pk),
        "target": one.target,
        "id": str(one.recipient_id or one.publication_id),
        "role": recipient.role if recipient else "PUBLICATION",
        "contract": bool(recipient and recipient.contract_ref),
        "occasion": one.occasion,
        "versions": one.versions,
        "datasets": one.datasets,
        "state": one.state,
        "sent_at": _moment(one.sent_at),
        "acknowledged_at": _moment(one.ack_at),
        "reason_digest": _digest(one.reason),
    }


def _deployment(one: Deployment) -> dict[str, Any]:
    return {
        "deployment": str(one.pk),
        "version": str(one.version_id),
        "version_name": str(one.version),
        "place": one.place,
        "kind": one.kind,
        "deployed_at": _moment(one.deployed_at),
        "switched_at": _moment(one.switched_at),
        "replaced_by": str(one.replaced_by_id) if one.replaced_by_id else None,
        "withdrawn_at": _moment(one.withdrawn_at),
        "acknowledged_at": _moment(one.acknowledged_at),
        "open": one.is_open,
        "reason_digest": _reason(one),
    }


def _reason(one: Deployment) -> str | None:
    given = one.notices.filter(state=Notice.State.NOT_POSSIBLE).first()
    return _digest(given.reason) if given else None


def _digest(text: str) -> str | None:
    return hashlib.sha256(text.encode()).hexdigest() if text else None


def _moment(at: datetime | None) -> str | None:
    return None if at is None else events.instant(at)
