"""What a recipe asks for when it trains with differential privacy; no torch, no Opacus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from unlearning.core.ranges import Range, check_ranges

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

ACCOUNTANTS = ("rdp", "prv")


class PrivacyRefused(ValueError):
    """A training cannot keep the promise that its recipe asks for."""


@dataclass(frozen=True, kw_only=True)
class Privacy:
    """DP-SGD in a gradient recipe: Abadi et al., "Deep learning with differential privacy", 2016.

    The unit is the person: each step draws people, and what one of them adds is clipped.

    Attributes:
        clip: largest Euclidean norm of what one person adds to a step.
        noise: standard deviation of the noise, in units of ``clip``; None: the least that
            reaches ``epsilon``, in steps of 0.01.
        epsilon: the most that one person may be promised; None: whatever ``noise`` gives. A
            training that would pass it is refused before its first step.
        delta: of the promise; it must be below 1 / number of people.
        accountant: how Opacus adds up the steps: "rdp" (Mironov et al., 2019) or "prv" (Gopi et
            al., 2021), which is tighter and whose error is on the safe side.
    """

    clip: Annotated[float, Range(1e-4, 1e4, log=True, help="norm of one person's share")] = 1.0
    noise: Annotated[float | None, Range(0.05, 1e4, log=True, help="noise in clips")] = None
    epsilon: Annotated[float | None, Range(1e-3, 1e3, log=True, help="most promised")] = None
    delta: Annotated[float, Range(1e-15, 0.1, log=True, help="of the promise")] = 1e-5
    accountant: str = "rdp"

    def __post_init__(self) -> None:
        """Refuse what is no such training.

        Raises:
            OutOfRange: a number lies outside its range.
            PrivacyRefused: neither noise nor epsilon is given, or there is no such accountant.
        """
        check_ranges(self)
        if self.noise is None and self.epsilon is None:
            raise PrivacyRefused(
                "privacy names neither noise nor epsilon; give the noise, or the epsilon that it "
                "is to reach, or both."
            )
        if self.accountant not in ACCOUNTANTS:
            raise PrivacyRefused(
                f"privacy.accountant is {self.accountant!r}; allowed are "
                f"{' and '.join(ACCOUNTANTS)}."
            )

    @classmethod
    def read(cls, value: Privacy | Mapping[str, Any] | None) -> Privacy | None:
        """Return what a recipe was given, which is an object where it comes from JSON.

        Raises:
            PrivacyRefused, OutOfRange: as above, or a name is unknown.
        """
        if value is None or isinstance(value, cls):
            return value
        try:
            return cls(**dict(value))  # type: ignore[arg-type]
        except TypeError as problem:
            known = ", ".join(cls.__dataclass_fields__)
            raise PrivacyRefused(
                f"privacy is {value!r}; it must be an object with some of: {known}."
            ) from problem
