"""Keep the register of deployments, and log what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.letter_rules import LOCALES
from audits.core.roles import WORDS, Right
from audits.models import Notice
from audits.services import log, notices
from audits.services.requests import actor_of
from audits.services.rights import NotAllowed, has_right
from lineage.core.worded import not_among
from lineage.services import deployments
from lineage.services.deployments import DeploymentRefused

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from lineage.models import Deployment, ModelVersion

KEEPERS = (Right.OPERATE, Right.REGISTER)


def may_keep(user: User) -> bool:
    """Return whether a member of staff may keep the register of deployments."""
    return any(has_right(user, right) for right in KEEPERS)


@transaction.atomic
def register(  # noqa: PLR0913  (the fields of a deployment)
    *,
    version: ModelVersion,
    place: str,
    kind: str,
    now: datetime,
    user: User | None,
    contact: str = "",
    locale: str = "",
    note: str = "",
    reader: str = "",
) -> Deployment:
    """Note that a version runs at a place, which ends what of its model ran there.

    ``user``: none for a machine, whose key was checked and is named ``reader``.

    Raises:
        NotAllowed: the user may keep no register of deployments.
        DeploymentRefused: there are no letters in the language, or see
            ``lineage.services.deployments.register``.
    """
    _require(user)
    if locale and locale not in LOCALES:
        raise DeploymentRefused(not_among("locale", locale, LOCALES))
    made, before = deployments.register(
        version=version,
        place=place,
        kind=kind,
        contact=contact,
        locale=locale,
        note=note,
        reader=reader,
        now=now,
    )
    of = {"deployment": str(made.pk), "version": str(version.pk)}
    _log("deployment_registered", {**of, "kind": kind}, made, now, user)
    if before:
        gone = {"deployment": str(before.pk), "version": str(before.version_id)}
        switched = {**gone, "replaced_by": str(version.pk)}
        _log("deployment_switched", switched, before, now, user)
    return made


@transaction.atomic
def acknowledge(
    *, deployment_id: UUID, by: str, now: datetime, user: User | None = None, reader: str = ""
) -> Deployment:
    """Note that a version is gone from a place, as whoever runs it says; again, no change.

    ``by``: API or STAFF.

    Raises:
        NotAllowed: the user may keep no register of deployments.
        NoSuchDeployment: there is none of this id.
        DeploymentRefused: a key speaks of a place that somebody else reported.
    """
    _require(user)
    found = deployments.acknowledge(deployment_id=deployment_id, now=now, reader=reader)
    waiting = Notice.objects.filter(deployment=found).exclude(state=Notice.State.ACKNOWLEDGED)
    notices.acknowledge_all(waiting, by=by, user=user, now=now)
    gone = {"deployment": str(found.pk), "version": str(found.version_id), "by": by}
    _log("deployment_withdrawn", gone, found, now, user)
    return found


def _require(user: User | None) -> None:
    if user is not None and not may_keep(user):
        words = " or ".join(WORDS[right] for right in KEEPERS)
        raise NotAllowed(f"You may not {words}. That takes the role Model operator.")


def _log(
    type_: str, data: dict[str, str], of: Deployment, now: datetime, user: User | None
) -> None:
    log.append(
        type=type_,
        case=None,
        now=now,
        data=data,
        actor=actor_of(user) if user else log.SYSTEM,
        once=f"{type_}:{of.pk}",
    )
