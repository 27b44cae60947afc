"""What the record does not show. Never empty, and no wording stronger than the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.core import events
from audits.models import AuditPlan, LogLeaf, Release
from audits.queries.exceptions import exceptions_of
from audits.queries.limit_sentences import (
    ADAPTIVE,
    ALWAYS,
    APART,
    BOUND_MEANS,
    BY_OPERATOR,
    CERTIFIED,
    EXACT,
    EXCEPTED,
    EXCEPTED_DATA,
    EXCEPTED_VERSIONS,
    HAD_BOTH,
    HELD,
    IN_BACKUPS,
    KEPT,
    LEFT_ALONE,
    MASKED,
    NEAR_SEARCH_INCOMPLETE,
    NEIGHBOURHOOD,
    NO_NEIGHBOURHOOD,
    NO_RETRAINED_ARM,
    NOT_REACHED,
    NOT_READ,
    NOT_SEARCHED,
    ON_REMOVED,
    OUTSIDE,
    OWN_RECORDS,
    READERS,
    REMOVED,
    SEARCHED,
    SERVERS,
    SHARED,
    STAND_IN_HELD,
    STOOD_IN,
    SURROGATE,
    UNASKED,
    UNKNOWN,
)
from audits.queries.operator_cases import operator_origin_of
from audits.queries.places import backups_of_person, counts_of
from audits.queries.serving import exposed, servers
from audits.queries.supplier import supplier_limits
from lineage.models import Location, ModelVersion, Run
from unlearning.services.runs import NEWTON, left_alone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from audits.models import ErasureRequest, LocationException, OperatorCase
    from unlearning.models import UnlearningRun


def _fell_short(run: UnlearningRun) -> bool:
    """Return whether equal bits were asked for and are not claimed."""
    if run.weighed.get("minimum") != "BIT_EXACT":
        return False
    return _claim(run) != "bit_exact"


def _claim(run: UnlearningRun) -> str:
    """Return what is claimed of the bits of a replay or a subtraction, if anything is."""
    claims = [run.report.get(method, {}).get("claim", "") for method in ("replay", "decrement")]
    return next(filter(None, claims), "")


def way_of(run: UnlearningRun) -> str:
    """Return how an exact result was arrived at, and how much is claimed of it."""
    said = _claim(run)
    return f"{run.method} {said}" if said else run.method


def _promise(run: UnlearningRun) -> str:
    told, accepted = run.report, run.hyperparameters
    who = "one person" if told["people"] == 1 else f"{told['people']} people together"
    return (
        f"{run.target}, epsilon {told['epsilon']:.3g} and delta {told['delta']:g} for {who}, "
        f"accepted up to {accepted['accepted_epsilon']:g} and {accepted['accepted_delta']:g}"
    )


def _bounded(runs: Sequence[UnlearningRun]) -> list[str]:
    """Return what an epsilon and delta mean, of versions left alone and of certified removals."""
    found: list[str] = []
    if alone := [run for run in runs if left_alone(run)]:
        promises = "; ".join(map(_promise, alone))
        found += [LEFT_ALONE.format(count=len(alone), promises=promises), BOUND_MEANS]
    if removed := [run for run in runs if run.method == NEWTON and run.status == "CLEARED"]:
        budgets = "; ".join(f"{run.target}, {run.report['stop_reason']}" for run in removed)
        found.append(REMOVED.format(count=len(removed), budgets=budgets))
    based = [run for run in runs if run.guarantee == "CERTIFIED" and way_of(run) in EXACT]
    if based:
        names = ", ".join(str(run.unlearned or run.target) for run in based)
        found.append(ON_REMOVED.format(names=names))
    return found


def _of_attacks(policy: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an audit by shadow models under this policy does not show."""
    yield SURROGATE if policy.get("audit_data") == "surrogate" else OWN_RECORDS
    if not policy.get("equivalence"):
        yield NO_RETRAINED_ARM
    if NEIGHBOURHOOD not in policy.get("attacks", ()):
        yield NO_NEIGHBOURHOOD


