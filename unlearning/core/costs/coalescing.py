"""What it saves to serve requests together: full trainings per 30 days, requests being Poisson.

Each request touches one shard, at a uniform slice. Served together, requests share the stages
that they make void.
"""

from __future__ import annotations

import numpy as np

from unlearning.core.costs.checks import between, whole
from unlearning.core.costs.shards import shard_fraction, stage_shares

MONTH = 30.0  # days


def one_by_one(shards: int, slices: int, per_day: float) -> float:
    """Return the full trainings a month when every request is served alone.

    Raises:
        NotPossible: a number is out of range.
    """
    whole("shards", shards)
    between("per_day", per_day)
    return MONTH * per_day * shard_fraction(slices, 1) / shards


def in_windows(shards: int, slices: int, per_day: float, days: float) -> float:
    """Return the full trainings a month when all requests of a window are served at its end.

    Once a window holds many more requests than there are shards this is 30 / days, and sharding
    saves nothing.

    Raises:
        NotPossible: a number is out of range.
    """
    whole("shards", shards)
    between("per_day", per_day)
    between("days", days, 1 / 1440)
    reach = np.arange(1, slices + 1) / (shards * slices)
    redone = stage_shares(slices) * -np.expm1(-per_day * days * reach)
    return MONTH / days * float(redone.sum())


def when_oldest_is(shards: int, slices: int, per_day: float, days: float) -> float:
    """Return the full trainings a month when a shard waits until its oldest request is so old.

    In the long run and with capacity to spare: a shard waits S / N days for a request and
    ``days`` more for others (renewal reward).

    Raises:
        NotPossible: a number is out of range.
    """
    whole("shards", shards)
    between("per_day", per_day, 1e-9)
    between("days", days)
    missed = 1 - np.arange(1, slices + 1) / slices
    joined = per_day * days / shards
    redone = 1 - missed * np.exp(-joined * (1 - missed))
    return MONTH / (days + shards / per_day) * float((redone * stage_shares(slices)).sum())
