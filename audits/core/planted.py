"""What the canaries that were erased with a forget set tell: a fail, or nothing.

They speak of themselves. Where one is still seen, the method did not remove what it was told to
remove; where none is seen, nothing is shown about anybody's records, so that no canary clears.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from audits.core.attack import CanaryAttack, CanaryFinding, NothingToAttackWith, PlantedScores
from audits.core.verdict import Outcome, Verdict
from lineage.core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

GAUSSIAN, ONE_RUN = "gaussian_poison", "one_run"
TESTS = 2
# Of what was made exactly, lineage tells more than a test; a false alarm would hold a case.
SMOKE = 0.001


@dataclass(frozen=True, kw_only=True)
class KeptCanaries:
    """The scores of one share of canaries, spent by one run; in the order of their numbers.

    Attributes:
        included: which of them were trained on.
        leaning_before: how far the version before leaned towards the noise of each; None where it
            is flat there.
        leaning_after: the same for the deployed model.
        margins_before: how sure the version before was of each; None where not finite.
        margins_after: the same for the deployed model.
    """

    included: tuple[bool, ...]
    leaning_before: tuple[float | None, ...]
    leaning_after: tuple[float | None, ...]
    margins_before: tuple[float | None, ...]
    margins_after: tuple[float | None, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: list(value) for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> KeptCanaries:
        """Read what ``as_dict`` wrote.

        Raises:
            TypeError: a field is missing or unknown; the message names it.
        """
        return cls(**{name: tuple(value) for name, value in values.items()})

    def leaning(self) -> PlantedScores:
        """Return what the Gaussian poison test looks at: the noise that was trained on."""
        trained = np.array(self.included, bool)
        return PlantedScores(
            after=numbers(self.leaning_after)[trained],
            before=numbers(self.leaning_before)[trained],
        )

    def margins(self) -> PlantedScores:
        """Return what the audit in one run looks at: all of them, and their coins."""
        return PlantedScores(
            after=numbers(self.margins_after),
            before=numbers(self.margins_before),
            included=np.array(self.included, bool),
        )


@dataclass(frozen=True, kw_only=True)
class PlantedVerdict:
    """What each attack found, or why it could not be made; a verdict only where it is a fail."""

    found: dict[str, CanaryFinding]
    not_made: dict[str, str]
    sentences: tuple[str, ...]
    verdict: Verdict | None


def judge(kept: KeptCanaries, *, alpha: float, smoke: bool) -> PlantedVerdict:
    """Ask both attacks; that they are two is corrected for, whether or not both could be made.

    Args:
        kept: the scores of the share.
        alpha: the chance of a fail where nothing is left of the canaries.
        smoke: the result does not rest on attacks, so that it is ``SMOKE`` at most.
    """
    found: dict[str, CanaryFinding] = {}
    not_made: dict[str, str] = {}
    # Named and not imported above, as the attacks stand over this module.
    attacks: Registry[CanaryAttack] = Registry(import_module("audits.attacks"), CanaryAttack)
    for name, scores in ((GAUSSIAN, kept.leaning()), (ONE_RUN, kept.margins())):
        try:
            found[name] = attacks.get(name)().examine(scores)
        except NothingToAttackWith as reason:
            not_made[name] = str(reason)
    level = (min(alpha, SMOKE) if smoke else alpha) / TESTS
    seen = [
        _seen(attacks.get(name).title, one, level)
        for name, one in found.items()
        if one.p_value < level
    ]
    blind = bool(found) and all((one.control or 0.0) >= level for one in found.values())
    quiet = BLIND if blind else QUIET if found else NOT_MADE
    return PlantedVerdict(
        found=found,
        not_made=not_made,
        sentences=tuple(seen) or (quiet,),
        verdict=Verdict(outcome=Outcome.FAIL, reasons=tuple(seen)) if seen else None,
    )


QUIET = (
    "The canaries that were erased with the records are not seen in the deployed model, though "
    "they were in the version before. That shows nothing about the records themselves."
)
BLIND = (
    "The canaries were not seen even in the version before, so that not seeing them in the "
    "deployed model shows nothing."
)
NOT_MADE = "No attack on the canaries could be made, so they show nothing."


def numbers(values: Sequence[float | None]) -> Floats:
    """Return scores as an array, NaN for None."""
    return np.array([np.nan if value is None else value for value in values], np.float64)


def plain(values: Floats) -> tuple[float | None, ...]:
    """Return scores as JSON can hold them, None for what is not finite."""
    return tuple(float(value) if np.isfinite(value) else None for value in values)


def _seen(title: str, one: CanaryFinding, level: float) -> str:
    return (
        f"{title}: canaries that were erased with the records are still seen in the "
        f"deployed model (p = {one.p_value:.2g}, below {level:g}; {one.canaries} canaries)."
    )
