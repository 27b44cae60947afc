"""Bounds that hold at every number of models: somebody may look after each one and stop at will.

A bet against "the advantage is at least X" is kept for every X: it grows where guesses are worse
than that would make them. The probability that a fair bet ever grows 1 / alpha-fold is at most
alpha (Ville 1939), so every X whose bet did so is excluded, whenever that happened.
Sources: Waudby-Smith and Ramdas 2024 (betting), Howard et al. 2021 (confidence sequences).

The i-th model that learned the records and the i-th that never saw them form a pair, judged by
the same earlier models. Given the past their mean guess has expectation (1 + advantage) / 2, and a
bet on both is fair by the inequality of the arithmetic and geometric mean, also where the attack
is better in one arm. "The advantage" is that of the attack as fitted at each pair: what is
excluded is that all of them had X.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from audits.core.bounds import Bounds, UnusableArm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

STAKES = (0.05, 0.1, 0.2, 0.4, 0.7)
METHOD = "bets on pairs of models, valid at any stopping time"
HALVINGS = 20


@dataclass(frozen=True, kw_only=True)
class Path:
    """Logarithms of the two bets after each pair of models, at one margin.

    Attributes:
        against_leak: grows where the advantage stays below the margin; 1 / alpha excludes
            "at least the margin", which is what a pass needs.
        against_margin: grows where it exceeds the margin; what a fail needs.
    """

    against_leak: tuple[float, ...]
    against_margin: tuple[float, ...]


def path(inside: Floats, outside: Floats, margin: float) -> Path:
    """Return both bets at a margin after each pair.

    Args:
        inside: how right the attack was under each model that learned the records, in [0, 1] and
            in the order of training; shape [n]. For one subject: 0 or 1.
        outside: the same under models that never saw them.
        margin: the advantage X that is bet against, in (0, 1).

    Raises:
        UnusableArm: an arm is empty, or a value is not in [0, 1].
    """
    pairs = _pairs(inside, outside)
    return Path(
        against_leak=tuple(map(float, _against_leak(_lifted(pairs), margin))),
        against_margin=tuple(map(float, _log_mixture(_gains_above(pairs, margin)))),
    )


def p_above(inside: Floats, outside: Floats, margin: float) -> float:
    """Return a p-value of "the advantage is at most the margin" that holds at any stopping time.

    Raises:
        UnusableArm: as ``path``.
    """
    pairs = _pairs(inside, outside)
    return float(np.exp(-max(0.0, _log_mixture(_gains_above(pairs, margin)).max())))


def sequence_bounds(
    inside: Floats, outside: Floats, alpha: float, *, alpha_upper: float | None = None
) -> Bounds:
    """Bound the advantage, each side at its own error, at this and at every earlier pair.

    No upper bound is helped by guesses that are worse than a coin's: they are lifted to it first.

    Raises:
        UnusableArm: as ``path``.
    """
    pairs = _pairs(inside, outside)
    lifted = _lifted(pairs)
    above = -np.log(alpha if alpha_upper is None else alpha_upper)
    return Bounds(
        estimate=float(pairs.mean(0).sum() - 1),
        lower=_lower(pairs, -np.log(alpha)),
        upper=_upper(lifted, above),
        method=METHOD,
    )


def _pairs(inside: Floats, outside: Floats) -> Floats:
    """Return pairs of guesses, shape [n, 2]; a model without a partner waits for one."""
    size = min(len(inside), len(outside))
    pairs = np.column_stack([inside[:size], outside[:size]]).astype(np.float64)
    if not size or not ((pairs >= 0) & (pairs <= 1)).all():
        raise UnusableArm("Bets need at least one model per arm, and guesses between 0 and 1.")
    return pairs


@dataclass(frozen=True, kw_only=True, eq=False)
class _Lifted:
    """All guesses, and which of them are moved up after each pair so that their mean is a half.

    The most wrong guesses become right ones until the mean is a coin's, as in ``guess_bounds``.
    Larger guesses never gain, so the lifted bet is at most the fair one and Ville's bound holds.

    Attributes:
        guesses: pair by pair, shape [2n].
        seen: 1 where a guess was seen by then and stays as it is, shape [n, 2n].
        right: how many became right, shape [n].
        between: the one that moved part of the way, or 1 where none did; shape [n].
        moved: 1 where one did, shape [n].
    """

    guesses: Floats
    seen: Floats
    right: Floats
    between: Floats
    moved: Floats


def _lifted(pairs: Floats) -> _Lifted:
    size, guesses = len(pairs), pairs.ravel()
    seen = np.repeat(np.tri(size), 2, axis=1)
    right, between, moved = np.zeros(size), np.ones(size), np.zeros(size)
    for last in range(size):
        known = guesses[: 2 * last + 2]
        missing = 0.5 * len(known) - known.sum()
        if missing <= 0:
            continue
        order = np.argsort(known, kind="stable")
        room = np.cumsum(1 - known[order])
        whole = int(np.searchsorted(room, missing, side="right"))
        seen[last, order[:whole]], right[last] = 0.0, whole
        left = missing - (room[whole - 1] if whole else 0.0)
        if left > 0:
            seen[last, order[whole]], moved[last] = 0.0, 1.0
            between[last] = guesses[order[whole]] + left
    return _Lifted(guesses=guesses, seen=seen, right=right, between=between, moved=moved)


def _gains_above(pairs: Floats, margin: float) -> Floats:
    """Return by how much a stake of one grows if the advantage exceeds the margin, less one."""
    chance = (1 + margin) / 2
    return (pairs - chance) / chance


def _against_leak(lifted: _Lifted, margin: float) -> Floats:
    """Return the logarithm of the bet against a leak after each pair."""
    chance = (1 + margin) / 2

    def logs(guesses: Floats) -> Floats:
        return np.asarray(
            np.log1p(np.outer(STAKES, (chance - guesses) / (1 - chance))), np.float64
        )

    return _mix(
        logs(lifted.guesses) @ lifted.seen.T
        + logs(np.ones(1)) * lifted.right
        + logs(lifted.between) * lifted.moved
    )


def _log_mixture(gains: Floats) -> Floats:
    """Return the logarithm of a bet after each pair from each guess's gain, shape [n, 2]."""
    logs = np.log1p(np.multiply.outer(STAKES, gains)).sum(-1)
    return _mix(np.cumsum(logs, axis=-1))


def _mix(logs: Floats) -> Floats:
    """Return the logarithm of the mean over stakes."""
    most = logs.max(0)
    return np.asarray(most + np.log(np.exp(logs - most).mean(0)), np.float64)


def _upper(lifted: _Lifted, needed: float) -> float:
    """Return the smallest excluded advantage: the bet grows with the margin it is against."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _against_leak(lifted, middle).max() >= needed:
            high = middle
        else:
            low = middle
    return high


def _lower(pairs: Floats, needed: float) -> float:
    low, high = -1.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _log_mixture(_gains_above(pairs, middle)).max() >= needed:
            low = middle
        else:
            high = middle
    return low
