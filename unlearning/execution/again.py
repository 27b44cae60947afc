"""``python -m unlearning.execution.again RUN``: the second execution of a replay.

It does the same work in a process of its own, keeps nothing of it, and prints what came out as
one line of JSON: a list, of what came out for each shard where shards were rebuilt. On Linux it
ends with the process that started it, so that a run that was cancelled leaves nothing behind.
"""

from __future__ import annotations

import ctypes
import json
import signal
import sys
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from unlearning.core.replay.claims import Execution


def executed(run_id: str) -> list[Execution]:
    """Do the work of a run once more."""
    from unlearning.execution import rebuilding, replaying  # noqa: PLC0415  (models need setup)
    from unlearning.execution.loading import recipe_of  # noqa: PLC0415  (as above)
    from unlearning.models import UnlearningRun  # noqa: PLC0415  (as above)
    from unlearning.recipes.sharded import Sharded  # noqa: PLC0415  (as above)

    run = UnlearningRun.objects.select_related("target__generated_by", "base", "space").get(
        pk=run_id
    )
    if isinstance(recipe_of(run.target), Sharded):
        return rebuilding.execute_again(run)
    return [replaying.execute_again(run)]


def end_with_parent() -> None:
    """Let the kernel end this process with the one that started it."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def main() -> None:
    """Execute again and print the outcome."""
    end_with_parent()
    django.setup()
    sys.stdout.write(json.dumps([one.as_dict() for one in executed(sys.argv[1])]) + "\n")


if __name__ == "__main__":
    main()
