"""What it saves to choose where a person's records lie."""

from __future__ import annotations

from enum import Enum

import numpy as np

from unlearning.core.costs.checks import between, whole
from unlearning.core.costs.shards import batch_fraction, expected_fraction, shard_fraction


class Placement(Enum):
    """Where the records of one person lie."""

    SUBJECT_AWARE = "all in one shard and one slice"
    SAME_SHARD = "all in one shard, at random slices"
    RANDOM = "at random shards and slices"


class Prone(Enum):
    """Where the people lie who are likely to ask for erasure."""

    RANDOM = "anywhere"
    OWN_SHARDS = "in a tenth of the shards, alone"
    LAST_SLICE = "in the last slice of every shard, alone"


def subject_fraction(placement: Placement, shards: int, slices: int, records: int) -> float:
    """Return the expected part of a full training that erasing one person makes void.

    Raises:
        NotPossible: a number is not a whole number of at least 1.
    """
    whole("shards", shards)
    whole("records", records)
    if placement is Placement.RANDOM:
        return batch_fraction(shards, slices, records)
    at_once = 1 if placement is Placement.SUBJECT_AWARE else records
    return shard_fraction(slices, at_once) / shards


def gain(shards: int, slices: int, records: int) -> float:
    """Return how many times cheaper a person is where placement knows of people.

    Raises:
        NotPossible: a number is not a whole number of at least 1.
    """
    aware = subject_fraction(Placement.SUBJECT_AWARE, shards, slices, records)
    return subject_fraction(Placement.RANDOM, shards, slices, records) / aware


def prone_fraction(
    placement: Prone,
    shards: int,
    slices: int,
    requests: float,
    *,
    share: float,
    overlooked: float = 0.0,
) -> float:
    """Return the expected part of a full training that a batch makes void.

    Args:
        placement: where those lie who are likely to ask.
        shards: S, at least 2 where they have shards of their own.
        slices: R.
        requests: how many are in the batch.
        share: part of the requests that those make who are likely to ask.
        overlooked: part of these that were not known to be likely, and lie with the others.

    Raises:
        NotPossible: a number is out of range.
    """
    whole("shards", shards, 2 if placement is Prone.OWN_SHARDS else 1)
    whole("slices", slices)
    between("share", share, 0, 1)
    between("overlooked", overlooked, 0, 1)
    apart = share * (1 - overlooked)
    reach = np.arange(1, slices + 1) / slices
    if placement is Prone.LAST_SLICE and slices > 1:
        reach = np.append((1 - apart) * np.arange(1, slices) / (slices - 1), 1.0)
    if placement is not Prone.OWN_SHARDS:
        return expected_fraction(reach[None] / shards, requests)
    own = max(1, shards // 10)
    rates = np.repeat([apart / own, (1 - apart) / (shards - own)], [own, shards - own])
    return expected_fraction(rates[:, None] * reach, requests)
