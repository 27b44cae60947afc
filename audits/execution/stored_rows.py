"""What a shadow model leaves, as JSON can hold it until the case closes."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from audits.core.packed import packed, unpacked
from audits.core.shadow_rows import ShadowRow
from audits.models import ShadowResult

if TYPE_CHECKING:
    from uuid import UUID


class ShadowsMissing(Exception):
    """Some scores of a look are gone."""


class SetsChanged(Exception):
    """The shadow models of an audit do not stand for the same experiment."""


CHANGED = (
    "not computed: the records that the shadow models of this audit learn, or are asked about, "
    "changed while they were trained, as some were restricted. Models of before and after cannot "
    "be compared."
)

NAMES = tuple(field.name for field in fields(ShadowRow))
PACKED = ("neighbours_before", "neighbours_after", "neighbours_retrained")
BESIDE = ("own", "engine", "drawn")  # what is stored with a row and is not of it


def as_json(row: ShadowRow) -> dict[str, Any]:
    """Return a row as JSON can hold it; margins of copies in single precision, as text."""
    return {name: _as_json(name, getattr(row, name)) for name in NAMES}


def _as_json(name: str, value: Any) -> Any:  # noqa: ANN401  (any field)
    if not isinstance(value, np.ndarray):
        return plain(value)
    return packed(value) if name in PACKED else plain(value.tolist())


def plain(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    """Return a value with null for each number that is not finite, which JSON does not have.

    As an array of floats it is read again as not a number, and the audit is invalid.
    """
    if isinstance(value, list):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def from_json(row: dict[str, Any]) -> ShadowRow:
    """Return the row that ``as_json`` wrote; rows of an earlier release have fewer fields."""
    return ShadowRow(**{n: read(n, value) for n, value in row.items() if n not in BESIDE})


def read(name: str, value: Any) -> Any:  # noqa: ANN401  (any field)
    """Return one value of a stored row, an array where it is one."""
    if isinstance(value, dict):
        return unpacked(value)
    kinds = {"canary_member": np.bool_, "neighbours_of": np.int64}
    return np.asarray(value, kinds.get(name, np.float64)) if isinstance(value, list) else value


def complete_rows(run_id: UUID, models: int, *, first: int = 0) -> list[dict[str, Any]]:
    """Return what is stored of so many shadow models of a run, by number from ``first``.

    Raises:
        ShadowsMissing: some of them were purged or never stored.
        SetsChanged: they did not all have the same twins, canaries and surrogates.
    """
    stored = ShadowResult.objects.filter(run=run_id, index__gte=first, index__lt=first + models)
    rows = [row.row for row in stored.order_by("index")]
    if len(rows) != models:
        raise ShadowsMissing(
            f"The look at run {run_id} needs {models} shadow models, and {len(rows)} are stored; "
            "a part of them is never judged."
        )
    if len({row["drawn"] for row in rows if "drawn" in row}) > 1:
        raise SetsChanged(CHANGED)
    return rows


def check_drawn(run_id: UUID, drawn: str) -> None:
    """Refuse sets that are not those of the shadow models there are; earlier releases noted none.

    Raises:
        SetsChanged: nothing that is trained on them could be judged with the others.
    """
    known = ShadowResult.objects.filter(run=run_id).values_list("row__drawn", flat=True)
    if drawn and any(one is not None and one != drawn for one in known):
        raise SetsChanged(CHANGED)
