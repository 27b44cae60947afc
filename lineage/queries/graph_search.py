"""Where to begin in the graph: versions, data sets and people by what somebody typed."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q

from lineage.models import Dataset, DataSubject, ModelVersion

MOST = 20  # of each kind


@dataclass(frozen=True, kw_only=True)
class Found:
    """The first of each kind; ``more`` says that there are others."""

    versions: tuple[ModelVersion, ...]
    datasets: tuple[Dataset, ...]
    people: tuple[DataSubject, ...] = ()
    more: bool = False


def search(words: str) -> Found:
    """Return versions and data sets by a part of the name or their id, people by pseudonym alone.

    Nobody is found by a name or an address: those are not for this page. No words find the newest
    versions, and the data sets.
    """
    exact = _uuid(words)
    versions = Q(model_name__icontains=words) | Q(external_id=words)
    datasets = Q(name__icontains=words) | Q(namespace__icontains=words)
    if name_and_number := _numbered(words):
        name, number = name_and_number
        versions |= Q(model_name__iexact=name, version=number)
    if exact:
        versions, datasets = Q(pk=exact), Q(pk=exact) | Q(snapshots__pk=exact)
    found_versions = list(
        ModelVersion.objects.filter(versions)
        .exclude(kind=ModelVersion.Kind.SHADOW)
        .select_related("generated_by")
        .order_by("-generated_at", "model_name", "-version")[: MOST + 1]
    )
    found_datasets = list(
        Dataset.objects.filter(datasets)
        .annotate(taken=Count("snapshots"))
        .filter(taken__gt=0)
        .order_by("namespace", "name")[: MOST + 1]
    )
    people = DataSubject.objects.filter(pseudonym=exact) if exact else ()
    return Found(
        versions=tuple(found_versions[:MOST]),
        datasets=tuple(found_datasets[:MOST]),
        people=tuple(people),
        more=max(len(found_versions), len(found_datasets)) > MOST,
    )


def _numbered(words: str) -> tuple[str, int] | None:
    """Return the name and the number of ``classifier v3``."""
    name, _, number = words.rpartition(" v")
    return (name, int(number)) if name and number.isascii() and number.isdigit() else None


def _uuid(words: str) -> UUID | None:
    try:
        return UUID(words)
    except ValueError:
        return None
