"""One attack carried out on every model of a shadow experiment, with only the models before it.

Whatever an attack fits, tunes or compares with, the i-th model of either arm is attacked with the
first i - 1 models of both (ADR 12). So a score depends, given the past, on one new model, more
models never change it, and the bounds that hold for U-LiRA hold for every attack.

A score becomes a guess by a likelihood ratio. An attack whose score is one (``is_ratio``) is taken
at its word. Any other score is only an order, so ``forward`` fits densities to the scores of the
models before: a second stage with a burn-in of its own, over the models that were scored at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from audits.core.attack import NothingToAttackWith, Observations, References
from audits.core.contrast import keep_ratios
from audits.core.features import Outputs
from audits.core.likelihood import forward
from audits.core.shadow_scores import ScoresRefused

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.core.attack import RecordAttack
    from audits.core.kept import Kept, KeptContrast

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]
    Integers: TypeAlias = NDArray[np.int64]


class NoVerdict(ValueError):
    """The attack tells something else than whether an erasure succeeded."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What n shadow models answered at one moment, in the order of training.

    Attributes:
        margins: of the k questioned records, [n, k].
        neighbours: of q copies of each, [n, k, q], or None.
        strangers: margins of p strangers, which no model learned, [n, p], or None.
        outputs: whole outputs on the questioned records, one per model; empty where only margins
            were kept.
        stranger_outputs: the same on the strangers.
        member_outputs: the same on records that every model learned.
    """

    margins: Floats
    neighbours: Floats | None = None
    strangers: Floats | None = None
    outputs: tuple[Outputs, ...] = ()
    stranger_outputs: tuple[Outputs, ...] = ()
    member_outputs: tuple[Outputs, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is not there for every model.

        Raises:
            ScoresRefused: the sentence names the field, and how many models it has.
        """
        models = len(self.margins)
        for name, values in vars(self).items():
            if values is not None and len(values) not in {models, 0}:
                raise ScoresRefused(
                    f"{name} has answers of {len(values)} models; there are {models}."
                )

    def followed_by(self, others: Answers) -> Answers:
        """Return the margins of both groups of models, of what both were asked."""
        return Answers(
            margins=np.concatenate([self.margins, others.margins]),
            neighbours=_joined(self.neighbours, others.neighbours),
            strangers=_joined(self.strangers, others.strangers),
        )

    def of_models(self, chosen: Flags) -> Answers:
        """Return the margins that some of the models gave; ``chosen`` has shape [n]."""
        return Answers(
            margins=self.margins[chosen],
            neighbours=None if self.neighbours is None else self.neighbours[chosen],
            strangers=None if self.strangers is None else self.strangers[chosen],
        )

    def target(self, model: int) -> Outputs:
        """Return a model's outputs on the questioned records: whole, or made from margins."""
        return self.outputs[model] if self.outputs else Outputs.from_margins(self.margins[model])

    def unknown(self, model: int) -> Outputs | None:
        """Return a model's outputs on the strangers, or None."""
        if self.stranger_outputs:
            return self.stranger_outputs[model]
        return None if self.strangers is None else Outputs.from_margins(self.strangers[model])


