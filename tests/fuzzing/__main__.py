"""``python -m tests.fuzzing``: --inputs N, --only NAME, --seed N, --json FILE, --page FILE."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path


def main() -> int:
    """Give every parser inputs and say what became of them; 1 if any failed."""
    from tests.fuzzing.page import table, written
    from tests.fuzzing.parsers import PARSERS
    from tests.fuzzing.running import run_apart

    asked = _arguments()
    unknown = [name for name in asked.only if name not in PARSERS]
    if unknown:
        sys.stderr.write(f"There is no parser {unknown[0]!r}; there are {', '.join(PARSERS)}.\n")
        return 2
    chosen = [PARSERS[name] for name in asked.only or PARSERS]
    each = -(-asked.inputs // len(chosen))
    outcomes = []
    for parser in chosen:
        outcomes.append(run_apart(parser, inputs=each, seed=asked.seed))
        _say(outcomes[-1])
    found = table(outcomes, PARSERS, seed=asked.seed)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2, ensure_ascii=True) + "\n")
    if asked.page:
        asked.page.write_text(written(asked.page.read_text(), found))
    sys.stdout.write(f"{found['inputs']} inputs, {found['failures']} failures.\n")
    return 1 if found["failures"] else 0


def _say(outcome) -> None:
    failed = sum(outcome.failed.values())
    sys.stdout.write(
        f"{outcome.name}: {outcome.inputs} inputs, {outcome.values} values, "
        f"{sum(outcome.refused.values())} refused, {failed} failed, slowest "
        f"{outcome.slowest_ms} ms, {outcome.grown_mb} MiB\n"
    )
    for line in outcome.examples:
        sys.stdout.write(f"    {line}\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing")
    parser.add_argument("--inputs", type=int, default=100_000, help="of all parsers together")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="one parser")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same inputs")
    parser.add_argument("--json", type=Path, help="write what became of them")
    parser.add_argument("--page", type=Path, help="write it between the marks of a page")
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    sys.exit(main())
