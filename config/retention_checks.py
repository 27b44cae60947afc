"""System checks of how long closed cases are kept: what goes too early cannot be brought back."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks

from audits.core.case_retention import LEAST_DAYS, MOST_DAYS, problems
from audits.core.policy_doubts import short_retention

HINT = "See docs/retention.md."


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
    values = {
        name: getattr(settings, f"EXPUNGE_{name}")
        for name in ("REGIME", "CASE_DAYS", "CASE_DAYS_BY_OUTCOME")
    }
    return [
        checks.Warning(said, hint=HINT, id="expunge.W024")
        for said in short_retention(values, "EXPUNGE_")
    ]
