"""The verdict on a run from a certificate and the test of this run alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from audits.core.certificate import CERTIFYING
from audits.core.contrast import recompute_all
from audits.core.harness import accuracy_band
from audits.core.kept import Kept, kept_by_attack
from audits.core.policy import EvidencePolicy, NotALook, PolicyRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from audits.core.certificate import Certificate
    from audits.core.estimates import InstanceTest

    Floats: TypeAlias = NDArray[np.float64]


def recomputes(certificate: Certificate) -> bool:
    """Return whether the certificate's outcome comes out of its kept numbers under its policy."""
    try:
        policy = EvidencePolicy.from_dict(certificate.policy)
        again = recompute_all(kept_by_attack(certificate.kept), policy)
    except (AttributeError, KeyError, TypeError, NotALook, PolicyRefused):
        return False
    return again.outcome.value == certificate.outcome and certificate.outcome in CERTIFYING


def with_instance(
    certificate: Certificate,
    instance: InstanceTest,
    findings: Sequence[str],
    *,
    attempt: int = 1,
    debt: float = 0.0,
) -> dict[str, Kept]:
    """Return what each attack kept in the certificate, with the test of this run in it.

    The usual rules judge them: what is broken makes the audit invalid, a deployed model that
    stands out fails, and otherwise the certificate's pass holds. ``attempt`` and ``debt`` are of
    the run: who failed before is not spared by a certificate.
    """
    return {
        name: replace(
            kept,
            instance=instance,
            findings=(*kept.findings, *findings),
            attempt=attempt,
            debt=debt,
        )
        for name, kept in kept_by_attack(certificate.kept).items()
    }


def finite(scores: Floats) -> Floats:
    """Return scores with zero for what is no number: an invalid experiment is recorded, too."""
    return np.nan_to_num(scores, posinf=0.0, neginf=0.0)


def gaps(never_seen: Floats, deployed: Floats) -> tuple[str, ...]:
    """Return a sentence if scores of the instance test are not finite."""
    bad = int((~np.isfinite(never_seen)).sum() + (~np.isfinite(deployed)).sum())
    total = never_seen.size + deployed.size
    return (f"{bad} of {total} scores of the instance test are not finite.",) if bad else ()


def broken(
    never_seen: Floats, deployed: Floats, *, accuracies: Floats, deployed_accuracy: float
) -> tuple[str, ...]:
    """Return a sentence for each reason why the instance test says nothing.

    Args:
        never_seen: scores of the never-seen models, shape [n, k].
        deployed: scores of the deployed model, shape [k].
        accuracies: test accuracies of the never-seen models after unlearning, shape [n].
        deployed_accuracy: test accuracy of the deployed model.
    """
    return tuple(_broken(never_seen, deployed, accuracies, deployed_accuracy))


def _broken(
    never_seen: Floats, deployed: Floats, accuracies: Floats, deployed_accuracy: float
) -> Iterator[str]:
    yield from gaps(never_seen, deployed)
    low, high = accuracy_band(accuracies)
    if not low <= deployed_accuracy <= high:
        yield (
            f"The deployed model's test accuracy after unlearning is {deployed_accuracy:.4f}, "
            f"outside the 99 % band from {low:.4f} to {high:.4f} of the models that never saw "
            f"the records."
        )
