"""The trends of the first page as charts, each with its table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core.bars import HEIGHT, WIDTH, Bar, Column, bars
from audits.views.wording import BAD, CARE, GOOD, method_title, verdict_badge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audits.queries.trends import Trends

PLAIN = "plain"
_METHODS = 6  # lines drawn; the table has all
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0
TONES = {GOOD: "conclusive and good", CARE: "inconclusive or accepted", BAD: "leak or broken"}


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Bars, or lines of one bar each, and the same as a table; neither where there is nothing."""

    slug: str
    title: str
    summary: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    bars: tuple[Bar, ...] = ()
    lines: tuple[tuple[str, float, str], ...] = ()
    ends: tuple[str, str] = ("", "")
    legend: tuple[tuple[str, str], ...] = ()
    width: float = WIDTH
    height: float = HEIGHT


def charts(found: Trends) -> list[Chart]:
    """Return the four charts."""
    return [_requests(found), _answered(found), _verdicts(found), _spent(found)]


def _requests(found: Trends) -> Chart:
    values = [found.requests.get(week, 0) for week in found.weeks]
    return Chart(
        slug="requests",
        title="Requests a week",
        summary=f"{sum(values)} in {len(values)} weeks; at most {max(values)} in one.",
        bars=bars(_columns(found, values)),
        ends=_ends(found),
        head=("Week of", "Requests"),
        rows=tuple(zip(_weeks(found), map(str, values), strict=True)),
    )


def _answered(found: Trends) -> Chart:
    weekly = [found.answered.get(week) for week in found.weeks]
    days = [one.days if one else 0.0 for one in weekly]
    count = sum(one.count for one in weekly if one)
    return Chart(
        slug="answered",
        title="Days to an answer",
        summary=f"Median of the week in which answers left; {count} answers, at most "
        f"{max(days):.1f} days.",
        bars=bars(_columns(found, days), words="{label}: {value:.1f} days"),
        ends=_ends(found),
        head=("Week of", "Answers", "Median of days"),
        rows=tuple(
            (week, str(one.count), f"{one.days:.1f}") if one else (week, "0", "")
            for week, one in zip(_weeks(found), weekly, strict=True)
        ),
    )


def _verdicts(found: Trends) -> Chart:
    columns, outcomes = [], sorted({code for week in found.verdicts.values() for code in week})
    for label, week in zip(_weeks(found), found.weeks, strict=True):
        by_tone = dict.fromkeys(TONES, 0)
        for code, count in found.verdicts.get(week, {}).items():
            tone = verdict_badge(code).tone
            by_tone[tone if tone in TONES else CARE] += count
        columns.append(Column(label=label, values=by_tone))
    total = sum(int(one.total) for one in columns)
    good = sum(int(one.values[GOOD]) for one in columns)
    return Chart(
        slug="verdicts",
        title="Verdicts a week",
        summary=f"{total} final verdicts, {good} of them good.",
        bars=bars(columns),
        ends=_ends(found),
        head=("Week of", *(verdict_badge(code).label for code in outcomes)),
        rows=tuple(
            (label, *(str(found.verdicts.get(week, {}).get(code, 0)) for code in outcomes))
            for label, week in zip(_weeks(found), found.weeks, strict=True)
        ),
        legend=tuple(TONES.items()),
    )


def _spent(found: Trends) -> Chart:
    total = sum(one.seconds for one in found.spent)
    most = max((one.seconds for one in found.spent), default=0.0)
    return Chart(
        slug="spent",
        title="Compute by method",
        summary=f"{span(total)} of unlearning in {len(found.weeks)} weeks, shadow models not "
        "counted; the method that took most first.",
        lines=tuple(
            (
                method_title(one.method),
                one.seconds / most * WIDTH if most else 0.0,
                span(one.seconds),
            )
            for one in found.spent[:_METHODS]
        ),
        head=("Method", "Runs", "Seconds", "Seconds a run"),
        rows=tuple(
            (
                method_title(one.method),
                str(one.runs),
                f"{one.seconds:.1f}",
                f"{one.seconds / one.runs:.1f}",
            )
            for one in found.spent
        ),
    )


def span(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.3g} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.0f} h" if seconds < 2 * _DAY else f"{seconds / _DAY:.0f} days"


def _columns(found: Trends, values: Sequence[float]) -> list[Column]:
    return [
        Column(label=label, values={PLAIN: value})
        for label, value in zip(_weeks(found), values, strict=True)
    ]


def _weeks(found: Trends) -> list[str]:
    return [f"{week:%-d %b %Y}" for week in found.weeks]


def _ends(found: Trends) -> tuple[str, str]:
    return f"{found.weeks[0]:%-d %b}", f"{found.weeks[-1]:%-d %b}"
