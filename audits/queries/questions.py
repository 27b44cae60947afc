"""What each audit was to conclude, and what it came to, whatever that was.

A *question* is about one run, or about one case of a run whose design tells its cases apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, ExpressionWrapper, F, Q

from audits.core.policy import Mode
from audits.core.strength import Strength
from audits.core.verdict import Outcome
from audits.models import AuditPlan, ErasureRequest, Evidence, Verdict
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PASSES = (Outcome.PASS_LEAK, Outcome.PASS_STRICT)
OPEN, WITHOUT = "OPEN", "WITHOUT_A_VERDICT"
SPENT, OWES = "SPENT", "OWES"
# Beside a verdict, so that thousands of payloads need not be read for a few of their numbers.
_OF_PAYLOAD = {
    "kept_strength": F("evidence__payload__strength"),
    "kept_numbers": ExpressionWrapper(
        Q(evidence__payload__has_key="kept"), output_field=BooleanField()
    ),
    "kept_attempt": F("evidence__payload__kept__attempt"),
    "kept_debt": F("evidence__payload__kept__debt"),
}
OVER = (UnlearningRun.Status.CLEARED, UnlearningRun.Status.REJECTED, UnlearningRun.Status.FAILED)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One thing that an audit was to conclude.

    Attributes:
        run: the run it is about.
        case: the reference of the case, of a run that serves several; else empty.
        outcome: of the last verdict, ``OPEN`` or ``WITHOUT_A_VERDICT``.
        evidence: what the last verdict was drawn from.
        of: a case whose page shows it.
        pool: whether its leak was to be bounded by a pool of shadow models of its own.
        certificate: the certificate that was relied on instead, or empty.
        attempt: its number among those on the same version and records; 0 before the first look.
        charged: why an earlier attempt counts against it: ``SPENT`` or ``OWES``; else empty.
        strength: what a pass by an own pool says; None of anything else, and of evidence from
            before it was kept: that says nothing.
    """

    run: UnlearningRun
    case: str = ""
    outcome: str = OPEN
    evidence: Evidence | None = None
    of: ErasureRequest | None = None
    pool: bool = False
    certificate: str = ""
    attempt: int = 0
    charged: str = ""
    strength: Strength | None = None

    @property
    def passed(self) -> bool:
        """Return whether attacks bounded the leak."""
        return self.outcome in PASSES


def questions_of(runs: Sequence[UnlearningRun]) -> Iterator[Question]:
    """Yield what the audits of some runs were to conclude, in the order of the runs."""
    chosen = [run.pk for run in runs]
    planned = AuditPlan.objects.filter(run__in=chosen)
    plans = {one.run_id: one for one in planned.defer("procedure", "profile")}
    verdicts = Verdict.objects.filter(run__in=chosen).select_related("evidence")
    verdicts = verdicts.defer("reasons", "evidence__payload").annotate(**_OF_PAYLOAD)
    drawn: dict[Any, list[Verdict]] = {}
    for one in verdicts.order_by("evidence__look", "created_at"):
        drawn.setdefault(one.run_id, []).append(one)
    cases = _cases(chosen)
    for run in runs:
        yield from _of_run(run, plans.get(run.pk), drawn.get(run.pk, []), cases.get(run.pk, {}))


def _cases(runs: Sequence[Any]) -> dict[Any, dict[Any, ErasureRequest]]:
    """Return the cases of each run, by key."""
    links = ErasureRequest.runs.through.objects.filter(unlearningrun__in=runs)
    pairs = list(links.values_list("unlearningrun_id", "erasurerequest_id"))
    cases = ErasureRequest.objects.only("reference", "received_at")
    known = cases.in_bulk({case for _, case in pairs})
    found: dict[Any, dict[Any, ErasureRequest]] = {}
    for run, case in pairs:
        found.setdefault(run, {})[case] = known[case]
    return found


def _of_run(
    run: UnlearningRun,
    plan: AuditPlan | None,
    verdicts: Sequence[Verdict],
    cases: Mapping[Any, ErasureRequest],
) -> Iterator[Question]:
    """Yield one question for each case that the design tells apart, else one for the run."""
    shared = plan.design.get("subjects") if plan else None
    if not shared:
        first = min(cases.values(), key=lambda one: one.received_at, default=None)
        yield _question(run, plan, _last(_by_case(verdicts)[None]), of=first)
        return
    names, drawn = {str(pk): case for pk, case in cases.items()}, _by_case(verdicts)
    for name in (name for group in shared for name in group):
        case = names.get(name)
        own = _last(drawn.get(case.pk if case else None, drawn[None]))
        yield _question(run, plan, own, of=case, case=case.reference if case else name)


def _last(verdicts: Sequence[Verdict]) -> Verdict | None:
    """Return the last of some verdicts; of several at once, one that did not clear the case."""
    if not verdicts:
        return None
    latest = (verdicts[-1].evidence.look, verdicts[-1].created_at)
    together = [one for one in verdicts if (one.evidence.look, one.created_at) == latest]
    return next((one for one in together if not one.clears), together[-1])


def _by_case(verdicts: Sequence[Verdict]) -> dict[Any, list[Verdict]]:
    """Return the verdicts about each case; under None those about the whole run, in all lists."""
    cases = {one.evidence.request_id for one in verdicts}
    whole = [one for one in verdicts if one.evidence.request_id is None]
    found: dict[Any, list[Verdict]] = {case: [] for case in cases} | {None: whole}
    for one in verdicts:
        about = one.evidence.request_id
        for case in cases - {None} if about is None else (about,):
            found[case].append(one)
    return found


def _question(
    run: UnlearningRun,
    plan: AuditPlan | None,
    verdict: Verdict | None,
    *,
    of: ErasureRequest | None,
    case: str = "",
) -> Question:
    ended = verdict is not None and verdict.final
    outcome = verdict.outcome if verdict and ended else WITHOUT if run.status in OVER else OPEN
    own = plan is not None and plan.certificate_id is None
    attempt, charged = _attempt(verdict, plan)
    return Question(
        run=run,
        case=case,
        outcome=outcome,
        evidence=verdict.evidence if verdict else None,
        of=of,
        pool=own,
        certificate=str(plan.certificate_id or "") if plan else "",
        attempt=attempt,
        charged=charged,
        strength=_strength(verdict) if verdict and own and outcome in PASSES else None,
    )


def _strength(verdict: Verdict) -> Strength | None:
    return Strength.of_evidence({"strength": _kept(verdict, "strength")})


def _attempt(verdict: Verdict | None, plan: AuditPlan | None) -> tuple[int, str]:
    """Return the number of an attempt, and how it is charged for those before it."""
    if plan is None or verdict is None or not _kept(verdict, "numbers"):
        return 0, ""
    attempt = _kept(verdict, "attempt")
    number = int(1 if attempt is None else attempt)
    if plan.policy.get("mode", Mode.LOOKS) == Mode.LOOKS:
        return number, SPENT if number > 1 else ""
    return number, OWES if (_kept(verdict, "debt") or 0.0) > 0 else ""


def _kept(verdict: Verdict, name: str) -> Any:  # noqa: ANN401  (JSON)
    """Return a part of the payload that the query read beside the row."""
    return vars(verdict)[f"kept_{name}"]
