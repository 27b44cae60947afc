"""Store and destroy artefacts: the row first knows of the file, the file goes before the row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from lineage import artifacts
from lineage.models import Artefact
from lineage.services.locking import lock_name

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from lineage.models import ModelVersion


@dataclass(frozen=True, kw_only=True)
class DestroyedArtefact:
    """An artefact that no longer exists for its version.

    ``file_removed`` is False when another artefact with the same bytes still needs the file.
    """

    id: uuid.UUID
    kind: str
    sha256: str
    file_removed: bool


def store_artefact(
    *, kind: str, data: bytes, now: datetime, version: ModelVersion | None = None
) -> Artefact:
    """Store bytes and return the row that describes them.

    Raises:
        StoreFull, StoreNotWritable: nothing was stored, and there is no row.
    """
    file = artifacts.put(data)
    with transaction.atomic():
        lock_name(file.uri)
        if not artifacts.exists(file.uri):  # destroyed with an equal one since it was put
            artifacts.put(data)
        if left := _left(kind, file.uri, version):
            return left
        return Artefact.objects.create(
            kind=kind,
            uri=file.uri,
            sha256=file.sha256,
            size=file.size,
            version=version,
            created_at=now,
        )


def _left(kind: str, uri: str, version: ModelVersion | None) -> Artefact | None:
    """Return the row of equal weights that no version has: of a try that died, as it seems.

    With a second row beside it the file would outlive its version until the sweep of a day later.
    """
    if kind != Artefact.Kind.WEIGHTS or version is not None:
        return None
    return Artefact.objects.filter(kind=kind, uri=uri, version=None, destroyed_at=None).first()


@transaction.atomic
def destroy_artefact(*, artefact: Artefact, now: datetime) -> DestroyedArtefact:
    """Destroy an artefact and read back that its file is gone; again, it changes nothing.

    The file stays while another living artefact has the same bytes.

    Raises:
        ArtefactRemains: the store did not delete the file; the row says it is still there.
    """
    lock_name(artefact.uri)
    others = Artefact.objects.filter(uri=artefact.uri, destroyed_at=None).exclude(id=artefact.id)
    if not others.exists():
        artifacts.destroy(artefact.uri)
    Artefact.objects.filter(id=artefact.id, destroyed_at=None).update(destroyed_at=now)
    return described(artefact)


def described(artefact: Artefact) -> DestroyedArtefact:
    """Return what can be said of an artefact after it was destroyed, asking the store again."""
    return DestroyedArtefact(
        id=artefact.id,
        kind=artefact.kind,
        sha256=artefact.sha256,
        file_removed=not artifacts.exists(artefact.uri),
    )
