"""Judge one look at the shadow models of a run, for each of the cases that it serves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from audits.core.contrast import keep, recompute_all
from audits.core.harness import Deployment
from audits.core.kept import Kept
from audits.core.look_account import comparisons
from audits.core.other_attacks import other_attacks
from audits.core.policy import MAIN_ATTACK, EvidencePolicy
from audits.core.scores import scores_of
from audits.core.shadow_material import Asked
from audits.core.shadow_rows import stack
from audits.core.verdict import Outcome, Verdict
from audits.execution.attacks_known import attack_named
from audits.execution.audit_sets import AuditSets, audit_sets
from audits.execution.figures import figures_of, store_picture
from audits.execution.instance_models import NeverSaw, from_pool, never_saw, ways
from audits.execution.look_payload import committed, owed, payload_of, retained_effect
from audits.execution.look_plot import curve_numbers, look_curves, look_plot
from audits.execution.stored_rows import complete_rows, from_json
from audits.models import AuditPlan, ErasureRequest, Evidence
from audits.queries.attempts import attempts_before
from audits.queries.designs import design_of, instances_of
from audits.queries.forget_sets import subjects_of
from audits.services.verdicts import Finding
from unlearning.execution.loading import load_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from audits.core.design import TwinDesign
    from audits.core.shadow_rows import ShadowRow
    from audits.core.shadow_scores import ShadowScores
    from audits.queries.attempts import Attempt
    from lineage.models import ModelVersion
    from unlearning.models import UnlearningRun

    Integers: TypeAlias = NDArray[np.int64]

# An inconclusive look may be followed by the next; every other outcome ends the audit.
GOES_ON = (Outcome.INCONCLUSIVE,)
SHARED = {Outcome.PASS_LEAK, Outcome.PASS_STRICT, *GOES_ON}  # with which others may go on


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """What is there at one look, of all records that the run forgets."""

    number: int
    plan: AuditPlan
    policy: EvidencePolicy
    design: TwinDesign
    rows: Sequence[ShadowRow]
    scores: ShadowScores
    deployment: Deployment
    attempts: Sequence[Attempt]
    never_saw: NeverSaw | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What was concluded about one subject's records, and what that rests on."""

    kept: dict[str, Kept]
    not_made: dict[str, str]
    verdict: Verdict
    scores: ShadowScores


def judge_look(run: UnlearningRun, number: int) -> list[Finding]:
    """Return evidence and verdict of one look; for each case where the design tells them apart.

    The run goes on to the next look if one of its cases needs it and none has failed.
    """
    look = _look(run, number)
    groups = _groups(look)
    judged = [_judge(look, run, columns, subject) for subject, columns, _ in groups]
    outcomes = {one.verdict.outcome for one in judged}
    last = number == len(look.policy.looks) - 1
    goes_on = not last and outcomes <= SHARED and bool(outcomes & set(GOES_ON))
    told = zip(groups, judged, strict=True)
    return [
        _finding(look, one, case, final=not goes_on)
        for (_, _, cases), one in told
        for case in cases
    ]


def _groups(look: Look) -> list[tuple[int, Integers, list[ErasureRequest | None]]]:
    """Return for each subject of the design its records, by place, and its cases."""
    shared = look.plan.design.get("subjects")
    if shared is None:
        return [(0, np.arange(look.scores.before.shape[1]), [None])]
    places = np.array(look.plan.design["places"], np.int64)
    found = ErasureRequest.objects.in_bulk([pk for names in shared for pk in names])
    by_name = {str(pk): case for pk, case in found.items()}
    return [
        (subject, np.flatnonzero(places == subject), [by_name[name] for name in names])
        for subject, names in enumerate(shared)
    ]


def _look(run: UnlearningRun, number: int) -> Look:
    plan = AuditPlan.objects.select_related("run").get(run=run)
    policy = EvidencePolicy.from_dict(plan.policy)
    sets = audit_sets(plan)
    stored = complete_rows(run.pk, 2 * policy.looks[number])
    rows = [from_json(row) for row in stored]
    deployed = None
    if sets.own is None:
        deployed = scores_of(load_version(_result(run)), sets.data.forget)[0]
    seen = _never_saw(plan, stored, sets)
    paths = ways(stored) + Counter(seen.paths if seen else {})
    return Look(
        number=number,
        plan=plan,
        policy=policy,
        design=design_of(plan),
        rows=rows,
        scores=stack(rows, deployed=deployed),
        deployment=replace(_deployment(run, sets), paths=dict(paths)),
        attempts=attempts_before(plan),
        never_saw=seen,
    )


