"""Three contrasts from score matrices: before unlearning, the leak after it, and retraining.

Everything is estimated from the kept numbers alone, so that a verdict recomputed after the scores
are purged is the verdict. Unit of every bound: the model.

The bounds are about the attacks that were fitted, each judged on a model it had not seen: an
attacker with more shadow models may do better where each record leaks little. The subject level
and the sensitivity required for a pass are there for that reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from audits.core.bounds import Bounds, average_bounds, gaussian_bound, guess_bounds
from audits.core.estimates import Contrast, Estimate, Measurements, Utility
from audits.core.harness import Deployment, findings
from audits.core.kept import Kept, KeptContrast
from audits.core.likelihood import SMALLEST_FIT, TooFewModels, forward, instance_test
from audits.core.verdict import decide

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.core.estimates import InstanceTest
    from audits.core.policy import EvidencePolicy
    from audits.core.shadow_scores import ShadowScores
    from audits.core.verdict import Verdict

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]
    Integers: TypeAlias = NDArray[np.int64]

UNIT = "model"


def keep(
    scores: ShadowScores, *, seed: int, index: Integers, deployment: Deployment | None = None
) -> Kept:
    """Reduce the score matrices to what may be kept.

    Where the shadow models learned surrogates, the deployed model's own records are not among
    their scores: run ``instance_test`` on models that never saw them and ``replace`` the field.

    Args:
        scores: the experiment, models in the order of training.
        seed: of the harness's random halves.
        index: a random permutation of the k records, drawn for this case and then forgotten.
        deployment: recipe and accuracy of the deployed model, for the harness checks.

    Raises:
        TooFewModels: an arm has fewer than six models.
    """
    broken = findings(scores, deployment or Deployment(), seed=seed)
    if broken:
        scores = _finite(scores)
    member = scores.member
    return Kept(
        models_per_arm=int(min(member.sum(), (~member).sum())),
        before=keep_contrast(scores.before, member, index),
        leak=keep_contrast(scores.after, member, index),
        equivalence=_equivalence(scores, index),
        utility=_utility(scores),
        instance=_instance(scores),
        findings=broken,
    )


def measure(kept: Kept, alpha: float) -> Measurements:
    """Estimate every contrast with one-sided bounds at ``alpha``."""
    return Measurements(
        alpha=alpha,
        before=contrast(kept.before, alpha),
        leak=contrast(kept.leak, alpha),
        equivalence=contrast(kept.equivalence, alpha) if kept.equivalence else None,
        utility=kept.utility,
        findings=kept.findings,
        instance_p=kept.instance.p_value if kept.instance else None,
        can_pass=kept.can_pass,
    )


def recompute(kept: Kept, policy: EvidencePolicy) -> Verdict:
    """Return the verdict from the kept numbers only.

    Raises:
        NotALook: the policy did not plan a verdict at this number of models.
    """
    return decide(policy, measure(kept, policy.alpha_at(kept.models_per_arm)))


def contrast(kept: KeptContrast, alpha: float) -> Contrast:
    """Estimate one contrast at every level."""
    return Contrast(
        record_average=_record_average(kept, alpha),
        subject=_subject(kept, alpha),
        worst_record=_worst_record(kept, alpha),
    )


def records_without_signal(kept: KeptContrast, alpha: float) -> tuple[int, ...]:
    """Return the random indices of records that the attack was not shown to see."""
    lower = np.asarray(_record_guesses(kept, alpha).lower)
    return tuple(int(position) for position in np.flatnonzero(lower <= 0))


def _finite(scores: ShadowScores) -> ShadowScores:
    """Return the experiment with numbers in every place: an invalid one is recorded too."""
    matrices = {
        name: np.nan_to_num(matrix, posinf=0.0, neginf=0.0)
        for name in ("before", "after", "retrained", "deployed")
        if (matrix := getattr(scores, name)) is not None
    }
    return replace(scores, **matrices)


def keep_contrast(scores: Floats, member: Flags, index: Integers) -> KeptContrast:
    """Judge every model and keep the counts; shapes [n, k], [n] and [k], a permutation.

    Raises:
        TooFewModels: an arm has fewer than six models.
    """
    return keep_ratios(forward(scores, member), member, index)


def keep_ratios(ratios: Floats, member: Flags, index: Integers) -> KeptContrast:
    """Keep the counts of ratios above zero; NaN for models that were not judged, shape [n, k].

    Raises:
        TooFewModels: fewer than two models of an arm were judged.
    """
    ratios = ratios[:, index]
    judged = ~np.isnan(ratios[:, 0])
    inside, outside = ratios[member & judged], ratios[~member & judged]
    if min(len(inside), len(outside)) < SMALLEST_FIT:
        raise TooFewModels(
            f"Of the two arms {len(inside)} and {len(outside)} models were judged; it takes two."
        )
    return KeptContrast(
        averages_in=_floats((inside > 0).mean(1)),
        averages_out=_floats((outside <= 0).mean(1)),
        subject_in=_floats(inside.sum(1)),
        subject_out=_floats(outside.sum(1)),
        right_in=_integers((inside > 0).sum(0)),
        right_out=_integers((outside <= 0).sum(0)),
    )


def _floats(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _integers(values: Integers) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


def _equivalence(scores: ShadowScores, index: Integers) -> KeptContrast | None:
    if scores.retrained is None:
        return None
    unlearned = scores.after[scores.member]
    member = np.arange(len(unlearned) + len(scores.retrained)) < len(unlearned)
    return keep_contrast(np.vstack([unlearned, scores.retrained]), member, index)


def _utility(scores: ShadowScores) -> Utility | None:
    """Compare unlearned models with trained models that never saw the records."""
    found = scores.accuracies
    if found is None:
        return None
    never_saw = ~scores.member
    return Utility(
        reference_retained=float(found.retained_before[never_saw].mean()),
        unlearned_retained=float(found.retained_after.mean()),
        reference_test=float(found.test_before[never_saw].mean()),
        unlearned_test=float(found.test_after.mean()),
    )


def _instance(scores: ShadowScores) -> InstanceTest | None:
    if scores.deployed is None:
        return None
    learned = scores.before[scores.member]
    return instance_test(scores.after[~scores.member], scores.deployed, learned=learned)


def _estimate(bounds: Bounds, kept: KeptContrast, model_based: float | None = None) -> Estimate:
    return Estimate(
        estimate=float(bounds.estimate),
        lower=float(bounds.lower),
        upper=float(bounds.upper),
        method=bounds.method,
        unit=UNIT,
        n_in=kept.n_in,
        n_out=kept.n_out,
        model_based_upper=model_based,
    )


def _record_average(kept: KeptContrast, alpha: float) -> Estimate:
    bounds = average_bounds(
        np.array(kept.averages_in),
        np.array(kept.averages_out),
        alpha,
        variance_floor=(
            _independent_variance(kept.right_in, kept.n_in),
            _independent_variance(kept.right_out, kept.n_out),
        ),
    )
    return _estimate(bounds, kept)


def _independent_variance(right: tuple[int, ...], models: int) -> float:
    """Return the variance of a model's share of right guesses if records were independent."""
    chance = (np.array(right) + 1) / (models + 2)
    return float((chance * (1 - chance)).sum() / len(right) ** 2)


