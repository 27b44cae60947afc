"""Serve models for as long as the platform lets them be used, and as exactly as it allows.

    with Rolling(url=url, api_key=key, model="faces", load=load) as served:
        ...
        return served.answer(lambda model: softmax(model(inputs)), caller=customer)

goes on with the next version by itself, for a key with the scope ``serve:next``. A key that has
only ``serve`` is given one of the versions that replace one another, and never another of them,
since whoever compares two can tell who was erased between them; it serves one version:

    guard = ServingGuard(url=url, api_key=key, version=newest(url, key, "faces"))
    model = load(guard.weights())
    ...
    return guard.answer(softmax(model(inputs)), caller=customer)
"""

from __future__ import annotations

from expunge.guard import ServingGuard, VersionWithdrawn, newest
from expunge.queries import QueryLimitReached
from expunge.rolling import NothingServed, Rolling
from expunge.weights import WeightsDiffer

__all__ = [
    "NothingServed",
    "QueryLimitReached",
    "Rolling",
    "ServingGuard",
    "VersionWithdrawn",
    "WeightsDiffer",
    "newest",
]
