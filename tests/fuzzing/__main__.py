"""``python -m tests.fuzzing``: --inputs N, --only NAME, --seed N, --json FILE, --page FILE.

With --guided, atheris guides the inputs by the branches of ours that they reach.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.fuzzing.parser import Parser
    from tests.fuzzing.running import Outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Give every parser inputs and say what became of them; 1 if any failed."""
    asked = _arguments(arguments)
    if not asked.guided:
        return _run(asked, by=None)
    from tests.fuzzing.guided import AtherisMissing, instrumented

    try:
        with instrumented() as by:
            return _run(asked, by=by)
    except AtherisMissing as missing:
        sys.stderr.write(f"{missing}\n")
        return 2


def _run(asked: argparse.Namespace, *, by: str | None) -> int:
    from tests.fuzzing.page import table, written

    parsers = _parsers()
    unknown = [name for name in asked.only if name not in parsers]
    if unknown:
        sys.stderr.write(f"There is no parser {unknown[0]!r}; there are {', '.join(parsers)}.\n")
        return 2
    chosen = [parsers[name] for name in asked.only or parsers]
    each = -(-asked.inputs // len(chosen))
    outcomes = []
    for parser in chosen:
        outcomes.append(_outcome(parser, asked, each))
        _say(outcomes[-1])
    found = table(outcomes, parsers, seed=asked.seed, by=by)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2, ensure_ascii=True) + "\n")
    if asked.page:
        asked.page.write_text(written(asked.page.read_text(), found))
    sys.stdout.write(f"{found['inputs']} inputs, {found['failures']} failures.\n")
    return 1 if found["failures"] else 0


def _parsers() -> Mapping[str, Parser]:
    """Import all of ours, and only now: what is to tell its branches needs the fuzzer's hook.

    The hook names each module on standard error.
    """
    with redirect_stderr(io.StringIO()):
        import django

        django.setup()
        from tests.fuzzing.parsers import PARSERS
    return PARSERS


def _outcome(parser: Parser, asked: argparse.Namespace, each: int) -> Outcome:
    if asked.guided:
        from tests.fuzzing.guided import run_guided

        return run_guided(parser, inputs=each, seconds=asked.seconds, seed=asked.seed)
    from tests.fuzzing.running import run_apart

    return run_apart(parser, inputs=each, seed=asked.seed)


def _say(outcome: Outcome) -> None:
    failed = sum(outcome.failed.values())
    sys.stdout.write(
        f"{outcome.name}: {outcome.inputs} inputs, {outcome.values} values, "
        f"{sum(outcome.refused.values())} refused, {failed} failed, slowest "
        f"{outcome.slowest_ms} ms, {outcome.grown_mb} MiB\n"
    )
    for line in outcome.examples:
        sys.stdout.write(f"    {line}\n")
    sys.stdout.flush()


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing")
    parser.add_argument("--inputs", type=int, default=100_000, help="of all parsers together")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="one parser")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same inputs")
    parser.add_argument("--json", type=Path, help="write what became of them")
    parser.add_argument("--page", type=Path, help="write it between the marks of a page")
    parser.add_argument("--guided", action="store_true", help="by coverage, with atheris")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="the most for one parser, if guided"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    sys.exit(main())