def _subject(kept: KeptContrast, alpha: float) -> Estimate:
    inside, outside = np.array(kept.subject_in), np.array(kept.subject_out)
    right = (int((inside > 0).sum()), int((outside <= 0).sum()))
    bounds = guess_bounds(right[0], kept.n_in, right[1], kept.n_out, alpha)
    if min(kept.n_in, kept.n_out) < 4:  # noqa: PLR2004  (a Gaussian cannot be checked)
        return _estimate(bounds, kept)
    model_based = gaussian_bound(inside, outside, alpha)
    return _estimate(bounds, kept, model_based.upper if model_based.usable else None)


def _record_guesses(kept: KeptContrast, alpha: float) -> Bounds:
    return guess_bounds(kept.right_in, kept.n_in, kept.right_out, kept.n_out, alpha)


def _worst_record(kept: KeptContrast, alpha: float) -> Estimate:
    """Return the largest bounds over records; the lower one is corrected for the choice."""
    plain = _record_guesses(kept, alpha)
    chosen = _record_guesses(kept, alpha / len(kept.right_in))
    worst = Bounds(
        estimate=np.max(plain.estimate),
        lower=np.max(chosen.lower),
        upper=np.max(plain.upper),
        method=f"largest of {len(kept.right_in)} records, {plain.method}",
    )
    return _estimate(worst, kept)
