"""Is the experiment itself sound? What is found here makes a verdict invalid, never good or bad.

An attack that misses planted canaries cannot clear anybody; one that tells apart models that do
not differ is reading something else; shadow models made by another recipe answer another question.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy import special

from audits.core.bounds import UnusableArm, average_bounds
from audits.core.canonical import write_json
from audits.core.likelihood import TooFewModels, forward

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from audits.core.bounds import Bounds
    from audits.core.shadow_scores import Canaries, ShadowScores

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]

ALPHA = 0.01
CANARY_ADVANTAGE = 0.5
SATURATED_SHARE = 0.5
ACCURACY_RESOLUTION = 0.005


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What is known of the deployed model besides its scores.

    Attributes:
        shadow_recipe: code, configuration, optimiser, loss, epochs, number of training examples,
            augmentation ... of the shadow models, as JSON values.
        target_recipe: the same of the deployed model.
        test_before: test accuracy of the deployed model before unlearning, or None.
        test_after: the same after unlearning, or None.
        paths: how many shadow models were trained in which way (stacked, sequential).
    """

    shadow_recipe: Mapping[str, Any] = field(default_factory=dict)
    target_recipe: Mapping[str, Any] = field(default_factory=dict)
    test_before: float | None = None
    test_after: float | None = None
    paths: Mapping[str, int] = field(default_factory=dict)


def findings(scores: ShadowScores, deployment: Deployment, *, seed: int) -> tuple[str, ...]:
    """Return a sentence for each check that failed; each errs in one experiment of a hundred."""
    if broken := (*_not_finite(scores), *_saturated(scores)):
        return broken
    return (
        *_recipes(deployment),
        *_paths(deployment),
        *_canaries(scores),
        *_null(scores, seed),
        *_accuracies(scores, deployment),
    )


def canary_bounds(canaries: Canaries, *, alpha: float = ALPHA) -> Bounds:
    """Bound the record-average advantage on planted canaries; the unit is the model.

    Of few canaries a model has one or two, so that its share of right guesses takes few values,
    and some models may agree by chance: they vary by no less than independent guesses would.
    """
    ratios = forward(canaries.scores, canaries.member)
    judged, right = ~np.isnan(ratios), (ratios > 0) == canaries.member
    inside, outside = judged & canaries.member, judged & ~canaries.member
    floors = _independent(right, inside), _independent(right, outside)
    return average_bounds(
        _share(right, inside), _share(right, outside), alpha, variance_floor=floors
    )


def null_bounds(never_seen: Floats, half: Flags, *, alpha: float = ALPHA) -> Bounds:
    """Bound the advantage of telling two halves of the never-seen models apart."""
    ratios = forward(never_seen, half)
    judged, right = ~np.isnan(ratios[:, 0]), (ratios > 0) == half[:, None]
    return average_bounds(right[half & judged].mean(1), right[~half & judged].mean(1), alpha)


def _share(right: Flags, chosen: Flags) -> Floats:
    """Return per model the share of chosen records guessed right; without any, it drops out."""
    count = chosen.sum(1)
    share = (right & chosen).sum(1)[count > 0] / count[count > 0]
    return np.asarray(share, np.float64)


def _independent(right: Flags, chosen: Flags) -> float:
    """Return the variance of a model's share of right guesses if these were independent."""
    count = chosen.sum(1)
    chance = ((right & chosen).sum() + 1) / (count.sum() + 2)
    return float(chance * (1 - chance) * (1 / count[count > 0]).mean()) if count.any() else 0.0


def _matrices(scores: ShadowScores) -> Iterator[tuple[str, Floats]]:
    yield "before unlearning", scores.before
    yield "after unlearning", scores.after
    if scores.retrained is not None:
        yield "after retraining", scores.retrained
    if scores.canaries is not None:
        yield "of the canaries", scores.canaries.scores


def _not_finite(scores: ShadowScores) -> Iterator[str]:
    for name, matrix in _matrices(scores):
        if bad := int((~np.isfinite(matrix)).sum()):
            yield f"{bad} of {matrix.size} scores {name} are not finite."
    if scores.deployed is not None and not np.isfinite(scores.deployed).all():
        yield "The deployed model has scores that are not finite."


def _saturated(scores: ShadowScores) -> Iterator[str]:
    for name, matrix in _matrices(scores):
        ordered = np.sort(matrix, axis=0)
        repeated = (np.diff(ordered, axis=0) == 0).mean(0)
        if stuck := int((repeated > SATURATED_SHARE).sum()):
            yield (
                f"Scores {name} are saturated: {stuck} of {matrix.shape[1]} records have the "
                f"same score under most models."
            )


def _recipes(deployment: Deployment) -> Iterator[str]:
    shadow, target = deployment.shadow_recipe, deployment.target_recipe
    differing = [
        name
        for name in sorted({*shadow, *target})
        if name not in shadow
        or name not in target
        or write_json(shadow[name]) != write_json(target[name])
    ]
    if differing:
        yield f"Shadow models and the deployed model differ in recipe: {', '.join(differing)}."


def _paths(deployment: Deployment) -> Iterator[str]:
    if len(deployment.paths) > 1:
        told = ", ".join(f"{number} {path}" for path, number in sorted(deployment.paths.items()))
        yield (
            f"Shadow models were trained in different ways ({told}); an arm that has more of one "
            f"may differ for that reason alone."
        )


def _canaries(scores: ShadowScores) -> Iterator[str]:
    if scores.canaries is None:
        return
    try:
        found = canary_bounds(scores.canaries)
    except (TooFewModels, UnusableArm) as error:
        yield f"The canaries cannot be evaluated. {error}"
        return
    if not found.lower > CANARY_ADVANTAGE:
        yield (
            f"The attack does not see planted canaries: its advantage is only known to be at "
            f"least {found.lower:.3f} (estimate {found.estimate:.3f}), and {CANARY_ADVANTAGE} "
            f"is needed."
        )


def _null(scores: ShadowScores, seed: int) -> Iterator[str]:
    never_seen = scores.after[~scores.member]
    place = np.arange(len(never_seen))
    shuffled = np.random.default_rng(seed).permutation(place)
    splits = {"at random": shuffled % 2 == 0, "by order of training": place < len(place) // 2}
    for name, half in splits.items():
        try:
            found = null_bounds(never_seen, half, alpha=ALPHA / 2)
        except TooFewModels:
            continue  # fewer than twelve models are too few to be halved
        if found.lower > 0:
            yield (
                f"The attack tells apart models that never saw the records, split {name}: "
                f"advantage at least {found.lower:.3f}."
            )


def _accuracies(scores: ShadowScores, deployment: Deployment) -> Iterator[str]:
    if scores.accuracies is None:
        return
    pairs = (
        ("before", scores.accuracies.test_before, deployment.test_before),
        ("after", scores.accuracies.test_after, deployment.test_after),
    )
    for name, shadows, deployed in pairs:
        low, high = accuracy_band(shadows)
        if deployed is not None and not low <= deployed <= high:
            yield (
                f"The deployed model's test accuracy {name} unlearning is {deployed:.4f}, outside "
                f"the shadow models' 99 % band from {low:.4f} to {high:.4f}."
            )


def accuracy_band(accuracies: Floats) -> tuple[float, float]:
    """Return the 99 % prediction interval for one more model's accuracy (Student's t)."""
    count = len(accuracies)
    spread = max(float(accuracies.std(ddof=1)), ACCURACY_RESOLUTION)
    reach = float(special.stdtrit(count - 1, 0.995)) * spread * np.sqrt(1 + 1 / count)
    return float(accuracies.mean() - reach), float(accuracies.mean() + reach)
