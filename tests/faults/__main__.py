"""Run the faults: ``python -m tests.faults [--quick] [--only KIND] [--times N] ...``.

Every injection is appended to a file of JSON lines, with which ``--resume`` goes on; rounds that
were cut short are run again. Ends with one line of JSON. The exit code is 1 if of all that is kept
anything was lost, done twice, left behind, not recovered in time, or does not agree with the log.
``--page FILE`` only writes the table of what was kept.
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
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    why = _run(options, kept)
    lines = results.read(kept)
    left = {"not_injected": _left(options, lines)} | ({"because": why} if why else {})
    print(json.dumps(results.summary(lines) | left))
    return 0 if results.good(lines) else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="four cheap kinds once, on SQLite")
    parser.add_argument("--only", action="append", default=[], help="this kind; may be repeated")
    parser.add_argument("--times", type=int, help="inject each kind so often on each engine")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), help="only this one")
    parser.add_argument("--resume", type=Path, help="go on with this file of JSON lines")
    parser.add_argument("--seed", type=int, default=1, help="of the instants and the order")
    limit = "begin nothing new after so many minutes; --resume goes on"
    parser.add_argument("--minutes", type=float, default=float("inf"), help=limit)
    earlier = "the commit or tag that is the release before; found in the history by default"
    parser.add_argument("--before", default="", help=earlier)
    parser.add_argument("--page", type=Path, help="write the table of the kept lines, and end")
    return parser.parse_args(arguments)


def _left(options: argparse.Namespace, lines: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Return how often what was asked for is still to be injected, or was not possible here."""
    from tests.faults import results

    done = results.injected(lines)
    left = {
        engine: Counter(kind.name for one in _rounds(options, engine, done) for kind in one)
        for engine in _engines(options)
    }
    return {engine: dict(kinds) for engine, kinds in left.items() if kinds}


def _run(options: argparse.Namespace, kept: Path) -> dict[str, str]:
    """Inject what is left to be injected; return why kinds could not be, by kind."""
    from tests.faults import results
    from tests.faults.campaign import Round
    from tests.faults.releases import NoRelease
    from tests.faults.template import ground, ground_before

    done = results.injected(results.read(kept))
    planned = {engine: _rounds(options, engine, done) for engine in _engines(options)}
    said = Progress(sum(len(one) for rounds in planned.values() for one in rounds))
    until = said.began + 60 * options.minutes
    why: dict[str, str] = {}
    phases = {engine: results.met(results.read(kept), engine) for engine in planned}

    def round_of(engine: str, number: int, faults: list[Kind]) -> Round:
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{engine}-{number}"
        return Round(
            engine=engine,
            faults=faults,
            say=said.say,
            keep=lambda line: _keep(kept, line, said),
            name=name,
            draw=random.Random(f"{options.seed}:{name}"),
            until=until,
            phases=phases[engine],
        )

    for engine, apart, rounds in _by_ground(planned):
        if time.monotonic() > until:
            break
        begin = ground_before(engine, options.before, _say) if apart else ground(engine, _say)
        try:
            with begin as prepared:
                for number, faults in enumerate(rounds):
                    if time.monotonic() > until:
                        break
                    _in_a_folder(round_of(engine, number, faults), prepared)
        except NoRelease as error:
            why |= {kind.name: str(error) for one in rounds for kind in one}
            said.say(f"{', '.join(sorted(why))}: not injected, because {error}")
    return why


def _by_ground(
    planned: dict[str, list[list[Kind]]],
) -> Iterator[tuple[str, bool, list[list[Kind]]]]:
    """Yield what begins with the same preparation: engine, whether it is that of old code."""
    for engine, rounds in planned.items():
        for apart, some in groupby(rounds, key=lambda one: one[0].apart):
            yield engine, apart, list(some)


@dataclass
class Progress:
    """How far the campaign is, said in front of each line."""

    total: int
    began: float = field(default_factory=time.monotonic)
    done: int = 0
    first: float = 0.0  # when the first line was said: what is prepared before is done once

    def say(self, line: str) -> None:
        """Say a line, and how many injections are over, how long it took and will take."""
        now = time.monotonic()
        self.first = self.first or now
        spent = now - self.began
        left = (now - self.first) / max(1, self.done) * (self.total - self.done)
        rest = f", about {left / 60:.1f} min left" if self.done else ""
        _say(f"[{self.done}/{self.total}, {spent / 60:.1f} min{rest}] {line}")


def _in_a_folder(one: Round, prepared: Ground) -> None:
    folder = Path(tempfile.mkdtemp(prefix="expunge-faults-"))
    try:
        one.run(prepared, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _engines(options: argparse.Namespace) -> tuple[str, ...]:
    if options.engine:
        return (options.engine,)
    return ("sqlite",) if options.quick else ("sqlite", "postgresql")


def _rounds(options: argparse.Namespace, engine: str, done: Any) -> list[list[Kind]]:  # noqa: ANN401
    """Return what is still to be injected: kills that come in quick succession, then the others.

    Of each round the kinds come in turn, so that the same program does not die ten times a minute,
    which is where the supervisor gives up.
    """
    from tests.faults.kinds import KINDS

    rapid: list[list[Kind]] = []
    others: list[list[Kind]] = []
    apart: list[list[Kind]] = []
    for kind in KINDS:
        wanted = kind.name in options.only if options.only else kind.quick or not options.quick
        if not wanted or kind.engine not in ("", engine):
            continue
        times = options.times or (1 if options.quick else kind.times)
        left = [kind] * max(0, times - done[engine, kind.name])
        if kind.apart:
            apart.append(left)
        else:
            (rapid if kind.rapid and times > FEW else others).append(left)
    return (
        _parts(_in_turn(rapid), size=KILLS)
        + _parts(_in_turn(others), size=FAULTS)
        + [one for one in apart if one]
    )


# In one installation at most. The last four cases of each take minutes, and what is cut short is
# lost.
KILLS, FAULTS = 150, 72
FEW = 5  # of a kind come with whatever else there is


def _in_turn(kinds: list[list[Kind]]) -> list[Kind]:
    """Mix kinds evenly: of one that comes twice as often, each second one."""
    placed = [
        ((place + 0.5) / len(each), number, kind)
        for number, each in enumerate(kinds)
        for place, kind in enumerate(each)
    ]
    return [kind for *_, kind in sorted(placed, key=lambda one: one[:2])]


def _parts(kinds: list[Kind], *, size: int) -> list[list[Kind]]:
    """Cut a list into as few parts as may be, each about as long as the others."""
    if not kinds:
        return []
    count = -(-len(kinds) // size)
    long = -(-len(kinds) // count)
    return [kinds[at : at + long] for at in range(0, len(kinds), long)]


def _keep(path: Path, line: dict[str, Any], said: Progress) -> None:
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())
    if line["line"] == "injection":
        said.done += 1
        took = line["recovered"]
        said.say(f"{line['kind']}: " + (f"recovered in {took:.1f} s" if took else "not recovered"))


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
