"""What became of each version that learned from the records of a case: exactly one end each.

A case is not ERASED before each has one. ``ROLLED_BACK`` is an end for the time being: the parts
of a version as they were before the records serve until a result may, and that is the end then.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from audits.queries.case_file import ordered_runs
from audits.queries.evidence import Judged, judged_runs
from audits.queries.told import affected_versions
from lineage.models import ModelVersion
from unlearning.models import UnlearningRun
from unlearning.services import runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from audits.models import ErasureRequest, VersionException

R = UnlearningRun.Status
GONE = ModelVersion.State.DESTROYED


class End(StrEnum):
    """How a version can end; ``OPEN`` is none."""

    DESTROYED = "DESTROYED"
    RETRAINED = "RETRAINED"
    UNLEARNED = "UNLEARNED"
    ROLLED_BACK = "ROLLED_BACK"
    LEFT_WITHIN_BOUND = "LEFT_WITHIN_BOUND"
    EXCEPTED = "EXCEPTED"
    OPEN = "OPEN"

    @property
    def words(self) -> str:
        """Return what happened, for people."""
        return WORDS[self]


WORDS = {
    End.DESTROYED: "Destroyed, nothing took its place",
    End.RETRAINED: "Made again without the records, exactly; the old version is destroyed",
    End.UNLEARNED: "Unlearned, with a verdict on the result; the old version is destroyed",
    End.ROLLED_BACK: "Rolled back for the time being; a result follows",
    End.LEFT_WITHIN_BOUND: "Left as it is, within the bound that is accepted",
    End.EXCEPTED: "Stays by exception",
    End.OPEN: "Nothing yet",
}
SETTLED = frozenset(End) - {End.ROLLED_BACK, End.OPEN}


@dataclass(frozen=True, kw_only=True)
class VersionEnd:
    """The end of one version. ``verdict`` of an audit; ``code`` and ``until`` of an exception."""

    version: ModelVersion
    end: End
    method: str = ""
    verdict: str = ""
    became: ModelVersion | None = None
    code: str = ""
    until: date | None = None

    @property
    def settled(self) -> bool:
        """Return whether it is an end for good."""
        return self.end in SETTLED

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values, for the record."""
        return {
            "version": str(self.version.pk),
            "version_name": str(self.version),
            "end": str(self.end),
            "method": self.method,
            "verdict": self.verdict,
            "became": str(self.became.pk) if self.became else None,
            "exception": self.code or None,
            "until": self.until.isoformat() if self.until else None,
        }


def exceptions_of(request: ErasureRequest) -> dict[UUID, VersionException]:
    """Return the approved exceptions of a case, by version."""
    found = request.version_exceptions.all()
    found = found if request.loaded_whole else found.select_related("version")
    return {one.version_id: one for one in found if one.approved_at}


def ends_of(
    request: ErasureRequest, judged: Mapping[UUID, Judged] | None = None
) -> list[VersionEnd]:
    """Return the end of every affected version, in the order of the plan.

    ``judged``: of ``judged_runs``, where that was asked already.
    """
    stay, every = exceptions_of(request), ordered_runs(request)
    last = {run.target_id: run for run in every}
    # Of every run: one that was given up may have had something serve meanwhile.
    interims = {run.interim_id for run in every}
    known = _affected(request, every)
    judged = judged_runs(every, request) if judged is None else judged
    order = [pk for pk in last if pk in known]
    order += [pk for pk in known if pk not in last and pk not in interims]
    return [_end(known[pk], last.get(pk), stay.get(pk), judged) for pk in order]


def without_end(request: ErasureRequest) -> list[VersionEnd]:
    """Return the versions that have no end for good, so that the case must not go on to ERASED."""
    return [one for one in ends_of(request) if not one.settled]


def ends_record(request: ErasureRequest) -> dict[str, Any]:
    """Return what the record says of ends; nothing where no version was affected."""
    found = [one.as_dict() for one in ends_of(request)]
    return {"ends": found} if found else {}


def _affected(
    request: ErasureRequest, every: Sequence[UnlearningRun]
) -> Mapping[UUID, ModelVersion]:
    """Return the affected versions; those of the runs came with them."""
    found = {run.target_id: run.target for run in every}
    if {row["version"] for row in request.plan.get("affected", [])} <= set(map(str, found)):
        return found
    return {one.pk: one for one in affected_versions(request)}


def _end(
    version: ModelVersion,
    run: UnlearningRun | None,
    stays: VersionException | None,
    judged: Mapping[UUID, Judged],
) -> VersionEnd:
    if stays:
        return VersionEnd(version=version, end=End.EXCEPTED, code=stays.code, until=stays.until)
    if run is None:
        return VersionEnd(
            version=version, end=End.DESTROYED if version.state == GONE else End.OPEN
        )
    if run.status != R.CLEARED:
        end = End.ROLLED_BACK if run.interim_id else End.OPEN
        return VersionEnd(version=version, end=end, method=run.method, became=run.interim)
    verdict = judged[run.pk].verdict
    return VersionEnd(
        version=version,
        end=_of_cleared(run),
        method=run.method,
        verdict=verdict.outcome if verdict else "",
        became=run.unlearned,
    )


def _of_cleared(run: UnlearningRun) -> End:
    if runs.left_alone(run):
        return End.LEFT_WITHIN_BOUND
    if run.unlearned_id is None:
        return End.DESTROYED if run.method == runs.DESTROY else End.OPEN
    return End.RETRAINED if run.guarantee == runs.EXACT else End.UNLEARNED
