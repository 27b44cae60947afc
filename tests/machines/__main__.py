"""Lose machines: ``python -m tests.machines [--losses N] [--people N] [--page FILE]``.

The lines of a run are kept in a file, from which ``--page`` writes the block of a page. The exit
code is 1 if anything was lost, done twice, left behind, or not taken over; where no network
namespaces are permitted, a sentence says so and nothing is run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

KEPT = Path("var/machines.jsonl")


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for; return the exit code."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["EXPUNGE_FORM_MIN_SECONDS"] = "0"  # of the visitors that live in this process
    options = _options(arguments)
    if options.quick:
        os.environ["EXPUNGE_FAULTS_QUICK"] = "1"
    from tests.machines import net, results, rounds

    if options.page:
        lines = [json.loads(line) for line in options.kept.read_text().splitlines()]
        write_page(options.page, results.as_markdown(lines))
        return 0
    if reason := net.impossible():
        print(f"Not run: {reason}.", file=sys.stderr)
        return 0
    lines = rounds.play(options.losses, options.people, _say)
    options.kept.parent.mkdir(parents=True, exist_ok=True)
    options.kept.write_text("".join(json.dumps(line) + "\n" for line in lines))
    print(json.dumps(lines[-1]))
    return 0 if results.good(lines) else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.machines", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two data sets, retrained at once")
    parser.add_argument("--losses", type=int, default=12, help="lose a machine so often")
    parser.add_argument("--people", type=int, default=3, help="of each of the four data sets")
    parser.add_argument("--kept", type=Path, default=KEPT, help="the file of the lines")
    parser.add_argument("--page", type=Path, help="write the block of this page, and end")
    return parser.parse_args(arguments)


def write_page(path: Path, block: str) -> None:
    """Put a block between the marks of a page."""
    from tests.machines.results import BEGIN, END

    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(before + BEGIN + block + END + after)


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    from config.services.children import sigterm_closes

    with sigterm_closes():
        sys.exit(main())
