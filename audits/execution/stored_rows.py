"""What a shadow model leaves, as JSON can hold it until the case closes."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

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
BESIDE = ("own", "engine", "drawn")  # what is stored with a row and is not of it


def as_json(row: ShadowRow) -> dict[str, Any]:
    """Return a row as JSON can hold it."""
    values = {name: getattr(row, name) for name in NAMES}
    return {
        name: plain(value.tolist() if isinstance(value, np.ndarray) else value)
        for name, value in values.items()
    }


def plain(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    """Return a value with null for each number that is not finite, which JSON does not have.

    As an array of floats it is read again as not a number, and the audit is invalid.
    """
    if isinstance(value, list):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def from_json(row: dict[str, Any]) -> ShadowRow:
    """Return the row that ``as_json`` wrote; rows of an earlier release have fewer fields."""
    kinds = {"canary_member": np.bool_}
    values: dict[str, Any] = {
        name: np.asarray(value, kinds.get(name, np.float64)) if isinstance(value, list) else value
        for name, value in row.items()
        if name not in BESIDE
    }
    return ShadowRow(**values)


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
