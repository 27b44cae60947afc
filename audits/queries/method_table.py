"""What the runs of this installation say of each method: cost, leak, accuracy, verdicts."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from django.db.models import Count

from audits.core.verdict import Outcome
from audits.models import Evidence, Verdict
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.db.models import QuerySet

# The newest of each are read, so that the page stays quick however many cases there were.
MOST_RUNS, MOST_AUDITS = 5000, 200
MEASURED = ("method", "seconds", "retrain_seconds_predicted")
EXACT = "EXACT"
SETS = ("retained", "test")
# A broken experiment, and one that did not see the records before, bound nothing afterwards.
SAY_NOTHING = (Outcome.INVALID, Outcome.NO_SIGNAL)


@dataclass(frozen=True, kw_only=True)
class MethodRow:
    """One method over the runs that ended.

    Attributes:
        method: its name.
        runs: how many ended, whatever became of them.
        exact: whether all of them were exact, so that no attack judges them.
        cost: median of their seconds over those of retraining, as predicted before each; None
            where none was measured.
        timed: on how many runs that rests.
        leak: the largest upper bound on the leak that the last look of an audit left, at a level
            that decides; None where no audit bounded one. Invalid experiments, and those that did
            not see the records before, are left out.
        audits: on how many audits that, and ``deviation``, rest.
        deviation: median over audits of |RR - 1| + |TR - 1|, or None. RR and TR are accuracies on
            retained and test records, over those of models that never saw the forgotten ones.
        outcomes: how often each verdict was final.
    """

    method: str
    runs: int
    exact: bool
    cost: float | None
    timed: int
    leak: float | None
    audits: int
    deviation: float | None
    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def speed(self) -> float | None:
        """RTE: time of retraining over that of the method."""
        return 1 / self.cost if self.cost else None

    @property
    def harm(self) -> float | None:
        """The leak to plot: an exact run never learned the records again."""
        return 0.0 if self.exact and self.leak is None else self.leak


def model_names() -> list[str]:
    """Return the models on which a run ended, in alphabetical order."""
    names = _ended("").order_by("target__model_name").values_list("target__model_name", flat=True)
    return list(names.distinct())


def method_rows(model: str = "") -> list[MethodRow]:
    """Return every method that ended a run, of one model or of all, in alphabetical order."""
    ended = _ended(model)
    guarantees: dict[str, Counter[str]] = defaultdict(Counter)
    counted = ended.order_by("method").values_list("method", "guarantee").annotate(Count("pk"))
    for method, guarantee, count in counted:
        guarantees[method][guarantee] += count
    costs, audits, outcomes = _costs(ended), _audits(model), _outcomes(model)
    return [
        _row(method, guarantees[method], costs[method], audits[method], outcomes[method])
        for method in sorted(guarantees)
    ]


def _ended(model: str) -> QuerySet[UnlearningRun]:
    S = UnlearningRun.Status  # noqa: N806  (as elsewhere)
    ended = UnlearningRun.objects.filter(status__in=[S.SUCCEEDED, S.CLEARED, S.REJECTED])
    return ended.filter(target__model_name=model) if model else ended


def _row(
    method: str,
    guarantees: Mapping[str, int],
    costs: Sequence[float],
    audits: Sequence[tuple[float | None, float | None]],
    outcomes: Mapping[str, int],
) -> MethodRow:
    leaks = [leak for leak, _ in audits if leak is not None]
    deviations = [deviation for _, deviation in audits if deviation is not None]
    return MethodRow(
        method=method,
        runs=sum(guarantees.values()),
        exact=set(guarantees) == {EXACT},
        cost=median(costs) if costs else None,
        timed=len(costs),
        leak=max(leaks, default=None),
        audits=len(audits),
        deviation=median(deviations) if deviations else None,
        outcomes=dict(sorted(outcomes.items())),
    )


def _costs(ended: QuerySet[UnlearningRun]) -> dict[str, list[float]]:
    timed = ended.filter(seconds__gt=0, retrain_seconds_predicted__gt=0)
    found: dict[str, list[float]] = defaultdict(list)
    for method, took, whole in timed.order_by("-created_at").values_list(*MEASURED)[:MOST_RUNS]:
        found[method].append(took / whole)
    return found


def _outcomes(model: str) -> dict[str, Counter[str]]:
    final = Verdict.objects.filter(final=True)
    final = final.filter(run__target__model_name=model) if model else final
    told = final.order_by("outcome").values_list("run__method", "outcome").annotate(Count("pk"))
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for method, outcome, count in told:
        found[method][outcome] += count
    return found


def _audits(model: str) -> dict[str, list[tuple[float | None, float | None]]]:
    """Return leak bound and deviation of each audit that ended, the newest ones, by method."""
    judged = Evidence.objects.filter(kind=Evidence.Kind.U_LIRA, verdict__final=True)
    judged = judged.exclude(verdict__outcome__in=SAY_NOTHING)
    judged = judged.filter(run__target__model_name=model) if model else judged
    # The newest first and alone: a database that sorts rows reads what they say of all of them.
    newest = judged.order_by("-created_at", "pk").values("pk")[:MOST_AUDITS]
    told = (
        Evidence.objects.filter(pk__in=newest)
        .order_by("-created_at", "pk")
        .values_list(
            "run__method",
            "run__audit_plan__policy__levels",
            "payload__contrasts__leak",
            "payload__attacks",
            "payload__utility",
        )
    )
    found: dict[str, list[tuple[float | None, float | None]]] = defaultdict(list)
    for method, levels, leak, attacks, utility in told:
        bounds = list(deciding_bounds(levels or [], leak, attacks))
        found[method].append((max(bounds, default=None), _deviation(utility)))
    return found


def deciding_bounds(
    levels: Sequence[str],
    leak: Any,  # noqa: ANN401  (any JSON value)
    attacks: Any,  # noqa: ANN401  (any JSON value)
) -> Iterator[float]:
    """Yield the upper bounds that decided: of the main attack, and of those a pass needs."""
    others = attacks.values() if isinstance(attacks, dict) else ()
    deciding = [one.get("contrasts", {}).get("leak") for one in others if one.get("decides")]
    for contrast in (leak, *deciding):
        for level, row in (contrast or {}).items():
            upper = row.get("upper") if isinstance(row, dict) else None
            if level in levels and isinstance(upper, int | float):
                yield float(upper)


def _deviation(utility: Any) -> float | None:  # noqa: ANN401  (any JSON value)
    if not isinstance(utility, dict):
        return None
    found = 0.0
    for of in SETS:
        ours, theirs = utility.get(f"unlearned_{of}"), utility.get(f"reference_{of}")
        if not isinstance(ours, int | float) or not isinstance(theirs, int | float) or not theirs:
            return None
        found += abs(ours / theirs - 1)
    return found
