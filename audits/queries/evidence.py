"""What was measured of a run, and what was concluded, as one of its cases may see it.

A run that serves several cases may be judged for each of them by itself, from one pool of shadow
models. What is about one case is shown in no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q
from django.db.models.fields.json import KT, KeyTransform

from audits.core import evidence_file
from audits.models import AuditPlan, Evidence, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from django.db.models import QuerySet

    from audits.models import ErasureRequest
    from unlearning.models import UnlearningRun


# What a run is described with.
RUN = ("target", "unlearned", "interim", "base", "escalated_from", "tuning__snapshot", "release")


class EvidenceNotHere(LookupError):
    """There is no such evidence on a run of the case, or it is about another case."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The evidence on a run, oldest first, and the last verdict, as ``verdict_of`` says it.

    No payload was read; each has ``for_the_person``, the sentence, and ``figures`` of it.
    """

    evidence: tuple[Evidence, ...] = ()
    verdict: Verdict | None = None


def judged_runs(
    runs: Iterable[UnlearningRun], case: ErasureRequest | None = None
) -> Mapping[UUID, Judged]:
    """Return what ``evidence_of`` and ``verdict_of`` say of each of several runs, in one query."""
    rows: dict[UUID, list[Evidence]] = {run.pk: [] for run in runs}
    if rows:
        found = Evidence.objects.filter(_about(case), run__in=list(rows)).defer("payload")
        found = found.select_related("plot", "run", "verdict").annotate(
            for_the_person=KT("payload__for_the_person"),
            figures=KeyTransform("figures", "payload"),
        )
        for one in found.order_by("created_at", "kind", "request"):
            rows[one.run_id].append(one)
    return {pk: Judged(evidence=tuple(of), verdict=_last_of(of)) for pk, of in rows.items()}


def _last_of(evidence: Iterable[Evidence]) -> Verdict | None:
    drawn = [one.verdict for one in evidence if hasattr(one, "verdict")]
    if not drawn:
        return None
    look, at = max((one.evidence.look, one.created_at) for one in drawn)
    together = [one for one in drawn if (one.evidence.look, one.created_at) == (look, at)]
    return next((one for one in together if not one.clears), together[-1])


def evidence_of(run: UnlearningRun, case: ErasureRequest | None = None) -> QuerySet[Evidence]:
    """Return the evidence on a run, oldest first: all of it, or what is about a case."""
    found = run.evidence.select_related("plot", "run", "verdict")
    return found.filter(_about(case)).order_by("created_at", "kind", "request")


def verdict_of(run: UnlearningRun, case: ErasureRequest | None = None) -> Verdict | None:
    """Return the last verdict on a run; of several at once, one that did not clear it."""
    found = run.verdicts.select_related("evidence").filter(_about(case, "evidence__"))
    last = found.order_by("-evidence__look", "-created_at").first()
    if last is None:
        return None
    together = found.filter(evidence__look=last.evidence.look, created_at=last.created_at)
    return next((one for one in together if not one.clears), last)


def looks_taken(run: UnlearningRun) -> int:
    """Return how many looks at shadow models were judged."""
    return run.evidence.filter(kind=Evidence.Kind.U_LIRA).values("look").distinct().count()


def _about(case: ErasureRequest | None, path: str = "") -> Q:
    if case is None:
        return Q()
    return Q(**{f"{path}request": None}) | Q(**{f"{path}request": case})


def case_evidence(case: ErasureRequest) -> QuerySet[Evidence]:
    """Return the evidence on all runs of a case that is about it, oldest first."""
    found = Evidence.objects.filter(_about(case), run__requests=case).defer("payload")
    return found.select_related("run", "verdict").order_by("created_at", "kind", "look", "pk")


def evidence_called(case: ErasureRequest, evidence_id: UUID) -> Evidence:
    """Return one piece of the evidence of a case. Raises EvidenceNotHere."""
    belonging = Evidence.objects.filter(_about(case), run__requests=case)
    of_run = (f"run__{name}" for name in (*RUN, "audit_plan"))
    found = belonging.select_related("run", *of_run, "plot", "verdict")
    one = found.filter(pk=evidence_id).first()
    if one is None:
        raise EvidenceNotHere(f"Case {case.reference} has no evidence {evidence_id}.")
    return one


def file_of(found: Evidence, case: ErasureRequest) -> bytes:
    """Return what was kept and concluded, for ``python -m audits.core.recheck``."""
    verdict = Verdict.objects.filter(evidence=found).first()
    plan = AuditPlan.objects.filter(run=found.run_id).first()
    return evidence_file.write(
        kind=found.kind,
        payload=found.payload,
        policy=plan.policy if plan else case.policy,
        outcome=verdict.outcome if verdict else "",
        reasons=verdict.reasons if verdict else (),
    )
