"""What the record does not show. Never empty, and no wording stronger than the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.core import events
from audits.models import AuditPlan, LogLeaf, Release
from audits.queries.operator_cases import operator_origin_of
from audits.queries.serving import exposed
from lineage.models import ModelVersion, Run
from unlearning.services.runs import NEWTON, left_alone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from audits.models import ErasureRequest
    from unlearning.models import UnlearningRun

MATCHED = (
    "A method that still holds the records, and answers about them and about everything near them "
    "as if it had never seen them, is seen by no attack that asks the model. Nothing is claimed "
    "against such a method."
)
ALWAYS = (
    "The log shows that these records were not changed after they were written. It does not show "
    "that what was written is true: a dishonest operator could have run something else.",
    "Copies outside the lineage graph (downloads, exports, notebooks, backups that have not been "
    "replayed) are not covered.",
    "Attacks that were not run: attribute inference, model inversion, extraction and "
    "reconstruction, and every attack that reads the weights.",
    MATCHED,
    "Events after the checkpoint of this record are not anchored by it.",
)
NO_RETRAINED_ARM = (
    "Equivalence to retraining was not measured: no shadow models were retrained for it, so the "
    "best approximate outcome is that no leak beyond the margin was found."
)
NEIGHBOURHOOD = "neighbourhood"
NO_NEIGHBOURHOOD = (
    "No neighbourhood attack was made, which would meet a method that changes the scores of the "
    "records and of nothing around them."
)
CHOICES = (
    "The choice of architecture and hyperparameters, made when the records were present, was not "
    "redone."
)
REPLAYED = (
    "Exact means: the same plan of training with the places of the records empty, gone through "
    "from a state of before their first use or from the start. It is exact given that plan."
)
ADAPTIVE = (
    "What is said of the new versions holds given the recorded plan and randomness. It does not "
    "cover people who chose to ask after they saw what a published version says: their choice "
    "depends on that plan and randomness."
)
READERS = (
    "No API key of this platform is given the versions of both sides of this erasure. Whoever has "
    "copies of both, or of their answers, can learn from the difference who was erased."
)
HAD_BOTH = (
    "{count} reader(s) had versions of both sides of this erasure before it was known that one "
    "replaces the other. Whoever has both can learn from the difference who was erased."
)
SHARED = (
    "The unlearning runs of this case may have served others: {count} cases were planned "
    "together. The counts and digests of the forget sets of runs are of all that a run served."
)
SUBTRACTED = "Exact means: the records were subtracted from integer sums"
EXACT = {
    "retrain": "Exact means: trained again by the same code, recipe and seed without the records. "
    f"{CHOICES} A bit-identical second execution was not made.",
    "replay bit_exact": f"{REPLAYED} A second execution in another process of the same "
    f"environment gave the same bits. {CHOICES}",
    "replay same_recipe": f"{REPLAYED} Equal bits are not claimed. {CHOICES}",
    "decrement bit_exact": f"{SUBTRACTED}, which in the environment of the training gives the "
    f"bits of counting the others anew. {CHOICES}",
    "decrement same_recipe": f"{SUBTRACTED}. Equal bits are not claimed. {CHOICES}",
    "decrement": f"{SUBTRACTED}. Equal bits are not claimed. {CHOICES}",
}
NOT_REACHED = (
    "The installation asks for equal bits (EXPUNGE_MINIMUM). For {count} run(s) they could not be "
    "claimed, and the same recipe without the records is."
)
OUTSIDE = (
    "{count} model version(s) were trained again outside and captured. Their captured membership "
    "excludes the erased records; that the same recipe was used is not claimed."
)
LEFT_ALONE = (
    "{count} model version(s) that learned from the erased records were left as they are, and may "
    "be in use: {promises}. Their training bounded what one person could change (differential "
    "privacy), and the policy of this installation accepts that bound. The rows and files of the "
    "records are deleted nevertheless."
)
BOUND_MEANS = (
    "Epsilon and delta mean: whatever is computed from such a version is at most e^epsilon times "
    "as likely, or as unlikely, with the records as without them, but for a probability of delta. "
    "They do not mean that nothing of the records is left in it. The bound holds for the records "
    "that lineage knew as the person's when the version was trained, and for the version as it "
    "was trained; the bounds of several versions add up. It takes for granted that the noise was "
    "drawn as described and kept nowhere: exact real numbers and perfect chance, where the "
    "computer has floating-point numbers and a generator that is not cryptographic; and it does "
    "not count the choice of architecture and hyperparameters."
)
REMOVED = (
    "{count} model version(s) had the records taken out by a Newton step within a budget: "
    "{budgets}. So the new version is within that epsilon and delta of one trained without the "
    "records, over the noise of the training, which was kept nowhere. This does not cover who "
    "holds two versions of the sequence, for instance this one and the one before; people who "
    "chose to ask after they saw what was published; features that a model made which saw the "
    "records; and it takes exact real numbers and perfect chance for granted."
)
ON_REMOVED = (
    "{names} was made exactly, on a version from which other records had been taken out within an "
    "epsilon and a delta; of those it is within that, and not exact."
)
HELD = (
    "{count} unlearned model version(s) got worse by more than is tolerated. They are held, and "
    "were not in use when this record was sealed."
)
KEPT = "{count} record(s) equal or close to an erased one were kept by decision of staff."
NEAR_SEARCH_INCOMPLETE = "NEAR_SEARCH_INCOMPLETE"
NOT_READ = (
    "Not all data of the affected versions could be read to compare inputs: where no recipe says "
    "how, only duplicates with the same bytes were searched."
)
UNKNOWN = (
    "Of {count} model version(s) it is not known all that they learned from; they are listed as "
    "possibly affected and were not unlearned."
)
STOOD_IN = (
    "From when the unlearning began until its result could serve, a model served that consists of "
    "parts as they were before any of the records was used. It was not worse by more "
    "than is tolerated, as far as that could be measured, and was not audited."
)
STAND_IN_HELD = (
    "From when the unlearning began until its result could serve, nothing served in the place of "
    "{names}: parts as they were before any of the records was used got worse by more than is "
    "tolerated, and were held."
)
OWN_RECORDS = (
    "The audit trained shadow models on the person's own records, under restriction; they and "
    "their scores were destroyed before this record was sealed, so nobody can repeat that "
    "training. The verdict recomputes from the kept aggregates."
)

SURROGATE = (
    "The audit trained shadow models on other people's records in place of the person's. It is "
    "evidence about the procedure; whether this one run behaved is tested on the person's records "
    "by comparison with models that never saw them, which can raise an alarm and never clears."
)

CERTIFIED = (
    "For {count} run(s) the numbers on the procedure were not measured for this case: they are "
    "those of a certificate from an earlier audit on other people's records, for the same "
    "procedure and for records no easier than these. That the procedure treats these records "
    "alike is taken for granted; only the test of the one run was made on them."
)


BY_OPERATOR = (
    "No data subject asked for this. Two members of staff proposed and approved which records to "
    "take out; that the set is complete, and that every record in it is bad, is not shown."
)
SEARCHED = (
    "Other copies of these records were searched where their content is stored here; what staff "
    "decided about them is listed."
)
NOT_SEARCHED = "Other copies of these records, with the same or another label, were not searched."
APART = (
    "The records stay stored, apart and out of every training; that ends where a backup from "
    "before this case is restored."
)


def _fell_short(run: UnlearningRun) -> bool:
    """Return whether equal bits were asked for and are not claimed."""
    if run.weighed.get("minimum") != "BIT_EXACT":
        return False
    return _claim(run) != "bit_exact"


def _claim(run: UnlearningRun) -> str:
    """Return what is claimed of the bits of a replay or a subtraction, if anything is."""
    claims = [run.report.get(method, {}).get("claim", "") for method in ("replay", "decrement")]
    return next(filter(None, claims), "")


def _way(run: UnlearningRun) -> str:
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
    based = [run for run in runs if run.guarantee == "CERTIFIED" and _way(run) in EXACT]
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
    found = [*ALWAYS, *_of_releases(runs), *_of_audits(request, runs)]
    exact = (run for run in runs if run.guarantee in ("EXACT", "CERTIFIED"))
    found += [EXACT[way] for way in sorted({_way(run) for run in exact} & EXACT.keys())]
    if short := sum(map(_fell_short, runs)):
        found.append(NOT_REACHED.format(count=short))
    found += _meanwhile(runs)
    found += _bounded(runs)
    if outside := sum(run.method == "retrain_outside" for run in runs):
        found.append(OUTSIDE.format(count=outside))
    if kept := request.duplicates.filter(decision="KEEP").count():
        found.append(KEPT.format(count=kept))
    if _raised(request, NEAR_SEARCH_INCOMPLETE):
        found.append(NOT_READ)
    found += _of_operator(request)
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


def _of_operator(request: ErasureRequest) -> list[str]:
    case = operator_origin_of(request.pk)
    if case is None:
        return []
    searched = LogLeaf.objects.filter(case_id=request.pk, type="duplicates_searched").exists()
    found = [BY_OPERATOR, SEARCHED if searched else NOT_SEARCHED]
    return [*found, APART] if case.disposal == case.Disposal.KEEP else found


def _of_releases(runs: Sequence[UnlearningRun]) -> list[str]:
    if not any(run.unlearned_id for run in runs):
        return []
    of_these = Release.objects.filter(run__in=[run.pk for run in runs])
    held = of_these.filter(state=Release.State.HELD).count()
    sides = [{str(run.target), str(run.unlearned)} for run in runs if run.unlearned_id]
    both = len({one.reader for one in exposed() if set(one.versions) in sides})
    readers = HAD_BOTH.format(count=both) if both else READERS
    return [ADAPTIVE, readers, *([HELD.format(count=held)] if held else [])]


def _raised(request: ErasureRequest, code: str) -> bool:
    leaves = LogLeaf.objects.filter(case_id=request.pk, type="incident_raised")
    return any(events.parse(bytes(leaf.data)).data["code"] == code for leaf in leaves)


def coverage() -> tuple[int, int]:
    """Return how many model versions have captured membership, and how many there are."""
    versions = ModelVersion.objects.filter(kind=ModelVersion.Kind.MODEL)
    captured = versions.exclude(generated_by__capture_level=Run.Capture.NONE)
    return captured.count(), versions.count()
