"""Which versions from outside an affected one rests on, and what their suppliers say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import prefetch_related_objects

from audits.core import events
from audits.queries.limit_sentences import SUPPORTED, UNSUPPORTED
from audits.queries.told import affected_versions
from lineage.models import Run
from lineage.queries.sources import ancestry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID

    from audits.models import ErasureRequest, SupplierEvidence
    from lineage.models import ModelVersion


def is_from_outside(version: ModelVersion) -> bool:
    """Return whether nothing was captured of what a version was trained on."""
    return bool(version.generated_by.capture_level == Run.Capture.NONE)


def outside_bases(request: ErasureRequest) -> dict[ModelVersion, list[ModelVersion]]:
    """Return, for each version from outside, the affected ones that rest on it, by name.

    A version that is itself from outside rests on itself.
    """
    found: dict[ModelVersion, list[ModelVersion]] = {}
    versions = list(affected_versions(request).select_related("generated_by"))
    parents = ancestry(versions)
    for version in versions:
        for one in _ancestors(version, parents):
            if is_from_outside(one):
                found.setdefault(one, []).append(version)
    return dict(sorted(found.items(), key=lambda pair: str(pair[0])))


def supplier_limits(request: ErasureRequest) -> list[str]:
    """Return what a record must say of the models from outside that affected ones rest on."""
    bases = outside_bases(request)
    prefetch_related_objects(list(bases), "supplier_evidence")
    bare = {one: rest for one, rest in bases.items() if not one.supplier_evidence.all()}
    kept = [f"{of}: {one}" for of in bases for one in of.supplier_evidence.all()]
    found = []
    if bare:
        count = len({version.pk for rest in bare.values() for version in rest})
        found.append(UNSUPPORTED.format(count=count, names=", ".join(map(str, bare))))
    if kept:
        found.append(SUPPORTED.format(count=len(kept), names="; ".join(kept)))
    return found


def supplier_record(request: ErasureRequest) -> dict[str, Any]:
    """Return what the record says of models from outside; nothing where none is a base."""
    rows = [
        {
            "version": str(base.pk),
            "version_name": str(base),
            "rest_on_it": [str(one.pk) for one in rest],
            "evidence": [_row(one) for one in base.supplier_evidence.select_related("file")],
        }
        for base, rest in outside_bases(request).items()
    ]
    return {"base_model_evidence": rows} if rows else {}


def _row(one: SupplierEvidence) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "supplier": one.supplier,
        "dated": one.dated.isoformat(),
        "statement": one.statement,
        "sha256": one.file.sha256,
        "added_at": events.instant(one.added_at),
    }


def _ancestors(
    version: ModelVersion, parents: Mapping[UUID, list[ModelVersion]]
) -> Iterator[ModelVersion]:
    """Yield a version and all that it was made from, each once."""
    seen, left = {version.pk}, [version]
    while left:
        one = left.pop()
        yield one
        fresh = [parent for parent in parents[one.pk] if parent.pk not in seen]
        seen |= {parent.pk for parent in fresh}
        left += fresh
