"""How many calls a key may make in a minute.

Counts live in the cache, a key's of one minute under one name. The threads of one web process take
turns; of several that share files, two calls at the same instant may count as one.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.core.cache import cache

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

    from lineage.models import ApiKey

MINUTE = 60
_PLACE = "_expunge_rate"
_turn = threading.Lock()  # a cache of files reads and writes to count up


class RateExceeded(Exception):
    """A key was used more often than the setting allows."""


class Rate(NamedTuple):
    """How a key stands: calls allowed a minute, calls left, seconds until it counts anew."""

    limit: int
    left: int
    seconds: int


def count_call(request: HttpRequest, key: ApiKey, now: datetime) -> None:
    """Count a call of a key.

    Raises:
        RateExceeded: it is one too many; the sentence says when to try again.
    """
    limit: int = settings.EXPUNGE_API_PER_MINUTE
    if not limit:
        return
    minute, second = divmod(int(now.timestamp()), MINUTE)
    name = f"api:{key.pk}:{minute}"
    count = _counted(name)
    rate = Rate(limit, max(0, limit - count), MINUTE - second)
    setattr(request, _PLACE, rate)
    if count > limit:
        raise RateExceeded(
            f"This key made more than {limit} calls in a minute, which is the setting "
            f"EXPUNGE_API_PER_MINUTE; try again in {rate.seconds} seconds."
        )


def _counted(name: str) -> int:
    with _turn:
        cache.add(name, 0, 2 * MINUTE)
        try:
            return cache.incr(name)
        except ValueError:  # it was thrown out in between
            cache.set(name, 1, 2 * MINUTE)
            return 1


def tell_rate(request: HttpRequest, response: HttpResponse) -> None:
    """Say in the headers of an answer how its key stands."""
    rate: Rate | None = getattr(request, _PLACE, None)
    if rate is None:
        return
    response["RateLimit-Limit"] = str(rate.limit)
    response["RateLimit-Remaining"] = str(rate.left)
    response["RateLimit-Reset"] = str(rate.seconds)
    if response.status_code == 429:  # noqa: PLR2004  (too many requests)
        response["Retry-After"] = str(rate.seconds)
