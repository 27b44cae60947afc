"""What happened in a case and what lies ahead, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from audits.core.regimes import REASON_WORDS, PauseReason
from audits.queries.beside import beside
from audits.queries.case_file import ordered_runs
from audits.queries.clocks import extended_limit, first_limit
from audits.queries.method_titles import method_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from audits.models import CaseClock, ErasureRequest, ExtensionDecision
    from audits.queries.case_page import LoggedLine
    from audits.queries.journey import Stage

ENDED = ("run_finished", "run_failed")


@dataclass(frozen=True, kw_only=True)
class Moment:
    """An entry of the timeline.

    * ``state``: ``done``, ``current`` or ``ahead`` of a step; ``mark`` of what lies between;
    * ``at`` or ``day``: when, where that is known; ``until`` where it lasted;
    * ``tone``: ``bad`` or ``care`` where it should be seen.
    """

    label: str
    state: str
    at: datetime | None = None
    day: date | None = None
    until: datetime | None = None
    lasts: bool = False
    note: str = ""
    tone: str = ""


def timeline(
    request: ErasureRequest,
    stages: Iterable[Stage],
    logged: Sequence[LoggedLine],
    today: date,
    *,
    waits: bool,
) -> list[Moment]:
    """Return the steps in their order with what came between them; what is due, where it belongs.

    A mark stands after the last step that was taken before it. ``waits`` says whether somebody
    still waits for the answer, which is late only then.
    """
    steps = [Moment(label=one.label, state=one.state, at=one.at) for one in stages]
    taken = [one for one in steps if one.state != "ahead"]
    marks = sorted([*_runs(request, logged), *_clock(request, today, waits=waits)], key=_when)
    coming = [one for one in marks if _ahead(one, today)]
    for mark in (one for one in marks if one not in coming):
        before = [place for place, one in enumerate(taken) if _came_before(one, mark)]
        taken.insert(before[-1] + 1 if before else 0, mark)
    return [*taken, *coming, *(one for one in steps if one.state == "ahead")]


def _runs(request: ErasureRequest, logged: Sequence[LoggedLine]) -> Iterator[Moment]:
    known = {str(run.pk): run for run in ordered_runs(request)}
    for line in logged:
        run = known.get(str(line.data.get("run", ""))) if line.type in ENDED else None
        if run is not None:
            failed = line.type == "run_failed"
            said = {"version": run.target, "method": _(method_title(run.method))}
            label = (
                _("%(version)s: %(method)s failed") % said
                if failed
                else _("%(version)s: %(method)s done") % said
            )
            yield _mark(label, line.at, tone="bad" if failed else "")


def _clock(request: ErasureRequest, today: date, *, waits: bool) -> Iterator[Moment]:
    clock: CaseClock | None = beside(request, "clock")
    if clock is None:
        return
    for pause in request.clock_pauses.all():
        why = {"why": _(REASON_WORDS[PauseReason(pause.reason)])}
        yield Moment(
            label=_("The clock stood still: %(why)s") % why
            if pause.until
            else _("The clock stands still: %(why)s") % why,
            state="mark",
            at=pause.since,
            until=pause.until,
            lasts=pause.until is None,
        )
    extension: ExtensionDecision | None = beside(request, "extension")
    told = bool(extension and extension.notice_sent_at)
    if extension and extension.notice_sent_at:
        yield _mark(_("The person was told that it takes longer"), extension.notice_sent_at)
    elif extension and extension.lapsed_at:
        yield _mark(_("The extension lapsed"), extension.lapsed_at, tone="bad")
    late = waits and request.due_on is not None and request.due_on < today
    yield Moment(
        label=_("First limit of the answer") if told else _("Answer due"),
        state="mark",
        day=first_limit(clock),
        tone="bad" if late and not told else "",
    )
    if told:
        yield Moment(
            label=_("Answer due, extended"),
            state="mark",
            day=extended_limit(clock),
            tone="bad" if late else "",
        )


def _mark(label: str, at: datetime, *, tone: str = "") -> Moment:
    return Moment(label=label, state="mark", at=at, tone=tone)


def _ahead(one: Moment, today: date) -> bool:
    return one.day is not None and one.day >= today


def _came_before(one: Moment, mark: Moment) -> bool:
    return (one.at is not None or one.day is not None) and _when(one) <= _when(mark)


def _when(one: Moment) -> datetime:
    if one.at is not None:
        return one.at
    return datetime.combine(one.day or date.max, time.max, UTC)
