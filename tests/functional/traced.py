"""What a collector must have been told of a case that went through a whole site and was erased."""

from __future__ import annotations

from uuid import UUID

from lineage.core import spans
from tests.config.collector import exported

JOBS = ("PLAN", "UNLEARN", "AUDIT", "JUDGE", "ERASE")
LOST = {"job AUDIT"}  # spans in a worker that was killed are never told; what lay in them may be


def trace_is_whole(collector, ended) -> bool:
    """Whether the case itself is told, which is the last of its spans, and a web page of it."""
    trace = spans.trace_of(UUID(ended["id"]))
    told = {one.name for one in collector.spans if int(one.trace, 16) == trace}
    return {"case", "POST"} <= told


def check_trace(collector, ended) -> None:
    """The spans of an erased case: its jobs in their own processes, all in one tree."""
    trace = spans.trace_of(UUID(ended["id"]))
    found = [one for one in exported(collector) if int(one.trace, 16) == trace]
    by_id = {one.id: one for one in found}
    (whole,) = [one for one in found if one.name == "case"]
    assert whole.about["expunge.outcome"] == "ERASED"
    astray = {one.name for one in found if one.parent not in by_id and one is not whole}
    assert astray <= LOST, astray

    jobs = [one for one in found if one.name.startswith("job ")]
    kinds = {one.name.removeprefix("job ") for one in jobs}
    assert kinds >= set(JOBS), kinds
    assert max(one.about["expunge.attempt"] for one in jobs if one.name == "job AUDIT") >= 2
    started = [(one, by_id[one.parent]) for one in jobs if one.parent in by_id]
    in_task = [(job, around) for job, around in started if around.name == "lineage.run_job"]
    # The sweep rings again for the case, so that this child lies in a task of its trace, too.
    assert in_task == started
    assert {job.name.removeprefix("job ") for job, _ in in_task} >= set(JOBS) - {"AUDIT"}
    assert len({job.process for job in jobs}) == len(jobs)  # each has a child of its own

    light = {around.process for job, around in in_task if job.name == "job PLAN"}
    heavy = {around.process for job, around in in_task if job.name == "job UNLEARN"}
    web = {one.process for one in found if one.kind == "SERVER"}
    sides = [light, heavy, web, {one.process for one in jobs}]
    assert all(sides)
    assert len(set.union(*sides)) == sum(map(len, sides)), sides
    assert "audits:confirm" in {one.about.get("http.route") for one in found}
    moves = {state for one in found for state in one.moved}
    assert moves >= {"ACCEPTED", "RESTRICTED", "PLANNED", "UNLEARNING", "AUDITING", "SEALED"}
