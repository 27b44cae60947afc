"""Judge an unlearning from a notebook, by the audit that the platform makes of a case.

    from audits.library import audit

    judged = audit(case, "finetune", original=original, deployed=unlearned)
    print(judged)

``case`` is an ``unlearning.library.Experiment``. The shadow models are trained here, one after
the other, by the recipe and method of the case; what they are asked, how the bounds are drawn and
the order of the rules are those of docs/evidence.md. What the platform knows besides is left out:
whose records are whose, other cases, earlier attempts. So what is concluded here closes no case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from audits.core.attack import RecordAttack
from audits.core.contrast import keep, measure_under, recompute_all
from audits.core.design import TwinDesign, canaries_for, derived_seed
from audits.core.drawn_sets import drawn_sets
from audits.core.evidence_file import write
from audits.core.harness import Deployment
from audits.core.kinds import of_kind
from audits.core.look_account import account_of, comparisons, effect_of
from audits.core.other_attacks import other_attacks
from audits.core.policy import MAIN_ATTACK, USUAL_ATTACKS, AuditData, EvidencePolicy, PolicyRefused
from audits.core.scores import scores_of
from audits.core.shadow_material import Asked
from audits.core.shadow_rows import stack
from audits.core.shadows import ShadowData, train_shadow, with_retrained
from audits.core.verdict import Outcome
from unlearning.core.session import Session
from unlearning.library import method_named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from audits.core.estimates import Estimate
    from audits.core.kept import Kept
    from audits.core.shadow_rows import ShadowRow
    from audits.core.shadow_scores import ShadowScores
    from audits.core.verdict import Verdict
    from unlearning.core.examples import Examples
    from unlearning.core.method import Method
    from unlearning.library import Experiment

__all__ = ["Audit", "EvidencePolicy", "audit", "own_records"]

KIND, PHASE, NEIGHBOURHOOD = "U_LIRA", "shadow models", "neighbourhood"


def own_records(**fields: Any) -> EvidencePolicy:  # noqa: ANN401  (fields of a policy)
    """Return the library's default policy, or one with other fields.

    It trains on the records themselves; the default of the platform, ``surrogate``, on others
    that stand in for them.

    Raises:
        PolicyRefused: the sentence names the field, the value and what is allowed.
    """
    usual = {"audit_data": AuditData.OWN_RECORDS, "attacks": USUAL_ATTACKS}
    return EvidencePolicy(**(usual | fields))


@dataclass(frozen=True, kw_only=True, eq=False)
class Audit:
    """What came out; ``print`` it to read it.

    Attributes:
        method: the name of the method that was judged.
        policy: the rules, fixed before the first shadow model.
        verdict: the outcome and its reasons.
        scores: of all shadow models, in the order of training.
        kept: what each attack kept, by name: enough to draw the verdict again.
        payload: all that evidence says of it, as JSON values.
    """

    method: str
    policy: EvidencePolicy
    verdict: Verdict
    scores: ShadowScores
    kept: dict[str, Kept]
    payload: dict[str, Any]

    def evidence(self) -> bytes:
        """Return the evidence file, which ``python -m audits.core.recheck`` judges again."""
        return write(
            kind=KIND,
            payload=self.payload,
            policy=self.policy.as_dict(),
            outcome=self.verdict.outcome.value,
            reasons=self.verdict.reasons,
        )

    def __str__(self) -> str:
        """Return outcome, bounds at each level and reasons, for reading."""
        outcome, models = self.verdict.outcome.value, len(self.scores.member)
        measured = measure_under(self.kept[MAIN_ATTACK], self.policy)
        bounds = (
            f"  {level.words}: advantage before {_ranged(measured.before.at(level))}, after "
            f"{_ranged(measured.leak.at(level))}, margin {self.policy.margin(level):.2f}"
            for level in self.policy.levels
        )
        return "\n".join(
            [
                f"{outcome}: {self.method}, {models} shadow models",
                *bounds,
                *(f"  - {each}" for each in self.verdict.reasons),
            ]
        )


def _ranged(found: Estimate) -> str:
    return f"{found.estimate:.2f} [{found.lower:.2f}, {found.upper:.2f}]"


def audit(
    case: Experiment,
    method: str,
    *,
    original: nn.Module | None = None,
    deployed: nn.Module | None = None,
    policy: EvidencePolicy | None = None,
    **settings: Any,  # noqa: ANN401  (numbers of a method)
) -> Audit:
    """Train shadow models, attack them before and after unlearning, and conclude.

    It goes on to the next look of the policy where one was inconclusive.

    Args:
        case: recipe and sets; ``unseen`` holds a twin of each record to forget, and the records
            for canaries and tests.
        method: the name of the method that is judged.
        original: the model before, whose accuracy must be like that of the shadow models.
        deployed: the unlearned model, which must not stand out from those that never saw F.
        policy: the rules; ``own_records()`` where none are given.
        **settings: hyperparameters of the method, as they were for the deployed model.

    Raises:
        NoExamples: ``forget`` is empty.
        NoTwin: ``unseen`` is too small; the sentence says by how much.
        PolicyRefused: the policy asks for surrogates, or for an attack that there is not.
        UnknownName, UnknownSetting, OutOfRange: there is no such method or setting.
    """
    policy = policy or own_records()
    procedure = _Repeated(case=case, method=method_named(method, **settings))
    attacks = _attacks(policy)
    design = TwinDesign(
        seed=derived_seed(case.seed, "audit"),
        looks=policy.looks,
        canaries=canaries_for(policy.looks, compared=deployed is not None),
    )
    data = drawn_sets(case, design, copies=NEIGHBOURHOOD in policy.attacks)
    rows: list[ShadowRow] = []
    judged: Audit | None = None
    for look in policy.looks:
        for number in range(len(rows), 2 * look):
            case.progress(PHASE, number, 2 * look)
            rows.append(_row(number, design, procedure, data, policy))
        case.progress(PHASE, 2 * look, 2 * look)
        seen = _Seen(rows=rows, design=design, data=data, policy=policy)
        judged = _judged(method, seen, attacks, _Models(before=original, after=deployed))
        if judged.verdict.outcome is not Outcome.INCONCLUSIVE:
            break
    assert judged is not None  # noqa: S101  (a policy has a look)
    return judged


@dataclass(frozen=True, kw_only=True)
class _Repeated:
    """Trains and unlearns as the case does, each time with another seed."""

    case: Experiment
    method: Method

    def train(self, examples: Examples, seed: int) -> nn.Module:
        """Return a model trained from scratch."""
        return self.case.recipe.train(examples, Session(seed=seed, device=self.case.device))

    def unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, seed: int
    ) -> nn.Module:
        """Return the unlearned model."""
        return self.method.unlearn(model, retain, forget, self.case.context(seed))


@dataclass(frozen=True, kw_only=True)
class _Models:
    """The model of the case before and after, where they are given."""

    before: nn.Module | None
    after: nn.Module | None


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """The shadow models so far."""

    rows: Sequence[ShadowRow]
    design: TwinDesign
    data: ShadowData
    policy: EvidencePolicy


def _attacks(policy: EvidencePolicy) -> dict[str, RecordAttack]:
    """Return the attacks beside U-LiRA.

    Raises:
        PolicyRefused: see ``audit``.
    """
    if policy.audit_data is not AuditData.OWN_RECORDS:
        raise PolicyRefused(
            f"audit_data is {policy.audit_data.value!r}; nobody stands in for anybody here, use "
            f"own_records."
        )
    known = of_kind(RecordAttack)
    if unknown := [name for name in policy.attacks if name not in known]:
        raise PolicyRefused(f"attacks holds {unknown[0]!r}; there are {', '.join(known)}.")
    return {name: known[name]() for name in policy.attacks[1:]}


def _row(
    number: int,
    design: TwinDesign,
    procedure: _Repeated,
    data: ShadowData,
    policy: EvidencePolicy,
) -> ShadowRow:
    row = train_shadow(number, design, procedure, data)
    compared = policy.equivalence and row.member
    return with_retrained(row, design, procedure, data) if compared else row


def _judged(
    method: str, seen: _Seen, attacks: Mapping[str, RecordAttack], models: _Models
) -> Audit:
    deployed = scores_of(models.after, seen.data.forget)[0] if models.after else None
    scores = stack(seen.rows, deployed=deployed)
    records = np.arange(scores.before.shape[1])
    # Written nowhere: what is kept must not say which record is which.
    index = np.random.default_rng().permutation(len(records))
    kept = keep(scores, seed=seen.design.seed, index=index, deployment=_deployment(seen, models))
    asked = Asked(columns=records, member=scores.member, index=index)
    others, not_made = _others(attacks, kept, seen, asked)
    every = {MAIN_ATTACK: kept, **others}
    verdict = recompute_all(every, seen.policy)
    account = account_of(every, verdict, seen.policy, not_made)
    return Audit(
        method=method,
        policy=seen.policy,
        verdict=verdict,
        scores=scores,
        kept=every,
        payload={**account, **_beside(seen, scores)},
    )


def _others(
    attacks: Mapping[str, RecordAttack], kept: Kept, seen: _Seen, asked: Asked
) -> tuple[dict[str, Kept], dict[str, str]]:
    if kept.findings:  # an experiment that is broken, perhaps by scores that are no numbers
        return {}, dict.fromkeys(attacks, "The experiment is not sound.")
    return other_attacks(attacks, kept, seen.rows, asked)


def _deployment(seen: _Seen, models: _Models) -> Deployment:
    tested = (
        None if model is None else float(scores_of(model, seen.data.test)[1].mean())
        for model in (models.before, models.after)
    )
    before, after = tested
    return Deployment(test_before=before, test_after=after)


def _beside(seen: _Seen, scores: ShadowScores) -> dict[str, Any]:
    """Return what evidence says besides the account of the attacks."""
    exposed = [(row.exposure_before, row.exposure_after) for row in seen.rows]
    return {
        "comparisons": comparisons(scores, seed=seen.design.seed),
        "retained": effect_of(exposed, seen.policy.alpha),
        "engine": {"path": "sequential", "models": {"sequential": len(seen.rows)}},
        "policy_digest": seen.policy.digest(),
        "design_digest": seen.design.digest(),
    }
