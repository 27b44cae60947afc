"""Stored files of the platform, verified whenever they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage import artifacts
from lineage.core.worded import worded
from lineage.models import Artefact

if TYPE_CHECKING:
    from lineage.models import ModelVersion


def read_artefact(artefact: Artefact) -> bytes:
    """Return the bytes of an artefact.

    Raises:
        ArtefactMissing: it was destroyed, or its file is gone.
        ArtefactAltered: its file holds other bytes.
    """
    if artefact.destroyed_at is not None:
        raise artifacts.ArtefactMissing(
            worded(
                "The artefact %(artefact)s was destroyed on %(day)s.",
                artefact=artefact,
                day=f"{artefact.destroyed_at:%Y-%m-%d}",
            )
        )
    return artifacts.read(artefact.uri, artefact.sha256)


def weights_of(version: ModelVersion) -> bytes:
    """Return the weights of a version as safetensors bytes. Raises as ``read_artefact``."""
    newest = _weights(version)
    if newest is None:
        raise artifacts.ArtefactMissing(
            worded("The version %(version)s has no stored weights.", version=version)
        )
    return read_artefact(newest)


def digest_of_weights(version: ModelVersion) -> str:
    """Return the SHA-256 of the weights of a version in hex, "" where none were stored."""
    newest = _weights(version)
    return newest.sha256 if newest else ""


def _weights(version: ModelVersion) -> Artefact | None:
    return version.artefacts.filter(kind=Artefact.Kind.WEIGHTS).order_by("created_at").last()
