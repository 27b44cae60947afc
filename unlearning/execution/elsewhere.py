"""Let another process execute the work of a run once more, within a time."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import TYPE_CHECKING

from django.conf import settings

from unlearning.core.replay.claims import NO_SECOND, Execution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unlearning.core.replay.recording import Recording
    from unlearning.models import UnlearningRun

logger = logging.getLogger("expunge.unlearning")

COMMAND = (sys.executable, "-m", "unlearning.execution.again")
TIMES = 10.0  # what a busy machine may be slower by
LEAST = 900.0  # seconds; a process that begins loads libraries and every record
FAILED = "The second execution did not come to its end; the worker's log says why."
TOO_LONG = (
    "The second execution was stopped after {limit:.0f} seconds, {times:.0f} times what was "
    "expected of it or {least:.0f} seconds, so there is nothing to compare with."
)


def limit_of(run: UnlearningRun, recordings: Sequence[Recording], seconds: float) -> float:
    """Return for how many seconds the second execution of a run may last.

    ``seconds`` is what the first took. The second begins at the start of each training: it lasts
    longer by as much as that has more visits, and about as long as the training did.
    """
    spent = sum(one.spent for one in recordings)
    whole = sum(one.visits for one in recordings)
    scaled = seconds * max(1.0, whole / spent) if spent else seconds
    return max(LEAST, TIMES * max(scaled, run.retrain_seconds_predicted or 0.0))


def elsewhere(run: UnlearningRun, limit: float) -> list[Execution] | str:
    """Return the same work done by another process, each shard by itself where there are any.

    A sentence, why there is nothing to compare with, where that is not wanted, fails, or takes
    more than ``limit`` seconds.
    """
    if not settings.EXPUNGE_REPLAY_TWICE:
        return NO_SECOND
    # A module of ours, and the id of a run. What it leaves running is not waited for.
    with subprocess.Popen(  # noqa: S603
        [*COMMAND, str(run.pk)],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            told, problems = child.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            child.kill()
            logger.warning(
                "The second execution of run %s took over %.0f s.",
                run.pk,
                limit,
                extra={"said": "SECOND_TOO_LONG"},
            )
            return TOO_LONG.format(limit=limit, times=TIMES, least=LEAST)
        except BaseException:
            child.kill()
            raise
    if child.returncode:
        last = (problems.strip().splitlines() or ["it said nothing"])[-1]
        logger.warning(
            "The second execution of run %s failed: %s",
            run.pk,
            last,
            extra={"said": "SECOND_FAILED"},
        )
        return FAILED
    found = [Execution.from_dict(one) for one in json.loads(told.splitlines()[-1])]
    return found or FAILED
