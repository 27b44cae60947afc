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

from audits.core.attainable import power_of
from audits.core.bounds import SMALLEST_SAMPLE, gaussian_bound
from audits.core.estimates import Measurements, Utility
from audits.core.harness import Deployment, findings
from audits.core.hypotheses import hypotheses
from audits.core.kept import Kept, KeptContrast
from audits.core.levels import Terms, contrast, records_without_signal, subject_estimates
from audits.core.likelihood import SMALLEST_FIT, TooFewModels, forward, instance_test
from audits.core.policy import Mode
from audits.core.terms import terms_of
from audits.core.verdict import Outcome, Verdict, decide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from audits.core.estimates import InstanceTest
    from audits.core.policy import EvidencePolicy
    from audits.core.shadow_scores import ShadowScores

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]
    Integers: TypeAlias = NDArray[np.int64]

__all__ = [
    "contrast",
    "keep",
    "keep_contrast",
    "measure",
    "measure_under",
    "recompute",
    "recompute_all",
    "records_without_signal",
]


def keep(
    scores: ShadowScores,
    *,
    seed: int,
    index: Integers,
    deployment: Deployment | None = None,
    subjects: Integers | None = None,
) -> Kept:
    """Reduce the score matrices to what may be kept.

    Where the shadow models learned surrogates, the deployed model's own records are not among
    their scores: run ``instance_test`` on models that never saw them and ``replace`` the field.

    Args:
        scores: the experiment, models in the order of training.
        seed: of the harness's random halves.
        index: a random permutation of the k records, drawn for this case and then forgotten.
        deployment: recipe and accuracy of the deployed model, for the harness checks.
        subjects: which of several subjects each record is of, see ``keep_contrast``.

    Raises:
        TooFewModels: an arm has fewer than six models.
    """
    broken = findings(scores, deployment or Deployment(), seed=seed)
    if broken:
        scores = _finite(scores)
    member = scores.member
    return Kept(
        models_per_arm=int(min(member.sum(), (~member).sum())),
        before=keep_contrast(scores.before, member, index, subjects=subjects),
        leak=keep_contrast(scores.after, member, index, subjects=subjects),
        equivalence=_equivalence(scores, index, subjects),
        utility=_utility(scores),
        instance=_instance(scores),
        findings=broken,
    )


def measure(kept: Kept, alpha: float, *, policy: EvidencePolicy | None = None) -> Measurements:
    """Estimate every contrast with one-sided bounds at ``alpha``.

    With a policy also what follows from it: the hypotheses that a fail is corrected over, what
    earlier attempts left, what the number of models can show.
    """
    terms = Terms.fixed(alpha) if policy is None else terms_of(kept, alpha, policy)
    # Only the claim is dearer after a failed attempt: what was seen before it stays as it is.
    plain = replace(terms, upper=terms.alpha)
    measured = Measurements(
        alpha=alpha,
        before=contrast(kept.before, plain),
        leak=contrast(kept.leak, terms),
        equivalence=contrast(kept.equivalence, terms) if kept.equivalence else None,
        utility=kept.utility,
        findings=kept.findings,
        instance_p=kept.instance.p_value if kept.instance else None,
        can_pass=kept.can_pass,
        attempt=kept.attempt,
        debt=kept.debt,
        least_seen=_least_seen(kept.before, plain),
    )
    if policy is None:
        return measured
    return replace(
        measured,
        hypotheses=hypotheses(kept.leak, measured.leak, terms, policy.margin),
        spent=kept.attempt > 1 and policy.mode is Mode.LOOKS,
        power=power_of(kept.leak, terms, policy.margin),
    )


def _least_seen(before: KeptContrast, terms: Terms) -> float | None:
    """Return the smallest lower bound of several subjects, each at the full error; else None."""
    if not before.subjects_in:
        return None
    return min(found.lower for found in subject_estimates(before, terms))


def measure_under(kept: Kept, policy: EvidencePolicy) -> Measurements:
    """Estimate every contrast as the policy says.

    Raises:
        NotALook: the policy did not plan a verdict at this number of models.
    """
    return measure(kept, policy.alpha_at(kept.models_per_arm), policy=policy)


def recompute(kept: Kept, policy: EvidencePolicy) -> Verdict:
    """Return the verdict from the kept numbers only.

    Raises:
        NotALook: the policy did not plan a verdict at this number of models.
    """
    return decide(policy, measure_under(kept, policy))


