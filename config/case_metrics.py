"""The metrics that are read from the database: cases, jobs, letters, the log, webhooks, sweeps.

Labels are codes of ours: a status, a queue, a kind of job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from prometheus_client.core import GaugeMetricFamily

from audits.queries import watched
from audits.queries.owner_budgets import owner_rows
from audits.queries.worker_signs import watched_queues
from lineage.queries.job_numbers import ended_jobs, oldest_heartbeat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from prometheus_client.core import Metric


def families(now: datetime) -> Iterator[Metric]:
    """Yield every metric of the database at ``now``."""
    yield from _cases(now)
    yield from _queues(now)
    yield from _jobs(now)
    yield from _log(now)
    yield from _letters()
    yield from _webhooks()
    yield from _sweep(now)
    yield from _owners(now)


def _cases(now: datetime) -> Iterator[Metric]:
    found = watched.case_numbers(now)
    cases = GaugeMetricFamily("expunge_cases", "Open cases.", labels=["status"])
    for status, count in found.by_status.items():
        cases.add_metric([status], count)
    yield cases
    yield _one("expunge_cases_overdue", "Cases whose answer is overdue.", found.overdue)
    yield _one("expunge_cases_due_soon", "Answers due within seven days.", found.soon)


def _queues(now: datetime) -> Iterator[Metric]:
    waiting = _by_queue("expunge_queue_jobs_waiting", "Jobs that no worker has taken yet.")
    running = _by_queue("expunge_queue_jobs_running", "Jobs that run.")
    oldest = _by_queue("expunge_queue_oldest_seconds", "Age of the oldest waiting job.")
    paused = _by_queue("expunge_queue_paused", "1 where staff paused the queue.")
    silent = _by_queue("expunge_queue_silent", "1 where jobs wait and no worker takes them.")
    workers = _by_queue("expunge_queue_workers", "Workers that take from it, idle or not.")
    absent = _by_queue("expunge_queue_absent", "1 where no worker takes from it.")
    seen = _by_queue("expunge_queue_seen_seconds", "Since the last sign of a worker.")
    for state in watched_queues(now):
        name, since = [state.name], state.oldest_since
        waiting.add_metric(name, state.queued)
        running.add_metric(name, state.running)
        oldest.add_metric(name, watched.seconds_since(since, now) if since else 0)
        paused.add_metric(name, float(state.paused_at is not None))
        silent.add_metric(name, float(state.silent))
        workers.add_metric(name, state.workers or 0)
        absent.add_metric(name, float(state.absent))
        if state.seen_at:
            seen.add_metric(name, watched.seconds_since(state.seen_at, now))
    yield from (waiting, running, oldest, paused, silent, workers, absent, seen)


def _jobs(now: datetime) -> Iterator[Metric]:
    labels = ["kind", "outcome"]
    count = GaugeMetricFamily("expunge_jobs_ended_day", "Ended in the last day.", labels=labels)
    mean = GaugeMetricFamily("expunge_job_mean_seconds_day", "Of those, the mean.", labels=labels)
    most = GaugeMetricFamily("expunge_job_most_seconds_day", "And the longest.", labels=labels)
    for one in ended_jobs(now):
        count.add_metric([one.kind, one.status], one.count)
        mean.add_metric([one.kind, one.status], one.mean_seconds)
        most.add_metric([one.kind, one.status], one.longest_seconds)
    yield from (count, mean, most)
    silence = oldest_heartbeat(now)
    yield _one("expunge_job_heartbeat_seconds", "Since the oldest sign of a running job.", silence)
    lease = settings.EXPUNGE_LEASE_SECONDS
    yield _one("expunge_lease_seconds", "For how long a silent worker holds its job.", lease)


def _log(now: datetime) -> Iterator[Metric]:
    found = watched.log_numbers(now)
    yield _one("expunge_log_events", "Events of the log.", found.events)
    yield _one("expunge_log_unsigned_events", "Events after the checkpoint.", found.unsigned)
    waits = found.unsigned_age or 0
    yield _one("expunge_log_unsigned_seconds", "Age of the first of these.", waits)
    if found.checkpoint_age is not None:
        age = found.checkpoint_age
        yield _one("expunge_log_checkpoint_seconds", "Age of the newest checkpoint.", age)


def _letters() -> Iterator[Metric]:
    found = watched.letter_numbers()
    yield _one("expunge_letters_failing", "Not taken, and tried again.", found.tried_again)
    yield _one("expunge_letters_given_up", "Not taken in all tries.", found.given_up)
    yield _one("expunge_notices_failing", "To recipients: not taken, tried again.", found.notices)


def _webhooks() -> Iterator[Metric]:
    found = watched.webhook_numbers()
    yield _one("expunge_webhooks_failing", "Webhooks that failed thrice or more.", found.failing)
    yield _one("expunge_webhook_messages_waiting", "Messages not delivered.", found.waiting)
    yield _one("expunge_webhook_messages_given_up", "Messages given up.", found.given_up)


def _sweep(now: datetime) -> Iterator[Metric]:
    every = settings.EXPUNGE_SWEEP_SECONDS
    yield _one("expunge_sweep_interval_seconds", "How often a sweep is rung for.", every)
    if mark := watched.last_sweep():
        age = watched.seconds_since(mark.ended_at, now)
        took = watched.seconds_since(mark.began_at, mark.ended_at)
        yield _one("expunge_sweep_seconds_ago", "Since the last sweep ended.", age)
        yield _one("expunge_sweep_duration_seconds", "How long it took.", took)
        yield _one("expunge_sweep_failed_steps", "Steps and cases that failed.", mark.failed)
        yield _one("expunge_sweep_cases_left", "Cases left to the next sweep.", mark.left)


def _owners(now: datetime) -> Iterator[Metric]:
    labels = ["owner"]  # a random id: a team's name is nobody's business there
    spent = GaugeMetricFamily(
        "expunge_owner_compute_seconds", "Computed in 30 days for an owner.", labels=labels
    )
    limit = GaugeMetricFamily(
        "expunge_owner_compute_limit_seconds", "What may be, where limited.", labels=labels
    )
    waits = GaugeMetricFamily(
        "expunge_owner_cases_waiting", "Cases that wait for the budget.", labels=labels
    )
    for row in owner_rows(now):
        one = [str(row.owner.pk)]
        spent.add_metric(one, row.spent.seconds)
        waits.add_metric(one, len(row.waits))
        if row.owner.seconds is not None:
            limit.add_metric(one, row.owner.seconds)
    yield from (spent, limit, waits)


def _one(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(name, said, value=value)


def _by_queue(name: str, said: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, said, labels=["queue"])
