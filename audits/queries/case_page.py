"""What the pages of a case show besides the case itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pyroaring import BitMap

from audits.core import events
from audits.models import DuplicateFinding, ErasureRequest, Evidence, LogLeaf
from audits.queries.case_file import ordered_runs
from audits.queries.case_work import pending_duplicates
from audits.queries.evidence import judged_runs
from audits.queries.operator_cases import origin_of
from lineage.models import DataRecord, ModelVersion
from lineage.queries.contents import targets_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from audits.queries.evidence import Judged
    from lineage.models import OrdinalSpace
    from unlearning.models import UnlearningRun


OWNERS = {
    "nobody": "Nobody on record",
    "same": "The same person",
    "other": "Another person",
}


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """One unlearning run of a case with the last verdict on it."""

    run: UnlearningRun
    outcome: str
    evidence: tuple[Evidence, ...]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LoggedLine:
    """One event of a case for reading."""

    index: int
    at: datetime
    type: str
    actor: str
    data: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class DuplicateRow:
    """A duplicate to decide; ``owner`` says whose the kept record is, never a name.

    In an operator's case ``labels`` are those of the kept record and of the one it resembles.
    """

    finding: DuplicateFinding
    owner: str
    labels: tuple[str, str] = ("", "")


def run_rows(request: ErasureRequest, judged: Mapping[UUID, Judged] | None = None) -> list[RunRow]:
    """Return the runs of a case in the order of its plan, each with its evidence.

    ``judged``: of ``judged_runs``, where that was asked already.
    """
    every = ordered_runs(request)
    said = judged_runs(every, request) if judged is None else judged
    return [
        RunRow(
            run=run,
            outcome=of.verdict.outcome if of.verdict else "",
            reasons=tuple(of.verdict.reasons) if of.verdict else (),
            evidence=of.evidence,
        )
        for run in every
        for of in (said[run.pk],)
    ]


def duplicate_rows(request: ErasureRequest, *, most: int) -> list[DuplicateRow]:
    """Return the first undecided duplicates, each with the owner of the kept record."""
    found = list(pending_duplicates(request).select_related("space", "proposed_by")[:most])
    labels = _labels(found) if origin_of(request) else {}
    owners = _owners(found)
    return [
        DuplicateRow(
            finding=row,
            owner=_owner(request, owners.get((row.space_id, row.other_ordinal))),
            labels=(
                labels.get((row.space_id, row.other_ordinal), ""),
                labels.get((row.space_id, row.forget_ordinal), ""),
            ),
        )
        for row in found
    ]


def records_of(findings: Iterable[DuplicateFinding]) -> dict[OrdinalSpace, BitMap]:
    """Return the records that some findings are about, by space."""
    held: dict[OrdinalSpace, BitMap] = {}
    for one in findings:
        held.setdefault(one.space, BitMap()).update((one.other_ordinal, one.forget_ordinal))
    return held


def _labels(found: Iterable[DuplicateFinding]) -> dict[tuple[int, int], str]:
    return {
        (space.pk, ordinal): label
        for space, ordinals in records_of(found).items()
        for ordinal, label in targets_of(space, ordinals).items()
    }


def log_of(request: ErasureRequest) -> list[LoggedLine]:
    """Return the events of a case, oldest first."""
    lines = []
    for leaf in LogLeaf.objects.filter(case_id=request.pk).order_by("index"):
        event = events.parse(bytes(leaf.data))
        lines.append(
            LoggedLine(
                index=leaf.index, at=leaf.at, type=event.type, actor=event.actor, data=event.data
            )
        )
    return lines


def planned_versions(request: ErasureRequest, part: str) -> list[ModelVersion]:
    """Return the versions that the plan lists under ``part``, such as ``not_affected``."""
    ids = [one for one in map(_version_id, request.plan.get(part, [])) if one]
    found = ModelVersion.objects.in_bulk(ids)
    return [found[one] for one in ids if one in found]


def _owners(found: Iterable[DuplicateFinding]) -> dict[tuple[int, int], int | None]:
    """Return whose the kept records are, by space and ordinal, in one query."""
    named = {(row.space_id, row.other_ordinal) for row in found}
    records = DataRecord.objects.filter(
        space__in={space for space, _ in named}, ordinal__in={other for _, other in named}
    )
    rows = records.values_list("space", "ordinal", "subject") if named else ()
    return {(space, ordinal): subject for space, ordinal, subject in rows}


def _owner(request: ErasureRequest, subject: int | None) -> str:
    if subject is None:
        return OWNERS["nobody"]
    return OWNERS["same" if subject == request.subject_id else "other"]


def _version_id(row: Any) -> UUID | None:  # noqa: ANN401  (an entry of the plan's JSON)
    value = row.get("version") if isinstance(row, dict) else row
    try:
        return UUID(str(value))
    except ValueError:
        return None
