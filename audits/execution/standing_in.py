"""Unlearn, and hold what serves meanwhile to the release gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.execution.gating import stand_in_ruling
from audits.services import releases
from unlearning.execution.running import execute_run

if TYPE_CHECKING:
    from datetime import datetime

    from lineage.models import Job, ModelVersion
    from unlearning.core.release.ruling import Ruling
    from unlearning.core.sharding.rebuilding import RolledBack
    from unlearning.models import UnlearningRun


class ReleaseGate:
    """What the audit asks of a version that is to serve until a result may."""

    def ruling(self, run: UnlearningRun, found: RolledBack) -> Ruling:
        """Return whether what was rolled back is as good as the target, within the margin."""
        return stand_in_ruling(run, found)

    def settled(
        self, *, run: UnlearningRun, version: ModelVersion, ruling: Ruling, now: datetime
    ) -> None:
        """Log that it serves or is held."""
        releases.note_stand_in(run=run, version=version, held=not ruling.allowed, now=now)


def unlearn(job: Job) -> None:
    """Carry out the run of a job."""
    execute_run(job, ReleaseGate())
