"""Versions as those see them who serve them; shadow models are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.models import ModelVersion

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet


class VersionNotHere(LookupError):
    """There is no such model, or no version of it in use."""


def version_of(version_id: UUID) -> ModelVersion:
    """Return a version, whatever its state. Raises VersionNotHere."""
    found = _servable().filter(pk=version_id).first()
    if found is None:
        raise VersionNotHere(f"Not here: the model version {version_id}.")
    return found


def newest_version(name: str) -> ModelVersion:
    """Return the newest version of a model that is in use. Raises VersionNotHere."""
    usable = _servable().filter(model_name=name, state=ModelVersion.State.ACTIVE)
    found = usable.order_by("-version").first()
    if found is None:
        raise VersionNotHere(f"Not here: a version of {name} that is in use.")
    return found


def _servable() -> QuerySet[ModelVersion]:
    return ModelVersion.objects.filter(kind=ModelVersion.Kind.MODEL)
