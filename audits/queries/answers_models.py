"""What a record answers about the models and the tests: lineage, exactness, order, repetition."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from audits.core.answers import none, rows_or
from audits.core.canonical import sha256, write_json
from audits.core.limits_first import limits_first
from audits.queries.ends import GONE
from audits.queries.limits import coverage, way_of
from audits.queries.serving import exposed, followers
from audits.queries.told import affected_versions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audits.core.account import LoggedEvent
    from audits.models import ErasureRequest
    from unlearning.models import UnlearningRun

# What is not made again where a version is made again from its recipe.
NOT_REDONE = ["ARCHITECTURE", "HYPERPARAMETERS", "CHOICES_OUTSIDE_THE_RECIPE"]
# Attacks that no audit here makes (``audits/core/not_run.py`` has the sentences), and why.
NEVER = {
    "WHITE_BOX": "ATTACKER_READS_PROBABILITIES",
    "LABEL_ONLY": "WEAKER_THAN_THE_AUDITED",
    "RECONSTRUCTION": "ASKS_SOMETHING_ELSE",
    "ATTRIBUTE_INFERENCE": "ASKS_SOMETHING_ELSE",
    "POISONED_BEFORE_TRAINING": "NEEDS_TRAINING_DATA_OF_THE_ATTACKER",
    "EXTRACTION": "ONLY_CLASSIFIERS_ARE_AUDITED",
}
NO_MODEL = "NO_MODEL_AUDITED"


def model_answers(
    request: ErasureRequest,
    findings: Mapping[str, Any],
    logged: Sequence[LoggedEvent],
    runs: Sequence[UnlearningRun],
) -> dict[str, Any]:
    """Return the members of the answers that are about models, audits and who ran them."""
    audits = [row for row in findings["evidence"] if row["kind"] == "U_LIRA"]
    policies = {row["run"]: row["payload"].get("policy_digest") for row in audits}
    looks = Counter(run for run, _ in {(row["run"], row["look"]) for row in audits})
    return {
        "lineage": _lineage(findings["plan"]),
        "exact": rows_or(
            "NO_EXACT_RUN", [_exact(run) for run in runs if run.guarantee == "EXACT"]
        ),
        "attacks": rows_or(NO_MODEL, [one for row in audits for one in _attacks(row)]),
        "not_run": _not_run(audits),
        "limits_first": rows_or(NO_MODEL, limits_first(logged, policies, looks)),
        "attempts": _attempts(findings, audits) if runs else none("NO_RUN"),
        "reproduction": _reproduction(findings, logged),
        "environments": rows_or("NO_RUN", [_environment(run) for run in runs]),
        "actors": rows_or("NO_EVENT", _actors(logged)),
        "witnesses": {"second_signer": "NONE", "not_shown": ["DISHONEST_RUN"]},
        "test_copies": _test_copies(logged),
        "utility": rows_or("NOT_MEASURED", list(_utility(findings["evidence"]))),
        "subgroups": none("NOT_MEASURED"),
        "others": _others(request, audits, runs) if runs else none("NO_RUN"),
    }


def _lineage(plan: Mapping[str, Any]) -> dict[str, Any]:
    captured, versions = coverage()
    parts = ("affected", "not_affected", "unknown")
    return {
        "versions": versions,
        "captured": captured,
        "permille": 1000 * captured // versions if versions else 0,
        **{part: len(plan.get(part, [])) for part in parts},
        "complete": "NOT_CLAIMED",
    }


def _exact(run: UnlearningRun) -> dict[str, object]:
    way = way_of(run)
    made_again = run.method not in ("destroy", "decrement")
    return {
        "run": str(run.pk),
        "way": way.upper().replace(" ", "_"),
        "second_execution": "SAME_BITS" if way.endswith("bit_exact") else "NOT_CLAIMED",
        "not_redone": NOT_REDONE if made_again else [],
    }


def _attacks(row: Mapping[str, Any]) -> list[dict[str, object]]:
    return [
        {"evidence": row["evidence"], "attack": name, "models_per_arm": row["models_per_arm"]}
        for name in ("u_lira", *sorted(row["payload"].get("attacks") or ()))
    ]


def _not_run(audits: Sequence[Mapping[str, Any]]) -> list[dict[str, object]] | dict[str, str]:
    """Return the attacks that no audit here makes, and those of the policy that could not be."""
    if not audits:
        return none(NO_MODEL)
    failed = any(row["payload"].get("not_made") for row in audits)
    never: list[dict[str, object]] = [
        {"attack": attack, "reason": reason} for attack, reason in NEVER.items()
    ]
    if failed:
        never.append({"attack": "OF_THE_POLICY", "reason": "NOT_POSSIBLE"})
    return never


def _attempts(
    findings: Mapping[str, Any], audits: Sequence[Mapping[str, Any]]
) -> dict[str, object]:
    states = Counter(row["status"] for row in findings["runs"])
    return {
        "runs": len(findings["runs"]),
        "cleared": states["CLEARED"],
        "failed": states["FAILED"],
        "escalated": sum(row["escalated_from"] is not None for row in findings["runs"]),
        "audits": len(audits),
    }


def _reproduction(findings: Mapping[str, Any], logged: Sequence[LoggedEvent]) -> dict[str, object]:
    erasure = findings["erasure"]
    kept = "KEPT" if erasure.get("kept_apart") else "NOT_TOUCHED"
    canaries = any(row["kind"] == "CANARIES" for row in findings["evidence"])
    return {
        "records": "GONE" if erasure["records"] else kept,
        "repeatable": [
            *(["VERDICTS_FROM_KEPT_NUMBERS"] if findings["evidence"] else []),
            *(["PLANTED_CANARIES"] if canaries else []),
        ],
        "score_commitments": sum(one.event.type == "scores_committed" for one in logged),
    }


def _environment(run: UnlearningRun) -> dict[str, object]:
    """Return with what a result was made; the digest is that of ``expunge.environment``."""
    made = run.unlearned.generated_by if run.unlearned else None
    described = made.environment if made else None
    return {
        "run": str(run.pk),
        "seed": str(run.seed),
        "recipe": (made.recipe_digest if made else "") or None,
        "environment": sha256(write_json(described)) if described else None,
    }


def _actors(logged: Sequence[LoggedEvent]) -> list[dict[str, object]]:
    counts = Counter(one.event.actor for one in logged)
    return [{"actor": actor, "events": count} for actor, count in sorted(counts.items())]


def _test_copies(logged: Sequence[LoggedEvent]) -> dict[str, Any]:
    trained: dict[str, int] = {}
    for one in logged:
        if one.event.type == "shadows_registered":
            run, count = str(one.event.data["run"]), int(str(one.event.data["count"]))
            trained[run] = max(trained.get(run, 0), count)
    if not trained:
        return none("NO_SHADOW_MODEL")
    purged = [one for one in logged if one.event.type in ("shadows_purged", "shadows_expired")]
    made = [one.event.at for one in logged if one.event.type == "shadows_registered"]
    return {
        "trained": sum(trained.values()),
        "destroyed": sum(int(str(one.event.data["count"])) for one in purged),
        "remaining": int(str(purged[-1].event.data["remaining"]))
        if purged
        else sum(trained.values()),
        "readings": sum(one.event.type == "erasure_view_opened" for one in logged),
        "first_at": made[0],
        "destroyed_at": purged[-1].event.at if purged else None,
    }


def _utility(evidence: Sequence[Mapping[str, Any]]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for row in evidence:
        kept = (row["payload"].get("kept") or {}).get("utility") or {}
        for part in ("retained", "test"):
            if f"reference_{part}" in kept:
                sides = kept[f"reference_{part}"], kept[f"unlearned_{part}"]
                found.append(_accuracy(row, f"SHADOWS_{part.upper()}", *sides))
        if row["kind"] == "RELEASE" and row["payload"].get("accuracy"):
            gate = row["payload"]["accuracy"]
            found.append(_accuracy(row, "OLD_AND_NEW_VERSION", gate["before"], gate["after"]))
    return found


def _accuracy(
    row: Mapping[str, Any], measured: str, before: float | None, after: float | None
) -> dict[str, object]:
    return {"run": row["run"], "measured": measured, "before": before, "after": after}


def _others(
    request: ErasureRequest, audits: Sequence[Mapping[str, Any]], runs: Sequence[UnlearningRun]
) -> dict[str, object]:
    sides = [{str(run.target), str(run.unlearned)} for run in runs if run.unlearned_id]
    both = {one.reader for one in (*exposed(), *followers()) if set(one.versions) in sides}
    versions = affected_versions(request)
    gone = versions.filter(state=GONE).count()
    return {
        "readers_of_both": len(both),
        "retained_measured": sum(bool(row["payload"].get("retained")) for row in audits),
        "old_versions_gone": gone,
        "old_versions_left": versions.count() - gone,
    }
