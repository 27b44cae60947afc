"""What policy values allow and a law may not: warned of at the start, and before a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.core.regimes import REGIMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# CCPA Regulations s. 7101(a): records of requests for at least 24 months.
CALIFORNIA_DAYS = 731


def doubts(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each doubt about values, by their names in ``policy_keys.KEYS``."""
    yield from foreign_law(values)
    yield from short_retention(values)


def foreign_law(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield that a regime is not the law of the country whose holidays count, where it is not."""
    regime, country = REGIMES[values["REGIME"]], values["COUNTRY"]
    if country not in regime.countries:
        yield (
            f"{prefix}REGIME is {regime.code}, and {prefix}COUNTRY is {country!r}, where it is "
            f"not the law; the countries of {regime.code} are "
            f"{', '.join(sorted(regime.countries))}."
        )


def short_retention(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield that California's 24 months are not kept, where they bind and are not."""
    said = {f"{prefix}CASE_DAYS": values["CASE_DAYS"], **values["CASE_DAYS_BY_OUTCOME"]}
    short = [f"{name}: {days}" for name, days in said.items() if _below(days)]
    if values["REGIME"] == "CALIFORNIA" and short:
        yield (
            f"{prefix}REGIME is CALIFORNIA, where records of requests are kept for at least 24 "
            f"months ({CALIFORNIA_DAYS} days); fewer days are set by {', '.join(short)}."
        )


def _below(days: object) -> bool:
    return isinstance(days, int) and days < CALIFORNIA_DAYS
