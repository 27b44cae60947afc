"""The sink of ``expunge.capture`` that writes into this platform's own database."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lineage.models import ModelVersion, Run
from lineage.services.runs import RunPlan, RunResult, begin_run, fail_run, finish_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from expunge.sink import Finish, Start


@dataclass(frozen=True, kw_only=True)
class DatabaseSink:
    """Writes one captured training as a run and a model version.

    * ``plan``: what the run is and what it reads, with exactly one TRAINING snapshot;
    * ``model_name``: of the version that comes out;
    * ``clock``: tells the time;
    * ``kind``, ``release``, ``guarantee``, ``revision_of``: see ``RunResult``.
    """

    plan: RunPlan
    model_name: str
    clock: Callable[[], datetime]
    kind: str = ModelVersion.Kind.MODEL
    release: bool = True
    guarantee: str = ""
    revision_of: ModelVersion | None = field(default=None, repr=False)

    def begin(self, start: Start) -> str:
        """Open the run. Raises SourceNotUsable."""
        plan = replace(
            self.plan,
            capture_level=Run.Capture.SAMPLER,
            sampler={**self.plan.sampler, **start.sampler},
            environment={**self.plan.environment, **start.environment},
        )
        return str(begin_run(plan=plan, now=self.clock()).id)

    def finish(self, run: str, finish: Finish) -> str:
        """Close the run with a version. Raises as ``finish_run``."""
        result = RunResult(
            model_name=self.model_name,
            weights=finish.weights,
            metrics=finish.metrics,
            used=finish.used,
            kind=self.kind,
            release=self.release,
            guarantee=self.guarantee,
            revision_of=self.revision_of,
            sampler=finish.sampler,
        )
        version = finish_run(run=_run(run), result=result, now=self.clock())
        return str(version.id)

    def fail(self, run: str, reason: str) -> None:
        """Mark the run as incomplete."""
        fail_run(run=_run(run), now=self.clock(), reason=reason)


def _run(pk: str) -> Run:
    return Run.objects.get(id=uuid.UUID(pk))
