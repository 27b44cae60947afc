"""Whether an unlearned version is good enough to take the place of the one before.

The gate holds a release, never an erasure: a version that fails is not shown, and the one before
is withdrawn all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from unlearning.core.costs.checks import NotPossible, between
from unlearning.core.release.ruling import Ruling

Values = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Accuracies of a version on unseen data, 0..1.

    ``shards`` is empty for a version without shards; ``adversarial`` is None where it was not
    measured.
    """

    accuracy: float
    shards: Values = ()
    adversarial: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no accuracy.

        Raises:
            NotPossible: the sentence names the value and what is allowed.
        """
        between("accuracy", self.accuracy, 0, 1)
        for value in self.shards:
            between("A shard's accuracy", value, 0, 1)
        if self.adversarial is not None:
            between("adversarial", self.adversarial, 0, 1)


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Largest losses of accuracy that are tolerated, as fractions; None does not ask."""

    accuracy: float = 0.02
    shard: float | None = 0.05
    adversarial: float | None = 0.02


def gate(
    before: Quality, after: Quality, thresholds: Thresholds, *, shard: str = "shard {number}"
) -> tuple[Ruling, ...]:
    """Return a ruling for each measure; the release is held unless all allow it.

    ``shard`` is how a shard is called, where its number must not be told.

    Raises:
        NotPossible: the two do not have the same number of shards.
    """
    if len(before.shards) != len(after.shards):
        raise NotPossible(
            f"after has {len(after.shards)} shards and before has {len(before.shards)}; both need "
            "the same, in the same order."
        )
    found = [_ruling("Accuracy", before.accuracy, after.accuracy, thresholds.accuracy)]
    if thresholds.shard is not None:
        pairs = zip(before.shards, after.shards, strict=True)
        found += [
            _ruling(f"Accuracy of {shard.format(number=number)}", was, now, thresholds.shard)
            for number, (was, now) in enumerate(pairs)
        ]
    if thresholds.adversarial is not None:
        found.append(_adversarial(before.adversarial, after.adversarial, thresholds.adversarial))
    return tuple(found)


def passed(rulings: tuple[Ruling, ...]) -> Ruling:
    """Return the one ruling that follows: every reason to hold, or that there is none."""
    against = [each.reason for each in rulings if not each.allowed]
    if against:
        return Ruling(allowed=False, reason=" ".join(against))
    return Ruling(allowed=True, reason="No accuracy fell by more than is tolerated.")


def _adversarial(before: float | None, after: float | None, tolerated: float) -> Ruling:
    if before is None or after is None:
        missing = "before" if before is None else "after"
        reason = f"Adversarial accuracy was not measured {missing} unlearning, so it is not known."
        return Ruling(allowed=False, reason=reason)
    return _ruling("Adversarial accuracy", before, after, tolerated)


def _ruling(name: str, before: float, after: float, tolerated: float) -> Ruling:
    fell = before - after
    allowed = fell <= tolerated + 1e-12  # 0.9 - 0.88 is a little more than 0.02 in binary
    verb = f"fell by {fell:.2%}" if fell > 0 else "did not fall"
    return Ruling(
        allowed=allowed,
        reason=f"{name} {verb}, from {before:.2%} to {after:.2%}; {tolerated:.2%} are tolerated.",
    )
