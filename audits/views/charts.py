"""The trends of the first page as charts, each with its table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audits.core.bars import HEIGHT, WIDTH, Bar, Column, bars
from audits.core.letter_dates import date_words
from audits.execution.report_speech import language
from audits.queries.letter_texts import FALLBACK
from audits.views.wording import BAD, CARE, GOOD, method_title, verdict_badge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

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
        title=_("Requests a week"),
        summary=_("%(all)s in %(weeks)s weeks; at most %(most)s in one.")
        % {"all": sum(values), "weeks": len(values), "most": max(values)},
        bars=bars(_columns(found, values)),
        ends=_ends(found),
        head=(_("Week of"), _("Requests")),
        rows=tuple(zip(_weeks(found), map(str, values), strict=True)),
    )


def _answered(found: Trends) -> Chart:
    weekly = [found.answered.get(week) for week in found.weeks]
    days = [one.days if one else 0.0 for one in weekly]
    count = sum(one.count for one in weekly if one)
    return Chart(
        slug="answered",
        title=_("Days to an answer"),
        summary=ngettext(
            "Median of the week in which answers left; %(n)s answer, at most %(days)s days.",
            "Median of the week in which answers left; %(n)s answers, at most %(days)s days.",
            count,
        )
        % {"n": count, "days": f"{max(days):.1f}"},
        bars=bars(_columns(found, days), words=_("{label}: {value:.1f} days")),
        ends=_ends(found),
        head=(_("Week of"), _("Answers"), _("Median of days")),
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
        title=_("Verdicts a week"),
        summary=ngettext(
            "%(n)s final verdict, %(good)s of them good.",
            "%(n)s final verdicts, %(good)s of them good.",
            total,
        )
        % {"n": total, "good": good},
        bars=bars(columns),
        ends=_ends(found),
        head=(_("Week of"), *(_(verdict_badge(code).label) for code in outcomes)),
        rows=tuple(
            (label, *(str(found.verdicts.get(week, {}).get(code, 0)) for code in outcomes))
            for label, week in zip(_weeks(found), found.weeks, strict=True)
        ),
        legend=tuple((tone, _(words)) for tone, words in TONES.items()),
    )


def _spent(found: Trends) -> Chart:
    total = sum(one.seconds for one in found.spent)
    most = max((one.seconds for one in found.spent), default=0.0)
    return Chart(
        slug="spent",
        title=_("Compute by method"),
        summary=_(
            "%(time)s of unlearning in %(weeks)s weeks, shadow models not counted; the method "
            "that took most first."
        )
        % {"time": span(total), "weeks": len(found.weeks)},
        lines=tuple(
            (
                _(method_title(one.method)),
                one.seconds / most * WIDTH if most else 0.0,
                span(one.seconds),
            )
            for one in found.spent[:_METHODS]
        ),
        head=(_("Method"), _("Runs"), _("Seconds"), _("Seconds a run")),
        rows=tuple(
            (
                _(method_title(one.method)),
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
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.0f} h"
    return _("%(n)s days") % {"n": f"{seconds / _DAY:.0f}"}


def _columns(found: Trends, values: Sequence[float]) -> list[Column]:
    return [
        Column(label=label, values={PLAIN: value})
        for label, value in zip(_weeks(found), values, strict=True)
    ]


def _weeks(found: Trends) -> list[str]:
    english = language() == FALLBACK
    return [
        f"{week:%-d %b %Y}" if english else date_words(week, language()) for week in found.weeks
    ]


def _ends(found: Trends) -> tuple[str, str]:
    return _short(found.weeks[0]), _short(found.weeks[-1])


def _short(week: date) -> str:
    english = language() == FALLBACK
    return f"{week:%-d %b}" if english else date_format(week, "MONTH_DAY_FORMAT")
