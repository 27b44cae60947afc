"""Run the faults: ``python -m tests.faults [--quick] [--only KIND] [--times N] [--resume FILE]``.

Every injection is appended to a file of JSON lines, with which ``--resume`` goes on; rounds that
were cut short are run again. Ends with one line of JSON. The exit code is 1 if anything was lost,
done twice, left behind, or does not agree with the log. ``--page FILE`` only writes the table of
what was kept.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.faults.campaign import Round
    from tests.faults.kinds import Kind
    from tests.faults.template import Ground

PAGE = Path("docs/reliability.md")
BEGIN, END = "<!-- faults -->\n", "<!-- end of faults -->\n"
KEPT = Path("var/faults.jsonl")


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for; return the exit code."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["EXPUNGE_FORM_MIN_SECONDS"] = "0"  # of the visitors that live in this process
    options = _options(arguments)
    if options.quick:
        os.environ["EXPUNGE_FAULTS_QUICK"] = "1"
    from tests.faults import results
    from tests.faults.kinds import NAMED

    unknown = set(options.only) - NAMED.keys()
    if unknown:
        print(f"--only is {unknown.pop()!r}; allowed are {', '.join(NAMED)}.", file=sys.stderr)
        return 2
    kept = options.resume or KEPT
    if options.page:
        _write_page(options.page, results.read(kept))
        return 0
    if not options.resume:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.unlink(missing_ok=True)
    good = _run(options, kept)
    print(json.dumps(results.summary(results.read(kept))))
    return 0 if good else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one of each cheap kind, on SQLite")
    parser.add_argument("--only", action="append", default=[], help="this kind; may be repeated")
    parser.add_argument("--times", type=int, help="inject each kind so often on each engine")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), help="only this one")
    parser.add_argument("--resume", type=Path, help="go on with this file of JSON lines")
    parser.add_argument("--seed", type=int, default=1, help="of the instants and the order")
    parser.add_argument("--page", type=Path, help="write the table of the kept lines, and end")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace, kept: Path) -> bool:
    from tests.faults import results
    from tests.faults.campaign import Round
    from tests.faults.template import ground

    done = results.injected(results.read(kept))
    good = True
    for engine in _engines(options):
        rounds = _rounds(options, engine, done)
        if not rounds:
            continue
        with ground(engine, _say) as prepared:
            for number, faults in enumerate(rounds):
                name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{engine}-{number}"
                one = Round(
                    engine=engine,
                    faults=faults,
                    say=_say,
                    keep=lambda line: _keep(kept, line),
                    name=name,
                    draw=random.Random(f"{options.seed}:{name}"),
                )
                good &= _in_a_folder(one, prepared)
    return good


def _in_a_folder(one: Round, prepared: Ground) -> bool:
    folder = Path(tempfile.mkdtemp(prefix="expunge-faults-"))
    try:
        return one.run(prepared, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _engines(options: argparse.Namespace) -> tuple[str, ...]:
    if options.engine:
        return (options.engine,)
    return ("sqlite",) if options.quick else ("sqlite", "postgresql")


def _rounds(options: argparse.Namespace, engine: str, done: Any) -> list[list[Kind]]:  # noqa: ANN401
    """Return what is still to be injected: kinds of many times alone, the others together."""
    from tests.faults.kinds import KINDS

    alone, together = [], []
    for kind in KINDS:
        wanted = kind.name in options.only if options.only else kind.quick or not options.quick
        if not wanted or kind.engine not in ("", engine):
            continue
        times = options.times or (1 if options.quick else kind.times)
        left = [kind] * max(0, times - done[engine, kind.name])
        if len(left) > MANY:
            alone.append(left)
        else:
            together += left
    return [one for one in (*alone, together) if one]


MANY = 12  # of one kind have an installation of their own: what they do is told apart


def _keep(path: Path, line: dict[str, Any]) -> None:
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def _write_page(path: Path, lines: list[dict[str, Any]]) -> None:
    from tests.faults.results import as_markdown

    text = path.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(before + BEGIN + as_markdown(lines) + END + after)


if __name__ == "__main__":
    from config.services.children import sigterm_closes

    with sigterm_closes():
        sys.exit(main())