def _joined(mine: Floats | None, theirs: Floats | None) -> Floats | None:
    return None if mine is None or theirs is None else np.concatenate([mine, theirs])


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """A shadow experiment as an attacker could watch it.

    Attributes:
        member: True where a model learned the forget set, False where it learned the twins; [n].
        before: answers of the trained models.
        after: answers of the same models once unlearned.
        retrained: of m models trained with neither forget set nor twins, or None.
    """

    member: Flags
    before: Answers
    after: Answers
    retrained: Answers | None = None

    def __post_init__(self) -> None:
        """Refuse answers that are not of the same models and records.

        Raises:
            ScoresRefused: the sentence names the shapes.
        """
        shapes = self.before.margins.shape, self.after.margins.shape
        if shapes[0] != shapes[1] or self.member.shape != shapes[0][:1]:
            raise ScoresRefused(
                f"member has shape {self.member.shape}, margins before {shapes[0]} and after "
                f"{shapes[1]}; they must be [n], [n, k] and [n, k]."
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class AttackScores:
    """One attack's scores, shape [n, k]; NaN for models with too few models before them.

    ``before`` is None for an attack that compares the two versions.
    """

    before: Floats | None
    after: Floats


def attack_scores(attack: RecordAttack, material: Material) -> AttackScores:
    """Attack every model, before and after unlearning, with only the models before it.

    Raises:
        NothingToAttackWith: the experiment lacks what the attack needs.
        ScoresRefused: a score is not a finite number.
    """
    if attack.reads_outputs and not (material.before.outputs and material.after.outputs):
        raise NothingToAttackWith(
            f"{attack.title} reads whole predictions; of this experiment only margins were kept."
        )
    compares = attack.compares_versions
    return AttackScores(
        before=None if compares else _scores(attack, material.member, material.before, None),
        after=_scores(attack, material.member, material.after, material.before),
    )


def _scores(attack: RecordAttack, member: Flags, now: Answers, then: Answers | None) -> Floats:
    found = np.full(now.margins.shape, np.nan)
    arms = np.flatnonzero(member), np.flatnonzero(~member)
    for arm in arms:
        for turn, model in enumerate(arm):
            past = arms[0][:turn], arms[1][:turn]
            if min(map(len, past)) >= attack.burn_in:
                found[model] = attack.score(_observed(int(model), past, now, then))
                _check_finite(attack, int(model), found[model])
    return found


def _observed(
    model: int, past: tuple[Integers, Integers], now: Answers, then: Answers | None
) -> Observations:
    """Return what an attacker of this model may look at."""
    return Observations(
        target=now.target(model),
        earlier=then.target(model) if then else None,
        neighbours=None if now.neighbours is None else now.neighbours[model],
        members=now.member_outputs[model] if now.member_outputs else None,
        strangers=now.unknown(model),
        learned=_references(past[0], now, then),
        never_saw=_references(past[1], now, then),
    )


def _references(rows: Integers, now: Answers, then: Answers | None) -> References | None:
    if not len(rows):
        return None
    return References(
        margins=now.margins[rows],
        neighbours=None if now.neighbours is None else now.neighbours[rows],
        earlier=then.margins[rows] if then else None,
        strangers=None if now.strangers is None else now.strangers[rows],
    )


def _check_finite(attack: RecordAttack, model: int, scores: Floats) -> None:
    if not np.isfinite(scores).all():
        record = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise ScoresRefused(
            f"{attack.title} gave record {record} the score {scores[record]} under model {model}; "
            f"a score must be a finite number."
        )


def attack_ratios(attack: RecordAttack, scores: Floats, member: Flags) -> Floats:
    """Return log-likelihood ratios from an attack's scores, shape [n, k]; above zero: "learned".

    Models that could not be scored are left out of the second stage, not filled in: they are the
    first of each arm, so those that remain keep their order and their past.

    Raises:
        TooFewModels: fewer than six models of an arm have scores.
    """
    if attack.is_ratio:
        return scores
    scored = ~np.isnan(scores).all(axis=1)
    ratios = np.full_like(scores, np.nan)
    ratios[scored] = forward(scores[scored], member[scored])
    return ratios


def kept_leak(attack: RecordAttack, material: Material, *, index: Integers) -> KeptContrast:
    """Return what is kept of an attack on the unlearned models; of any attack.

    Raises:
        NothingToAttackWith: the experiment lacks what the attack needs.
        TooFewModels: too few models have scores.
    """
    scores = attack_scores(attack, material).after
    return keep_ratios(attack_ratios(attack, scores, material.member), material.member, index)


def judged_by(
    kept: Kept,
    attack: RecordAttack,
    material: Material,
    *,
    index: Integers,
    subjects: Integers | None = None,
) -> Kept:
    """Return the experiment as this attack sees it, for ``recompute`` under the same policy.

    Accuracies, harness findings and the instance test stay those of the experiment. Equivalence to
    retraining is contrasted where retrained models answered what this attack asks.

    Args:
        kept: of the experiment, by its main attack.
        attack: the other one.
        material: what the models answered, in the order of training.
        index: a random permutation of the k records.
        subjects: which of several subjects each record is of, numbered as for ``kept``.

    Raises:
        NoVerdict: the attack compares versions, so that a perfect retraining would fail it.
        NothingToAttackWith: the experiment lacks what the attack needs.
        TooFewModels: too few models have scores.
    """
    scores, member = attack_scores(attack, material), material.member
    if scores.before is None:
        raise NoVerdict(
            f"{attack.title} compares the versions before and after; what it tells says that a "
            f"record was erased, and nothing against the erasure."
        )
    before, leak = (
        keep_ratios(attack_ratios(attack, each, member), member, index, subjects=subjects)
        for each in (scores.before, scores.after)
    )
    equal = _equivalence(attack, material, index, subjects)
    return replace(kept, before=before, leak=leak, equivalence=equal, can_pass=attack.can_pass)


def _equivalence(
    attack: RecordAttack, material: Material, index: Integers, subjects: Integers | None
) -> KeptContrast | None:
    """Return unlearned against retrained models; None where these lack what the attack needs."""
    if material.retrained is None or attack.reads_outputs:
        return None
    unlearned = material.after.of_models(material.member)
    both = unlearned.followed_by(material.retrained)
    member = np.arange(len(both.margins)) < len(unlearned.margins)
    try:
        scores = _scores(attack, member, both, None)
    except NothingToAttackWith:
        return None
    ratios = attack_ratios(attack, scores, member)
    return keep_ratios(ratios, member, index, subjects=subjects)
