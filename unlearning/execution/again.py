"""``python -m unlearning.execution.again RUN``: the second execution of a replay.

It does the same work in a process of its own, keeps nothing of it, and prints what came out as
one line of JSON.
"""

from __future__ import annotations

import json
import sys

import django


def main() -> None:
    """Execute again and print the outcome."""
    django.setup()
    from unlearning.execution.replaying import execute_again  # noqa: PLC0415  (models need setup)

    sys.stdout.write(json.dumps(execute_again(sys.argv[1]).as_dict()) + "\n")


if __name__ == "__main__":
    main()
