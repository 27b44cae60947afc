"""System checks of how long closed cases are kept: what goes too early cannot be brought back."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks

from audits.core.case_retention import LEAST_DAYS, MOST_DAYS, problems

HINT = "See docs/retention.md."
# CCPA Regulations s. 7101(a): records of requests for at least 24 months.
CALIFORNIA_DAYS = 731


@checks.register()
def closed_cases_are_kept_for_a_time(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (Django's signature)
    """Refuse an outcome that does not exist, and a number of days that is none."""
    said = list(problems(settings.EXPUNGE_CASE_DAYS_BY_OUTCOME))
    days = settings.EXPUNGE_CASE_DAYS
    if not LEAST_DAYS <= days <= MOST_DAYS:
        said.append(
            f"EXPUNGE_CASE_DAYS is {days}; a whole number of days from {LEAST_DAYS} to "
            f"{MOST_DAYS} is needed."
        )
    return [checks.Error(one, hint=HINT, id="expunge.E024") for one in said]


@checks.register()
def the_law_is_not_undercut(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Warn where California's 24 months are not kept."""
    said = {"EXPUNGE_CASE_DAYS": settings.EXPUNGE_CASE_DAYS}
    said |= settings.EXPUNGE_CASE_DAYS_BY_OUTCOME
    short = [f"{name}: {days}" for name, days in said.items() if _below(days)]
    if settings.EXPUNGE_REGIME != "CALIFORNIA" or not short:
        return []
    return [
        checks.Warning(
            "EXPUNGE_REGIME is CALIFORNIA, where records of requests are kept for at least 24 "
            f"months ({CALIFORNIA_DAYS} days); fewer days are set by {', '.join(short)}.",
            hint=HINT,
            id="expunge.W024",
        )
    ]


def _below(days: object) -> bool:
    return isinstance(days, int) and days < CALIFORNIA_DAYS
