"""Keep the register of deployments: a version runs at a place, gives way to another, is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from lineage.core.worded import not_among, worded, worded_of
from lineage.models import Deployment, ModelVersion

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

_MOST = 200
_NOTE = 500
_CONTACT = 254


class DeploymentRefused(ValueError):
    """The deployment cannot be registered; the sentence says why."""


class NoSuchDeployment(LookupError):
    """There is no deployment of this id."""


@transaction.atomic
def register(  # noqa: PLR0913  (the fields of a deployment)
    *,
    version: ModelVersion,
    place: str,
    kind: str,
    now: datetime,
    contact: str = "",
    locale: str = "",
    note: str = "",
    reader: str = "",
) -> tuple[Deployment, Deployment | None]:
    """Note that a version runs at a place; return that, and what it took the place of.

    Said again of a version that runs there already, it changes nothing. A version that is out of
    use is noted all the same: that it runs somewhere is what the register is for. ``reader`` is
    the name of the API key that says so, and empty for staff.

    Raises:
        DeploymentRefused: no place, an unknown kind, a contact that is no e-mail address, a
            shadow model, or a key that speaks of a place that somebody else reported.
    """
    place = " ".join(place.split())
    contact = contact.strip()
    _check(version, place, kind, note)
    _check_contact(contact)
    # The rows of the model in one order: two reports about one place come one after the other.
    list(ModelVersion.objects.select_for_update().filter(model_name=version.model_name))
    at = Deployment.objects.filter(
        model_name=version.model_name, place=place, switched_at=None, withdrawn_at=None
    )
    before = at.first()
    if before:
        _check_reader(before, reader)
    if before and before.version_id == version.pk:
        return before, None
    at.update(switched_at=now, replaced_by=version)
    made = Deployment.objects.create(
        version=version,
        model_name=version.model_name,
        place=place,
        kind=kind,
        contact=contact or (before.contact if before else ""),
        locale=locale or (before.locale if before else ""),
        deployed_at=now,
        note=note,
        reader=reader or (before.reader if before else ""),
    )
    if before:
        before.refresh_from_db()
    return made, before


def _check_reader(of: Deployment, reader: str) -> None:
    """Let a machine speak only of places that keys of its name reported. Staff may of each."""
    if reader and reader != of.reader:
        raise DeploymentRefused(
            worded(
                "%(of)s was not reported with a key named %(reader)s; staff can say what "
                "changed there.",
                of=of,
                reader=reader,
            )
        )


def _check(version: ModelVersion, place: str, kind: str, note: str) -> None:
    if not 0 < len(place) <= _MOST:
        raise DeploymentRefused(
            worded_of(
                "place",
                "It has %(count)s characters; it must have between 1 and %(most)s.",
                count=len(place),
                most=_MOST,
            )
        )
    if kind not in Deployment.Kind.values:
        allowed = ", ".join(Deployment.Kind.values)
        raise DeploymentRefused(not_among("kind", kind, allowed))
    if len(note) > _NOTE:
        raise DeploymentRefused(
            worded_of(
                "note",
                "It has %(count)s characters; at most %(most)s are allowed.",
                count=len(note),
                most=_NOTE,
            )
        )
    if version.kind == ModelVersion.Kind.SHADOW:
        raise DeploymentRefused(
            worded("%(version)s is a shadow model, which is never deployed.", version=version)
        )


def _check_contact(contact: str) -> None:
    try:
        if contact:
            validate_email(contact)
        usable = len(contact) <= _CONTACT
    except ValidationError:
        usable = False
    if not usable:
        raise DeploymentRefused(
            worded_of(
                "contact",
                "It has %(count)s characters and is no e-mail address; allowed is one of at "
                "most %(most)s characters, or nothing.",
                count=len(contact),
                most=_CONTACT,
            )
        )


@transaction.atomic
def acknowledge(*, deployment_id: UUID, now: datetime, reader: str = "") -> Deployment:
    """Note that whoever runs the place says that the version is gone there; again, no change.

    Raises:
        NoSuchDeployment: there is none of this id.
        DeploymentRefused: a key speaks of a place that somebody else reported.
    """
    this = Deployment.objects.filter(pk=deployment_id)
    found = this.select_related("version").first()
    if found is None:
        raise NoSuchDeployment(
            worded("There is no deployment %(deployment_id)s.", deployment_id=deployment_id)
        )
    _check_reader(found, reader)
    this.filter(switched_at=None, withdrawn_at=None).update(withdrawn_at=now)
    this.update(acknowledged_at=Coalesce(F("acknowledged_at"), now))
    found.refresh_from_db()
    return found
