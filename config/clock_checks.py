"""System checks of the legal clock: a due date that is counted wrongly is noticed too late."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
from django.conf import settings
from django.core import checks

from audits.core.policy_doubts import foreign_law

if TYPE_CHECKING:
    from collections.abc import Iterator

HINT = "See docs/deadlines.md."
MOST_OWN_DAYS = 31  # of a target that the controller sets, as no law gives a number


@checks.register()
def the_clock_can_be_read(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (Django's signature)
    """Refuse a country, region, zone, free day or target with which no date can be counted."""
    return [checks.Error(said, hint=HINT, id="expunge.E017") for said in _wrong()]


@checks.register()
def the_regime_is_the_countrys(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Warn of a regime that is not the law of the country whose public holidays count."""
    values = {"REGIME": settings.EXPUNGE_REGIME, "COUNTRY": settings.EXPUNGE_COUNTRY}
    hint = "Leave it so only if that law binds you from where you are. " + HINT
    return [
        checks.Warning(said, hint=hint, id="expunge.W017")
        for said in foreign_law(values, "EXPUNGE_")
    ]


def _wrong() -> Iterator[str]:
    country, region = settings.EXPUNGE_COUNTRY, settings.EXPUNGE_REGION
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        yield (
            f"EXPUNGE_COUNTRY is {country!r}, for which no public holidays are known; a code of "
            "two letters such as FR is needed."
        )
    elif region and region not in known[country]:
        allowed = ", ".join(known[country]) or "none"
        yield f"EXPUNGE_REGION is {region!r}; the regions of {country} are: {allowed}."
    yield from _wrong_zone(settings.EXPUNGE_CLOCK_ZONE)
    for day in settings.EXPUNGE_HOLIDAYS:
        if not _is_day(day):
            yield f"EXPUNGE_HOLIDAYS has {day!r}; days such as 2026-12-24 are needed."
    if settings.EXPUNGE_OWN_TARGET_DAYS > MOST_OWN_DAYS:
        yield (
            f"EXPUNGE_OWN_TARGET_DAYS is {settings.EXPUNGE_OWN_TARGET_DAYS}; it must be between 1 "
            f"and {MOST_OWN_DAYS}."
        )


def _wrong_zone(zone: str) -> Iterator[str]:
    try:
        ZoneInfo(zone)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        yield f"EXPUNGE_CLOCK_ZONE is {zone!r}; a zone such as Europe/Paris is needed."


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
