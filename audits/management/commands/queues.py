"""``manage.py queues``: how much waits in each queue of jobs; pause one, or let it go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from audits import workflow
from audits.queries.worker_signs import watched_queues
from lineage.core.queues import QUEUES

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """List the queues; pause one before a change of the workers, and resume it afterwards."""

    help = (
        "Show what waits in each queue and what runs. A paused queue hands out no job; what runs "
        "ends, so that a paused queue drains."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        steps = parser.add_subparsers(dest="step")
        for step, words in (("pause", "hand out no job of a queue"), ("resume", "hand out again")):
            steps.add_parser(step, help=words).add_argument("queue", choices=list(QUEUES))

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Do one step, then print a line for each queue."""
        step = options["step"]
        if step == "pause" and not workflow.pause_queue(queue=options["queue"], user=None):
            self.stdout.write(f"{options['queue']} was paused before.")
        if step == "resume" and not workflow.resume_queue(queue=options["queue"], user=None):
            self.stdout.write(f"{options['queue']} was not paused.")
        for one in watched_queues(timezone.now()):
            self.stdout.write(
                f"{one.name}: {one.queued} waiting, {one.running} running, {one.failed} failed"
                + (", paused" if one.paused_at else "")
                + (", no worker" if one.absent else f", workers: {one.workers}")
            )