def _never_saw(
    plan: AuditPlan, stored: Sequence[Mapping[str, Any]], sets: AuditSets
) -> NeverSaw | None:
    """Return what the instance test compares with; None where the own records are learned."""
    if sets.own is None:
        return None
    if (beside := instances_of(plan)) is not None:
        return never_saw(plan, beside)
    return from_pool(stored, scores_of(load_version(_result(plan.run)), sets.own)[0])


def _judge(look: Look, run: UnlearningRun, columns: Integers, subject: int) -> Judged:
    member = look.design.learns[: len(look.rows), subject]
    scores = look.scores.of_records(columns, member)
    # Drawn for this look and written nowhere: the kept set must not say which record is which.
    index = np.random.default_rng().permutation(len(columns))
    owners = _owners(look, run)
    kept = keep(
        scores,
        seed=look.design.seed,
        index=index,
        deployment=look.deployment,
        subjects=owners,
    )
    debt = owed(look.attempts, look.policy)
    kept = replace(kept, attempt=len(look.attempts) + 1, debt=debt)
    if (seen := look.never_saw) is not None:
        findings = (*kept.findings, *seen.findings)
        kept = replace(kept, instance=seen.test(columns), findings=findings)
    asked = Asked(columns=columns, member=member, index=index, owners=owners)
    others, not_made = _others(look, kept, asked)
    everything = {MAIN_ATTACK: kept, **others}
    read = {name: Kept.from_dict(one.as_dict()) for name, one in everything.items()}
    return Judged(
        kept=everything,
        not_made=not_made,
        verdict=recompute_all(read, look.policy),
        scores=scores,
    )


def _owners(look: Look, run: UnlearningRun) -> Integers | None:
    """Return whose each record is where the design does not tell several people apart."""
    owners = subjects_of(run) if look.design.subjects == 1 else None
    return None if owners is None else np.array(owners, np.int64)


def _others(look: Look, kept: Kept, asked: Asked) -> tuple[dict[str, Kept], dict[str, str]]:
    """Return what the other attacks of the policy kept, and why some could not be made."""
    matrices = (look.scores.before, look.scores.after, look.scores.retrained)
    if not all(np.isfinite(one).all() for one in matrices if one is not None):
        return {}, dict.fromkeys(look.policy.attacks[1:], "Some scores are not finite.")
    others = {name: attack_named(name)() for name in look.policy.attacks[1:]}
    return other_attacks(others, kept, look.rows, asked)


def _finding(look: Look, judged: Judged, case: ErasureRequest | None, *, final: bool) -> Finding:
    plan, verdict, run = look.plan, judged.verdict, look.plan.run
    curves = look_curves(judged.scores, seed=look.design.seed)
    rates = curve_numbers(curves)
    payload: dict[str, Any] = {
        **payload_of(judged.kept, verdict, look.policy, look.attempts, judged.not_made),
        "comparisons": comparisons(judged.scores, seed=look.design.seed),
        "retained": retained_effect(run, look.policy.looks[look.number], look.policy.alpha),
        "engine": {
            **plan.design.get("engine", {}),
            "models": dict(look.deployment.paths),
        },
        "instance_models": look.never_saw.models if look.never_saw else 0,
        **({"curves": rates} if rates else {}),
        "figures": figures_of(judged.kept[MAIN_ATTACK], look.policy),
        **committed(plan, look.number),
        "policy_digest": plan.policy_digest,
        "design_digest": plan.design_digest,
    }
    return Finding(
        kind=Evidence.Kind.U_LIRA,
        look=look.number,
        models_per_arm=look.policy.looks[look.number],
        payload=payload,
        plot=store_picture(look_plot(curves)),
        outcome=verdict.outcome.value,
        reasons=verdict.reasons,
        final=final,
        case=case,
    )


def _deployment(run: UnlearningRun, sets: AuditSets) -> Deployment:
    before = scores_of(load_version(run.target), sets.data.test)[1]
    after = scores_of(load_version(_result(run)), sets.data.test)[1]
    captured = run.target.generated_by
    return Deployment(
        shadow_recipe={**sets.recipe.describe(), "digest": sets.recipe.digest()},
        target_recipe={
            "recipe": captured.recipe,
            "parameters": captured.recipe_parameters,
            "digest": captured.recipe_digest,
        },
        test_before=float(before.mean()),
        test_after=float(after.mean()),
    )


def _result(run: UnlearningRun) -> ModelVersion:
    assert run.unlearned is not None  # noqa: S101  (a run that succeeded has one)
    return run.unlearned
