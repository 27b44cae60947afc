"""When a request may have come: neither ahead nor too far back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from lineage.core.worded import worded_of

if TYPE_CHECKING:
    from datetime import datetime

OLDEST = timedelta(days=366)  # that another system may state, where nobody can confirm it
FIRST_YEAR = 2000  # before it is a slip, whoever confirms it


class EntryRefused(ValueError):
    """The request cannot be entered as stated; the sentence says why."""


def check_stated(received_at: datetime, now: datetime) -> None:
    """Refuse what another system states as the receipt, where nobody can confirm it."""
    check_receipt(received_at, now)
    if received_at < now - OLDEST:
        raise EntryRefused(
            worded_of(
                "received_at",
                "It is %(received_at)s, more than a year ago; allowed is from %(oldest)s. "
                "Staff can enter a request that is older.",
                received_at=f"{received_at:%Y-%m-%d}",
                oldest=f"{now - OLDEST:%Y-%m-%d}",
            )
        )


def check_receipt(received_at: datetime, now: datetime) -> None:
    """Refuse a receipt that lies ahead, or so far back that it is a slip."""
    if received_at > now:
        raise EntryRefused(
            worded_of(
                "received_at",
                "It is %(received_at)s, which lies ahead; allowed is until %(now)s UTC.",
                received_at=f"{received_at:%Y-%m-%d %H:%M}",
                now=f"{now:%Y-%m-%d %H:%M}",
            )
        )
    if received_at.year < FIRST_YEAR:
        raise EntryRefused(
            worded_of(
                "received_at",
                "It is in the year %(year)s; allowed is %(first_year)s on.",
                year=received_at.year,
                first_year=FIRST_YEAR,
            )
        )
