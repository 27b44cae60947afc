"""The course of a case as a picture: each step with its time, what was waiting, the due date.

Drawn from the findings of a sealed case alone: who has the record can draw it again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import translation
from django.utils.translation import gettext as _
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from audits.execution.pictured import fitted
from audits.execution.plots import COLOURS, drawing, svg_of
from audits.execution.report_speech import short_day
from audits.execution.report_speech import spell as in_units
from audits.execution.timeline_steps import Course, Step, course_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches. As wide as the text of the report; names and times left of the chart, spans right of it.
WIDTH, ROW, TOP, FOOT = 6.7, 0.26, 0.5, 0.75
LEFT, RIGHT, TIME = 2.35, 1.25, 1.15
POINTS = 7.0
INK, QUIET = "#262626", "#595959"
FAR = 6  # times the whole case: a due date beyond that is written, not drawn
LEAST_SHARE = 0.001
LEAST = 0.004  # of the chart: what is shorter is drawn as long as this

NAMES: Mapping[str, str] = {
    "RECEIPT": "Receipt",
    "CONFIRMATION": "Confirmation",
    "SEARCH": "Search",
    "DECISION": "Decision",
    "RESTRICTION": "Restriction",
    "PLAN": "Plan",
    "RUNS": "Runs",
    "AUDIT": "Audit",
    "ERASURE": "Erasure",
    "SEAL": "Seal",
    "ANSWER": "Answer",
}
UNITS: Mapping[str, str] = {
    "d": "Days since receipt",
    "h": "Hours since receipt",
    "min": "Minutes since receipt",
    "s": "Seconds since receipt",
}
_SECONDS = {"d": 86_400.0, "h": 3600.0, "min": 60.0, "s": 1.0}
_WAITING: dict[str, Any] = {
    "facecolor": "#f0f0f0",
    "edgecolor": "#8a8a8a",
    "hatch": "////",
    "linewidth": 0.6,
}
_WORKING: dict[str, Any] = {"facecolor": COLOURS[0], "edgecolor": COLOURS[0], "linewidth": 0.6}
_PAUSED: dict[str, Any] = {"facecolor": "#e0e0e0", "edgecolor": "none", "alpha": 0.6, "zorder": 0}


def timeline_svg(findings: Mapping[str, Any], *, language: str = "en") -> bytes | None:
    """Draw the steps of a case with the share of time that each took, as SVG.

    Args:
        findings: of a sealed account, with its events, the seal at the end.
        language: of the labels and of the description.

    Returns:
        None where the record holds fewer than two steps.
    """
    course = course_of(findings)
    if course is None or len(course.steps) < 2:  # noqa: PLR2004  (one moment has no length)
        return None
    answered = course.steps[-1].name == "ANSWER"
    rows = len(course.steps) + (not answered)
    high = TOP + rows * ROW + FOOT
    with translation.override(language), drawing((WIDTH, high)) as figure:
        axes = _axes(figure, high, rows)
        unit, reach = _scale(course)
        for row, step in enumerate(course.steps):
            _step(axes, course, row, step, reach)
        if not answered:
            _texts(axes, rows - 1, _(NAMES["ANSWER"]), _("after the seal"), "")
        _clock(axes, course, reach)
        axes.set_xlim(0, reach.total_seconds())
        _ticks(axes, unit, reach)
        _legend(axes, course)
        title = _("The course of the case")
        return svg_of(figure, title=title, description=_described(course))


def _axes(figure: Figure, high: float, rows: int) -> Axes:
    figure.set_layout_engine("none")
    wide = WIDTH - LEFT - RIGHT
    axes = figure.add_axes((LEFT / WIDTH, FOOT / high, wide / WIDTH, rows * ROW / high))
    axes.set_ylim(rows, 0)
    axes.set_yticks([])
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    return axes


def _scale(course: Course) -> tuple[str, timedelta]:
    """Return the unit of the axis, and how far it reaches."""
    reach = max(course.took, timedelta(seconds=1))
    due = [one - course.start for one in (course.due, course.extended) if one]
    reach = max([reach, *(one for one in due if one <= FAR * reach)]) * 1.02
    unit = next((one for one, size in _SECONDS.items() if reach.total_seconds() >= 3 * size), "s")
    return unit, reach


def _step(axes: Axes, course: Course, row: int, step: Step, reach: timedelta) -> None:
    least = LEAST * reach.total_seconds()
    start, began, end = (
        (at - course.start).total_seconds() for at in (step.start, step.began, step.end)
    )
    if began > start or start == end:
        axes.barh(row + 0.5, max(began - start, least), left=start, height=0.55, **_WAITING)
    if end > began:
        axes.barh(row + 0.5, max(end - began, least), left=began, height=0.55, **_WORKING)
    axes.axhline(row + 1, color="#e6e6e6", linewidth=0.5, zorder=0)
    span = f"{spell(step.took)}, {percent(course.share(step))}" if row else ""
    _texts(axes, row, _(NAMES[step.name]), _when(step.end), span)


def _texts(axes: Axes, row: int, name: str, at: str, span: str) -> None:
    wide = WIDTH - LEFT - RIGHT
    places = ((-LEFT + 0.02, name, INK), (-TIME, at, QUIET), (wide + 0.06, span, INK))
    for inches, text, colour in places:
        axes.text(
            inches / wide,
            row + 0.62,
            fitted(text, 1.2, POINTS),
            color=colour,
            fontsize=POINTS,
            transform=axes.get_yaxis_transform(),
        )


def spell(span: timedelta) -> str:
    """Return a span by symbols alone, which every language shares."""
    return in_units(span) if span >= timedelta(seconds=0.5) else "< 1 s"


def percent(share: float) -> str:
    """Return a share in percent, so that no step that took time shows as nothing."""
    return f"{100 * share:.1f} %" if share >= LEAST_SHARE or not share else "< 0.1 %"


def _clock(axes: Axes, course: Course, reach: timedelta) -> None:
    """Draw pauses as bands and due dates as lines, or name them at the border."""
    for start, end in course.pauses:
        axes.axvspan(*((at - course.start).total_seconds() for at in (start, end)), **_PAUSED)
    for place, (text, dashes, at) in enumerate(_due(course)):
        after = (at - course.start).total_seconds()
        drawn = after <= reach.total_seconds()
        if drawn:
            axes.axvline(after, color=COLOURS[1], linewidth=1.4, linestyle=dashes)
        axes.annotate(
            text if drawn else f"{text} \u2192",
            (after if drawn else reach.total_seconds(), 0),
            xytext=(0, 4 + 10 * place),
            textcoords="offset points",
            ha="right",
            color=INK,
            fontsize=POINTS,
        )


def _due(course: Course) -> list[tuple[str, Any, datetime]]:
    found: list[tuple[str, Any, datetime]] = []
    if course.due:
        found.append((_("Due on %(day)s") % {"day": _day(course.due)}, "-", course.due))
    if course.extended:
        words = _("Extended to %(day)s") % {"day": _day(course.extended)}
        found.append((words, (0, (4, 2)), course.extended))
    return found


def _day(end: datetime) -> str:
    return short_day((end - timedelta(days=1)).isoformat())


def _ticks(axes: Axes, unit: str, reach: timedelta) -> None:
    size = _SECONDS[unit]
    values = MaxNLocator(6, integer=True).tick_values(0, reach.total_seconds() / size)
    shown = [value for value in values if 0 <= value * size <= reach.total_seconds()]
    axes.set_xticks([value * size for value in shown], [f"{value:g}" for value in shown])
    axes.tick_params(axis="x", labelsize=POINTS, colors=QUIET, length=2)
    axes.set_xlabel(_(UNITS[unit]), fontsize=POINTS, color=QUIET, labelpad=2)


def _legend(axes: Axes, course: Course) -> None:
    drawn = [(_("Waiting"), _WAITING), (_("Work"), _WORKING)]
    if course.pauses:
        drawn.append((_("Clock paused"), _PAUSED))
    patches = [Patch(label=text, **style) for text, style in drawn]
    wide = WIDTH - LEFT - RIGHT
    axes.figure.legend(
        handles=patches,
        loc="lower left",
        bbox_to_anchor=((LEFT - 0.1) / WIDTH, 0.0),
        ncols=len(patches),
        fontsize=POINTS,
        frameon=False,
        borderpad=0.2,
        handlelength=1.6,
        columnspacing=wide / 3,
    )


def _described(course: Course) -> str:
    whole = _("From %(start)s to %(end)s UTC the case took %(span)s.") % {
        "start": _when(course.start),
        "end": _when(course.end),
        "span": spell(course.took),
    }
    steps = [
        f"{_(NAMES[one.name])}: {spell(one.took)}, {percent(course.share(one))}"
        for one in course.steps[1:]
    ]
    clock = [text for text, _dashes, _at in _due(course)]
    if course.pauses:
        clock.append(_("The clock was paused %(count)d time(s)") % {"count": len(course.pauses)})
    return " ".join([whole, f"{'; '.join(steps)}.", *(f"{text}." for text in clock)])


def _when(moment: datetime) -> str:
    """Return an instant to the minute, the day as the language writes it."""
    return f"{short_day(moment.isoformat())} {moment:%H:%M}"