def recompute_all(attacks: Mapping[str, Kept], policy: EvidencePolicy) -> Verdict:
    """Return the verdict of several attacks on one experiment, by name, from what each kept.

    An attack of the policy that is not among them could not be made: then nothing passes.

    Raises:
        NotALook: the policy did not plan a verdict at one of their numbers of models.
        ValueError: no attack is given.
    """
    named = attacks if len(attacks) > 1 else dict(zip([""], attacks.values(), strict=False))
    found = decide(policy, {name: measure_under(kept, policy) for name, kept in named.items()})
    missing = ", ".join(name for name in policy.attacks if name not in attacks)
    if not missing or found.outcome not in {Outcome.PASS_LEAK, Outcome.PASS_STRICT}:
        return found
    reason = f"The policy asks for attacks that could not be made: {missing}."
    return Verdict(outcome=Outcome.INCONCLUSIVE, reasons=(reason, *found.reasons))


def _finite(scores: ShadowScores) -> ShadowScores:
    """Return the experiment with numbers in every place: an invalid one is recorded too."""
    matrices = {
        name: np.nan_to_num(matrix, posinf=0.0, neginf=0.0)
        for name in ("before", "after", "retrained", "deployed")
        if (matrix := getattr(scores, name)) is not None
    }
    return replace(scores, **matrices)


def keep_contrast(
    scores: Floats, member: Flags, index: Integers, *, subjects: Integers | None = None
) -> KeptContrast:
    """Judge every model and keep the counts.

    Args:
        scores: one row per model in the order of training, shape [n, k].
        member: whether a model learned the records, shape [n].
        index: a permutation of the records, shape [k].
        subjects: which of several subjects each record is of, in the order of the scores and in
            random numbers from 0 without a gap, shape [k]; None where all are of one.

    Raises:
        TooFewModels: an arm has fewer than six models.
    """
    kept = keep_ratios(forward(scores, member), member, index, subjects=subjects)
    judged = _judged_last(scores, member, kept)
    return replace(kept, record_shift=_record_shift(*judged))


def _judged_last(scores: Floats, member: Flags, kept: KeptContrast) -> tuple[Floats, Floats]:
    """Return the scores of the judged models of each arm: all but the first few."""
    return scores[member][-kept.n_in :], scores[~member][-kept.n_out :]


def keep_ratios(
    ratios: Floats, member: Flags, index: Integers, *, subjects: Integers | None = None
) -> KeptContrast:
    """Keep the counts of ratios above zero; NaN for models that were not judged, shape [n, k].

    ``subjects`` are as in ``keep_contrast``.

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
    owners = None if subjects is None or subjects.max() == 0 else subjects[index]
    return KeptContrast(
        averages_in=_floats((inside > 0).mean(1)),
        averages_out=_floats((outside <= 0).mean(1)),
        subject_in=_floats(inside.sum(1)),
        subject_out=_floats(outside.sum(1)),
        right_in=_integers((inside > 0).sum(0)),
        right_out=_integers((outside <= 0).sum(0)),
        subjects_in=_by_subject(inside, owners),
        subjects_out=_by_subject(outside, owners),
    )


def _by_subject(ratios: Floats, owners: Integers | None) -> tuple[tuple[float, ...], ...]:
    if owners is None:
        return ()
    return tuple(
        _floats(ratios[:, owners == owner].sum(1)) for owner in range(int(owners.max()) + 1)
    )


def _record_shift(inside: Floats, outside: Floats) -> float | None:
    """Return the largest distance of a record's arms if all of them look Gaussian."""
    if min(len(inside), len(outside)) < SMALLEST_SAMPLE:
        return None
    largest = 0.0
    for record in range(inside.shape[1]):
        found = gaussian_bound(inside[:, record], outside[:, record], 0.5)
        if not found.usable:
            return None
        largest = max(largest, found.shift)
    return largest


def _floats(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _integers(values: Integers) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


def _equivalence(
    scores: ShadowScores, index: Integers, subjects: Integers | None
) -> KeptContrast | None:
    if scores.retrained is None:
        return None
    unlearned = scores.after[scores.member]
    member = np.arange(len(unlearned) + len(scores.retrained)) < len(unlearned)
    both = np.vstack([unlearned, scores.retrained])
    return keep_contrast(both, member, index, subjects=subjects)


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
