"""Many cases together: nothing of one case shows in the public edition."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from audits.core.editions import check_period
from audits.execution.report_public import public_view
from tests.audits.plain_findings import REQUEST, SEALED, findings, run

pytestmark = pytest.mark.django_db  # the policy in force is read
PERIOD = {"since": date(2026, 1, 1), "until": date(2026, 12, 31)}


def public(*cases: dict[str, Any]) -> dict[str, Any]:
    return public_view(cases, **PERIOD)


def test_one_case_with_six_destroyed_versions_does_not_show():
    plain = [findings(runs=[run()])] * 10
    six = [run(f"v{at}", method="destroy", verdict="ERASED_BY_CONSTRUCTION") for at in range(6)]
    without, with_it = public(*plain, findings()), public(*plain, findings(runs=six))
    assert without["methods"] == with_it["methods"]
    few = public(*[findings()] * 20, *[findings(runs=[run()])] * 4)
    assert len(few["verdicts"]) == len(few["methods"]) == 1
    assert few["verdicts"][0][0].startswith("not shown")


def test_the_median_needs_ten_cases_and_is_in_weeks():
    assert public(*[findings()] * 9)["days"][0][1] == "not shown: fewer than 10 cases"
    one = public(*[findings()] * 10)["days"]
    slow = REQUEST | {"received_at": "2026-03-05T12:00:00.000Z"}
    assert one == public(*[findings(request=slow)] * 10)["days"]
    assert one[0][1] == "about 4 weeks"


def test_cases_of_the_operator_are_no_requests():
    own = findings(operator_case={"reason": "POISONED"}, runs=[run()])
    mixed = public(*[findings()] * 5, *[own] * 10)
    assert mixed["requests"][0] == ["All requests", "5\u20139"]
    assert mixed["requests"][-1][1] == "10\u201319"
    assert mixed["days"][0][1] == "not shown: fewer than 10 cases"
    assert len(mixed["verdicts"]) == 1


def test_a_seal_before_midnight_of_the_due_day_is_in_time_there():
    late = [SEALED | {"at": "2026-04-03T22:30:00.000Z"}]  # the next day in Paris
    east = {"clock": {"zone": "America/New_York"}}
    assert public(*[findings()] * 5)["requests"][-2][1] == "5\u20139"
    assert public(*[findings(events=late)] * 5)["requests"][-2][1] == "fewer than 5"
    assert public(*[findings(events=late, **east)] * 5)["requests"][-2][1] == "5\u20139"


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (date(2026, 2, 1), date(2026, 2, 28)),
        (date(2026, 4, 1), date(2026, 6, 30)),
        (date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_is_a_whole_month_quarter_or_year(since, until):
    check_period(since, until, today=date(2027, 1, 1))
    with pytest.raises(ValueError, match="allowed are whole calendar months, quarters and years"):
        check_period(since, until.replace(day=27))
    with pytest.raises(ValueError, match="allowed are whole"):
        check_period(since.replace(day=2), until)
    with pytest.raises(ValueError, match="is not over on"):
        check_period(since, until, today=until)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (date(2026, 2, 1), date(2026, 4, 30)),
        (date(2026, 1, 1), date(2026, 6, 30)),
        (date(2026, 3, 1), date(2027, 2, 28)),
        (date(2026, 1, 1), date(2025, 1, 31)),
    ],
)
def test_a_period_that_cuts_a_quarter_or_a_year_is_refused(since, until):
    with pytest.raises(ValueError, match="allowed are whole"):
        check_period(since, until)
