"""``python -m unlearning.execution.again RUN``: the second execution of a replay.

It does the same work in a process of its own, keeps nothing of it, and prints what came out as
one line of JSON: a list, of what came out for each shard where shards were rebuilt.
"""

from __future__ import annotations

import json
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


def main() -> None:
    """Execute again and print the outcome."""
    django.setup()
    sys.stdout.write(json.dumps([one.as_dict() for one in executed(sys.argv[1])]) + "\n")


if __name__ == "__main__":
    main()
