"""The runs of a case on its page: what was done, what was measured, and how far work is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.models import Evidence, Release
from audits.queries import case_page
from audits.queries.case_timeline import timeline
from audits.queries.clocks import today
from audits.queries.journey import LABELS_FOR_STAFF, journey
from audits.views.progress import progress_of
from audits.views.wording import guarantee_words, method_title, verdict_badge
from lineage.models import ModelVersion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from audits.models import ErasureRequest
    from audits.queries.case_page import LoggedLine, RunRow
    from audits.queries.evidence import Judged

CAPTIONS = {
    "plot": "How often the attack is right (up) against how often it accuses wrongly (right).",
    "histograms": "What the attack says of models with and without the records.",
    "power": "What an audit of this size can find, and what it can rule out.",
}


def live(
    found: ErasureRequest,
    logged: Sequence[LoggedLine],
    judged: Mapping[UUID, Judged],
    now: datetime,
) -> dict[str, Any]:
    """Return what changes while work goes on."""
    events = [(line.type, line.at) for line in logged]
    stages = journey(found, LABELS_FOR_STAFF, events)
    return {
        "case": found,
        "stages": stages,
        "moments": timeline(found, stages, logged, today(now), waits=found.waited_for),
        "progress": progress_of(found, now),
        "runs": [_row(row) for row in case_page.run_rows(found, judged)],
    }


def held_of(found: ErasureRequest) -> dict[str, Any]:
    """Return the results that the gate holds, and what would serve meanwhile, of a whole case."""
    every, waits = found.runs.all(), ModelVersion.State.CANDIDATE
    return {
        "held_releases": [
            run.release
            for run in every
            if getattr(run, "release", None)
            and run.release.state == Release.State.HELD
            and run.unlearned
            and run.unlearned.state == waits
        ],
        "held_stand_ins": [run for run in every if run.interim and run.interim.state == waits],
    }


def _row(row: RunRow) -> dict[str, Any]:
    badge = verdict_badge(row.outcome)
    return {
        "run": row.run,
        "method": method_title(row.run.method),
        "guarantee": guarantee_words(row.run.guarantee),
        "verdict": badge,
        "reasons": row.reasons,
        "evidence": row.evidence,
        "sentences": [said for one in row.evidence if (said := _sentence(one))],
        "figures": [figure for one in row.evidence for figure in _figures(one)],
    }


def _sentence(one: Any) -> str:  # noqa: ANN401  (an Evidence of ``judged_runs``)
    """Return the sentence for the person where a verdict was drawn from the evidence."""
    return one.for_the_person if one.for_the_person and hasattr(one, "verdict") else ""


def _figures(one: Any) -> Iterator[tuple[Evidence, str, str]]:  # noqa: ANN401  (likewise)
    """Yield evidence, name and caption of each stored picture; of the plot the name is empty."""
    if one.plot_id:
        yield one, "", CAPTIONS["plot"]
    for name in one.figures or {}:
        if name in CAPTIONS:
            yield one, name, CAPTIONS[name]