def limits_of(request: ErasureRequest, runs: Sequence[UnlearningRun]) -> list[str]:
    """Return the limits that apply to a case, as sentences."""
    origin = operator_origin_of(request.pk)
    found = [
        *ALWAYS,
        *_of_places(request, origin),
        *_of_releases(runs),
        *_of_audits(request, runs),
    ]
    exact = (run for run in runs if run.guarantee in ("EXACT", "CERTIFIED"))
    found += [EXACT[way] for way in sorted({way_of(run) for run in exact} & EXACT.keys())]
    if short := sum(map(_fell_short, runs)):
        found.append(NOT_REACHED.format(count=short))
    found += _meanwhile(runs)
    found += _bounded(runs)
    if outside := sum(run.method == "retrain_outside" for run in runs):
        found.append(OUTSIDE.format(count=outside))
    if stay := list(
        request.version_exceptions.exclude(approved_at=None).select_related("version")
    ):
        names = ", ".join(f"{one.version} until {one.until:%Y-%m-%d} ({one.code})" for one in stay)
        found.append(EXCEPTED_VERSIONS.format(count=len(stay), names=names))
    if kept := request.duplicates.filter(decision="KEEP").count():
        found.append(KEPT.format(count=kept))
    if _raised(request, NEAR_SEARCH_INCOMPLETE):
        found.append(NOT_READ)
    found += supplier_limits(request)
    found += _of_operator(request, origin)
    found += _of_batch(request)
    if unknown := len(request.plan.get("unknown", [])):
        found.append(UNKNOWN.format(count=unknown))
    return found


def _meanwhile(runs: Sequence[UnlearningRun]) -> list[str]:
    """Return what served until a result could, or that nothing did."""
    told = [(run, run.interim.metrics["interim"]) for run in runs if run.interim]
    held = [str(run.target) for run, said in told if said.get("release") == "HELD"]
    found = [STOOD_IN] if len(told) > len(held) else []
    return [*found, *([STAND_IN_HELD.format(names=", ".join(held))] if held else [])]


def _of_audits(request: ErasureRequest, runs: Sequence[UnlearningRun]) -> list[str]:
    """Return what the audits of approximate runs do not show."""
    if not any(run.guarantee == "APPROXIMATE" for run in runs):
        return []
    found = list(_of_attacks(request.policy))
    if relied := AuditPlan.objects.filter(run__in=runs, certificate__isnull=False).count():
        found.append(CERTIFIED.format(count=relied))
    return found


def _of_batch(request: ErasureRequest) -> list[str]:
    together = request.plan.get("cases")
    return [SHARED.format(count=together)] if together else []


def _of_operator(request: ErasureRequest, case: OperatorCase | None) -> list[str]:
    if case is None:
        return []
    searched = LogLeaf.objects.filter(case_id=request.pk, type="duplicates_searched").exists()
    found = [BY_OPERATOR, SEARCHED if searched else NOT_SEARCHED]
    return [*found, APART] if case.disposal == case.Disposal.KEEP else found


def _of_places(request: ErasureRequest, origin: OperatorCase | None) -> list[str]:
    results = counts_of(request)
    counts = {
        MASKED: results.get("MASKED", 0),
        EXCEPTED: results.get("RESTRICTED", 0),
        UNASKED: results.get("NOT_SEARCHED", 0),
        IN_BACKUPS: 0 if origin else len(backups_of_person(request)),
    }
    found = [sentence.format(count=count) for sentence, count in counts.items() if count]
    if kept := list(exceptions_of(request).filter(ended_at=None)):
        names = ", ".join(map(_kept, kept))
        found.append(EXCEPTED_DATA.format(count=len(kept), names=names))
    return found


def _kept(one: LocationException) -> str:
    """Return what an exception keeps; a place that is in no register may be named by a person."""
    registered = one.dataset or Location.objects.filter(slug=one.place).exists()
    what = one.where if registered else "data outside the registers"
    return f"{what} until {one.until:%Y-%m-%d} ({one.code})"


def _of_releases(runs: Sequence[UnlearningRun]) -> list[str]:
    if not any(run.unlearned_id for run in runs):
        return []
    shown = (getattr(run, "release", None) for run in runs)
    held = sum(one is not None and one.state == Release.State.HELD for one in shown)
    sides = [{str(run.target), str(run.unlearned)} for run in runs if run.unlearned_id]
    both = len({one.reader for one in exposed() if set(one.versions) in sides})
    going_on = len(servers())
    readers = SERVERS.format(count=going_on) if going_on else READERS
    readers = HAD_BOTH.format(count=both) if both else readers
    return [ADAPTIVE, readers, *([HELD.format(count=held)] if held else [])]


def _raised(request: ErasureRequest, code: str) -> bool:
    leaves = LogLeaf.objects.filter(case_id=request.pk, type="incident_raised")
    return any(events.parse(bytes(leaf.data)).data["code"] == code for leaf in leaves)


def coverage() -> tuple[int, int]:
    """Return how many model versions have captured membership, and how many there are."""
    versions = ModelVersion.objects.filter(kind=ModelVersion.Kind.MODEL)
    captured = versions.exclude(generated_by__capture_level=Run.Capture.NONE)
    return captured.count(), versions.count()
