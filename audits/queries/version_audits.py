"""What cases and audits did about one model version, for its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from audits.models import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audits.models import ErasureRequest
    from lineage.models import ModelVersion
    from unlearning.models import UnlearningRun

MOST = 20


@dataclass(frozen=True, kw_only=True)
class EvidenceLine:
    """One piece of evidence, and a case on whose pages it is shown."""

    evidence: Evidence
    case: ErasureRequest | None
    outcome: str


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What unlearning a version took so far; ``retraining`` is what it was predicted to take.

    Seconds of runs that ended, with or without success. ``retraining`` adds up over the same runs
    as if each had been a full retraining; None where nobody knows.
    """

    runs: int
    seconds: float
    retraining: float | None


@dataclass(frozen=True, kw_only=True)
class VersionAudits:
    """Evidence on a version and on what it became, the newest first, and the cost of its runs."""

    evidence: Sequence[EvidenceLine]
    more: int
    cost: Cost


def audits_of(version: ModelVersion, runs: Iterable[UnlearningRun]) -> VersionAudits:
    """Return what is known of the runs on a version, and of the run that it came from."""
    about = Q(run__target=version) | Q(run__unlearned=version)
    found = Evidence.objects.filter(about).defer("payload")
    found = found.select_related("run", "verdict", "request").prefetch_related("run__requests")
    rows = list(found.order_by("-created_at", "kind")[:MOST])
    return VersionAudits(
        evidence=[_line(one) for one in rows],
        more=Evidence.objects.filter(about).count() - len(rows) if len(rows) == MOST else 0,
        cost=_cost([run for run in runs if run.seconds is not None]),
    )


def _line(one: Evidence) -> EvidenceLine:
    case = one.request or next(iter(one.run.requests.all()), None)
    verdict = getattr(one, "verdict", None)
    return EvidenceLine(evidence=one, case=case, outcome=verdict.outcome if verdict else "")


def _cost(timed: Sequence[UnlearningRun]) -> Cost:
    predicted = [one.retrain_seconds_predicted for one in timed if one.retrain_seconds_predicted]
    return Cost(
        runs=len(timed),
        seconds=sum(one.seconds or 0.0 for one in timed),
        retraining=sum(predicted) if predicted and len(predicted) == len(timed) else None,
    )
