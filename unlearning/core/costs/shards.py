"""What a batch of erasure requests costs in a sharded training.

A training of S shards, each trained in R stages over slices that are added one by one (SISA;
Bourtoule et al., "Machine unlearning", S&P 2021): stage i trains on slices 1..i. A request that
lies in slice i of a shard makes the stages from i on void. The unit is one full training.

A stage is redone unless *every* request misses it. One request misses stage i of a shard with
probability 1 - p_i, where p_i is the probability that it lies in that shard, in slice i or
before; requests are independent; so the expected fraction is a sum of w_i (1 - (1 - p_i)^K), and
no sum over how many requests fall in a shard is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unlearning.core.costs.checks import NotPossible, between, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def stage_shares(slices: int) -> NDArray[np.float64]:
    """Return the share of a shard's training that each stage has, (slices,): 2i / (R(R+1)).

    Every stage has the same number of epochs and slices are of one size.

    Raises:
        NotPossible: ``slices`` is no whole number of at least 1.
    """
    whole("slices", slices)
    return np.arange(1, slices + 1) * 2 / (slices * (slices + 1))


def redone_from(slices: int) -> NDArray[np.float64]:
    """Return the share of a shard's training from each slice to the end, (slices,); first is 1."""
    return np.cumsum(stage_shares(slices)[::-1])[::-1]


def shard_fraction(slices: int, requests: float) -> float:
    """Return g_R(k): the part of its shard that k requests at uniform slices make void.

    g_R(1) = (2R + 1) / (3R), so slicing alone saves at most a third of one request.

    Raises:
        NotPossible: an argument is out of range.
    """
    return batch_fraction(1, slices, requests)


def batch_fraction(shards: int, slices: int, requests: float) -> float:
    """Return f(S, R, K): the part of a full training that K uniform requests make void.

    Raises:
        NotPossible: an argument is out of range.
    """
    whole("shards", shards)
    whole("slices", slices)
    reach = np.arange(1, slices + 1)[None] / (shards * slices)
    return expected_fraction(reach, requests)


def expected_fraction(reach: NDArray[np.float64], requests: float) -> float:
    """Return the part of a full training that independent requests make void.

    Args:
        reach: probability that a request lies in a shard, in a slice or before it: (shards,
            slices), or (1, slices) where every shard is alike.
        requests: how many there are; a mean of many batches need not be whole.

    Raises:
        NotPossible: an argument is out of range.
    """
    between("requests", requests)
    if reach.ndim != 2 or not ((reach >= 0) & (reach <= 1)).all():  # noqa: PLR2004  (an axis each)
        raise NotPossible("reach must be probabilities of shape (shards, slices).")
    redone = 1 - (1 - reach) ** requests
    return float((redone * stage_shares(reach.shape[1])).sum(axis=1).mean())


def touched_fraction(first_slices: Sequence[int | None], slices: int) -> float:
    """Return the part of a full training that a batch makes void whose slices are known.

    Args:
        first_slices: for each shard the first slice (from 0) that a request lies in, or None.
        slices: how many slices a shard has.

    Raises:
        NotPossible: a slice is not in 0..slices - 1.
    """
    whole("shards", len(first_slices))
    shares = redone_from(slices)
    for each in first_slices:
        if each is not None and not 0 <= each < slices:
            raise NotPossible(f"A first slice is {each}; it must be between 0 and {slices - 1}.")
    return float(sum(shares[each] for each in first_slices if each is not None)) / len(
        first_slices
    )
