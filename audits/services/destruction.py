"""Destroy a model version outside a case, such as by order of an authority."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.roles import Right
from audits.models import ErasureRequest
from audits.queries.cases import CLOSED
from audits.services import log, notices
from audits.services.requests import actor_of
from audits.services.rights import require
from lineage.artifacts import ArtefactMissing
from lineage.core.worded import not_among, worded
from lineage.queries.artefacts import weights_of
from lineage.queries.copies import copies_of
from lineage.services import versions
from lineage.services.artefacts import described
from unlearning.services import canaries, histories

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.contrib.auth.models import User

    from lineage.models import ModelVersion
    from lineage.services.artefacts import DestroyedArtefact


class Ground(StrEnum):
    """Why a version is destroyed."""

    AUTHORITY_ORDER = "AUTHORITY_ORDER"
    OWN_DECISION = "OWN_DECISION"
    SECURITY = "SECURITY"


GROUNDS = {
    Ground.AUTHORITY_ORDER: "An authority or a court ordered it",
    Ground.OWN_DECISION: "We decided so",
    Ground.SECURITY: "It was stolen, or gives away what it learned",
}


class DestructionRefused(Exception):
    """The version was not destroyed; the sentence says why."""


class VersionRemains(Exception):
    """Reading back still found something of a version that was to be destroyed."""


def destroy(
    *, version: ModelVersion, typed: str, ground: str, now: datetime, user: User | None
) -> int:
    """Destroy weights, checkpoints and caches of a version and its exports; return how many files.

    Each is withdrawn first, read back, and tried to be loaded; who runs one is told. What was
    fine-tuned or distilled from it stays. Again, it finishes what was begun. ``user``: none for
    whoever has a shell, who is the operator.

    Raises:
        NotAllowed: the user may not decide about models.
        DestructionRefused: the typed name is another, or an open case is at work at the version.
        VersionRemains: a file is still there, or the version can still be loaded.
    """
    if user is not None:
        require(user, Right.OPERATE)
    whole = [version, *copies_of(version)]
    _check(version, typed, ground, whole)
    gone = {one: versions.destroy_version(version=one, by_case=None, now=now) for one in whole}
    for one in whole:
        histories.forget(version=one)
    canaries.destroy_forsaken()
    for one in whole:
        # Asked again: equal bytes of a version and its export go with the second of them.
        ids = [each.id for each in gone[one]]
        _read_back(one, list(map(described, one.artefacts.filter(pk__in=ids))))
        _log(one, gone[one], ground, now, user)
    notices.note_deployments(now=now)
    notices.send_due(now=now)
    return sum(map(len, gone.values()))


def _check(version: ModelVersion, typed: str, ground: str, whole: Sequence[ModelVersion]) -> None:
    if ground not in set(Ground):
        raise DestructionRefused(not_among("ground", ground, Ground))
    if typed != str(version):
        raise DestructionRefused(
            worded(
                "Type %(version)s; %(typed)s is another name.",
                version=repr(str(version)),
                typed=repr(typed),
            )
        )
    # A case that is at work at it needs its files, or decides about it on its own page.
    at_work = ErasureRequest.objects.filter(runs__target__in=whole).exclude(status__in=CLOSED)
    if case := at_work.exclude(status=ErasureRequest.Status.ERASED).first():
        raise DestructionRefused(
            worded(
                "Case %(case)s is at work at %(version)s or an export of it; decide there "
                "what becomes of it.",
                case=case.reference,
                version=version,
            )
        )


def _read_back(version: ModelVersion, gone: list[DestroyedArtefact]) -> None:
    if kept := [one.sha256[:12] for one in gone if not one.file_removed]:
        raise VersionRemains(
            worded(
                "%(version)s is out of use, but a version that is in use has the same bytes "
                "(%(allowed)s). Destroy that one, then do it again.",
                version=version,
                allowed=", ".join(kept),
            )
        )
    try:
        weights_of(version)
    except ArtefactMissing:
        return
    raise VersionRemains(
        worded(
            "%(version)s can still be loaded. Check that the store is writable.", version=version
        )
    )


@transaction.atomic
def _log(
    version: ModelVersion,
    gone: list[DestroyedArtefact],
    ground: str,
    now: datetime,
    user: User | None,
) -> None:
    for one in gone:
        log.append(
            type="artefact_destroyed",
            case=None,
            now=now,
            data={"artefact": str(one.id), "kind": one.kind, "digest": one.sha256},
            once=f"destroyed:{one.id}",
        )
    log.append(
        type="version_destroyed",
        case=None,
        now=now,
        actor=actor_of(user) if user else log.SYSTEM,
        data={"version": str(version.pk), "ground": ground, "artefacts": len(gone)},
        once=f"destroyed-version:{version.pk}",
    )
