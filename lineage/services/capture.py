"""The sink of ``expunge.capture`` that writes into this platform's own database."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from expunge.wire import plain
from lineage.core import first_steps
from lineage.models import ModelVersion, Run
from lineage.queries.standing import barred_records
from lineage.services.capture_reports import heard_here, opened_if_silent, watch_here
from lineage.services.locking import lock_spaces
from lineage.services.report_rewriting import spaces_read
from lineage.services.runs import RunPlan, RunResult, begin_run, fail_run, finish_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pyroaring import BitMap

    from expunge.sink import Finish, Start


@dataclass(frozen=True, kw_only=True)
class DatabaseSink:
    """Writes one captured training as a run and a model version.

    * ``plan``: what the run is and what it reads, with exactly one TRAINING snapshot;
    * ``model_name``: of the version that comes out;
    * ``clock``: tells the time;
    * ``beat``: how long ``check`` may be called again without writing that the training goes on;
    * ``kind``, ``release``, ``guarantee``, ``revision_of``: see ``RunResult``.
    """

    plan: RunPlan
    model_name: str
    clock: Callable[[], datetime]
    kind: str = ModelVersion.Kind.MODEL
    release: bool = True
    guarantee: str = ""
    revision_of: ModelVersion | None = field(default=None, repr=False)
    beat: timedelta = timedelta(seconds=60)
    _barred: dict[str, BitMap] = field(default_factory=dict, init=False, repr=False)

    def begin(self, start: Start) -> str:
        """Open the run. Raises SourceNotUsable."""
        plan = replace(
            self.plan,
            capture_level=self.plan.capture_level or start.level,
            sampler={**self.plan.sampler, **plain(start.sampler)},
            environment={**self.plan.environment, **start.environment},
        )
        now = self.clock()
        with transaction.atomic():
            run = begin_run(plan=plan, now=now)
            # A purge either finds this report or has rewritten the snapshot before it is read.
            lock_spaces(spaces_read(run).values_list("id", flat=True))
            barred = barred_records(run)
            if "job" not in plan.environment:  # a job is given up by its lease
                watch_here(run=run, barred=barred, now=now)
        self._barred[str(run.id)] = barred
        return str(run.id)

    def finish(self, run: str, finish: Finish) -> str:
        """Close the run with a version. Raises as ``finish_run``."""
        result = RunResult(
            model_name=self.model_name,
            weights=finish.weights,
            metrics=plain(finish.metrics),
            used=finish.used,
            kind=self.kind,
            release=self.release,
            guarantee=self.guarantee,
            revision_of=self.revision_of,
            sampler=plain(finish.sampler),
            first_steps=_stored(finish),
        )
        opened = opened_if_silent(run_id=uuid.UUID(run), now=self.clock())
        version = finish_run(run=opened, result=result, now=self.clock())
        return str(version.id)

    def fail(self, run: str, reason: str) -> None:
        """Mark the run as incomplete."""
        fail_run(run=_run(run), now=self.clock(), reason=reason)

    def check(self, run: str) -> int:
        """Return how many records of the run's data became restricted since it began.

        It also says that the training goes on: one that is silent for
        ``EXPUNGE_CAPTURE_SILENCE_SECONDS`` counts as dead, until its end comes after all.
        """
        heard_here(run_id=uuid.UUID(run), now=self.clock(), beat=self.beat)
        return len(barred_records(_run(run)) - self._barred[run])


def _stored(finish: Finish) -> bytes | None:
    steps = finish.first_steps
    return None if steps is None else first_steps.encode(finish.used, steps)


def _run(pk: str) -> Run:
    return Run.objects.get(id=uuid.UUID(pk))
