"""What a training with noise promises a person, added up by Opacus."""

from __future__ import annotations

import math
import sys
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from unlearning.core.private.terms import Privacy, PrivacyRefused

_STEP = 0.01  # to which a noise is found
_NOISIEST = 1e4
_MOST_BY_PRV = 20.0  # epsilon; time and memory of the tighter sum grow with it, to gigabytes
_ORDERS = [1 + tenth / 10 for tenth in range(1, 100)] + [*range(11, 64), 128, 256, 512, 1024]


@dataclass(frozen=True, kw_only=True)
class Mechanism:
    """The Gaussian mechanism on people drawn by chance, ``steps`` times.

    Attributes:
        noise: standard deviation of the noise in clips.
        rate: chance of each person to be in a step, each apart from the others (Poisson).
        steps: how many there are.
        delta: of the promise.
        accountant: see ``Privacy``.
    """

    noise: float
    rate: float
    steps: int
    delta: float
    accountant: str = "rdp"

    def epsilon(self, people: int = 1) -> float:
        r"""Return the epsilon, at ``delta``, for adding or removing some people together.

        Of several people, the smaller of two bounds is returned:

        * As one who is drawn whenever one of them is, and who adds as much as all of them: rate
          1 - (1 - q)^m and noise sigma / m. Given who was drawn, a step is a Gaussian whose mean
          moved by m clips at most; the Renyi and the hockey-stick divergence are jointly
          quasi-convex in such a mixture and grow with the move. A looser form of Ganesh, "Tight
          group-level DP guarantees for DP-SGD with sampling via mixture of Gaussians mechanisms"
          (arXiv 2401.10294); good where q is large.
        * Basic group privacy (Vadhan, "The complexity of differential privacy", 2017, lemma 2.2):
          m e of one person at the delta d for which d (1 + exp(e) + ... + exp((m - 1) e)) is the
          delta of all; good where e is small.

        Returns infinity where the accountant finds no finite bound.

        Raises:
            PrivacyRefused: Opacus is not installed.
        """
        if people < 1:
            raise ValueError(f"people is {people}; 1 or more are allowed.")
        if people == 1:
            return self._added_up(self.noise, self.rate, self.delta)
        rate = -math.expm1(people * math.log1p(-self.rate)) if self.rate < 1 else 1.0
        return min(self._added_up(self.noise / people, rate, self.delta), self._basic(people))

    def _basic(self, people: int) -> float:
        delta = self.delta / people
        for _ in range(40):
            alone = self._added_up(self.noise, self.rate, delta, "rdp")
            if not people * alone < math.log(sys.float_info.max):
                return math.inf
            allowed = self.delta / sum(math.exp(each * alone) for each in range(people))
            if delta <= allowed:
                return people * alone
            delta = 0.99 * allowed  # a smaller delta has a larger epsilon, and that allows less
        return math.inf

    def _added_up(self, noise: float, rate: float, delta: float, accountant: str = "") -> float:
        accountants()  # or say how to install them
        tighter = (accountant or self.accountant) == "prv"
        try:
            with warnings.catch_warnings():  # that another order might give a smaller bound
                warnings.simplefilter("ignore")
                found = _rdp(noise, rate, self.steps, delta)
                if tighter and found <= _MOST_BY_PRV:
                    found = min(found, _prv(noise, rate, self.steps, delta))
        except (OverflowError, RuntimeError, ValueError, MemoryError):
            return math.inf
        return found if math.isfinite(found) else math.inf

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON holds them."""
        return dict(vars(self))


def _prv(noise: float, rate: float, steps: int, delta: float) -> float:
    accountant = accountants().PRVAccountant()
    accountant.history = [(noise, rate, steps)]
    return float(accountant.get_epsilon(delta))


def _rdp(noise: float, rate: float, steps: int, delta: float) -> float:
    """Return what Opacus' ``RDPAccountant`` does, without adding up one step again and again."""
    found, _ = _analysis().get_privacy_spent(
        orders=_ORDERS, rdp=_one_step(noise, rate) * steps, delta=delta
    )
    return float(found)


@lru_cache(maxsize=256)
def _one_step(noise: float, rate: float) -> Any:  # noqa: ANN401  (an array of an extra)
    return _analysis().compute_rdp(q=rate, noise_multiplier=noise, steps=1, orders=_ORDERS)


def _analysis() -> Any:  # noqa: ANN401  (an extra's module)
    return accountants().analysis.rdp


def accountants() -> Any:  # noqa: ANN401  (an extra's module)
    """Return Opacus' accountants.

    Raises:
        PrivacyRefused: Opacus is not installed.
    """
    try:
        import opacus.accountants  # noqa: PLC0415  (an extra, and seconds to import)
    except ModuleNotFoundError as problem:
        raise PrivacyRefused(
            "Training with differential privacy needs Opacus; run in the checkout: "
            'pip install -e ".[privacy]"'
        ) from problem
    return opacus.accountants


def mechanism(
    privacy: Privacy, *, records: int, people: int, batch_size: int, epochs: int
) -> Mechanism:
    """Return how a training of so many records of so many people adds its noise.

    Each step draws each person with chance q = batch_size / records, so that it holds about
    ``batch_size`` records; there are ``epochs * ceil(records / batch_size)`` steps. The numbers of
    records and people are taken as known to everybody.

    Raises:
        PrivacyRefused: delta is too large for so few people; or epsilon cannot be kept.
    """
    if privacy.delta * people >= 1:
        raise PrivacyRefused(
            f"privacy.delta is {privacy.delta:g}, and there are {people} people; it must be below "
            f"1 / {people}, or the promise allows to publish one of them."
        )
    given: dict[str, Any] = {
        "rate": min(1.0, batch_size / records),
        "steps": epochs * -(-records // batch_size),
        "delta": privacy.delta,
        "accountant": privacy.accountant,
    }
    if privacy.noise is None:
        return Mechanism(noise=_least_noise(privacy.epsilon or 0.0, given), **given)
    found = Mechanism(noise=privacy.noise, **given)
    if privacy.epsilon is not None and (reached := found.epsilon()) > privacy.epsilon:
        raise PrivacyRefused(
            f"privacy.epsilon is {privacy.epsilon:g}, and this training would reach "
            f"{reached:.3g} with a noise of {privacy.noise:g}: take more noise, fewer epochs or a "
            "smaller batch."
        )
    return found


def _least_noise(epsilon: float, given: dict[str, Any]) -> float:
    """Return the least noise, in steps of 0.01, with which a training keeps to epsilon."""

    def kept(units: int) -> bool:
        return Mechanism(noise=units * _STEP, **given).epsilon() <= epsilon

    low, high = 5, 100
    while not kept(high):
        low, high = high, 2 * high
        if high * _STEP > _NOISIEST:
            raise PrivacyRefused(
                f"privacy.epsilon is {epsilon:g}; no noise up to {_NOISIEST:g} reaches it at this "
                "delta."
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if kept(middle) else (middle, high)
    return high * _STEP
