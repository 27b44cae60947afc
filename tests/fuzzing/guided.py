"""Guide the inputs by coverage: atheris tells libFuzzer which of our branches an input reached.

atheris is no part of an installation (constraints-fuzz.txt): `make fuzz-parsers GUIDED=1`.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fuzzing.as_bytes import NoInput, changed, dictionary, from_bytes, to_bytes
from tests.fuzzing.running import Outcome, judge, memory, weigh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fuzzing.parser import Parser

OURS = ("lineage", "unlearning", "audits", "expunge", "config")
# Processor time is held to the limit of a parser from inside. This is for what no signal of
# Python's reaches, in whole seconds of a clock, on a machine that may do other work as well.
HANGS = 30
SHORTEST_LIMIT = 4_096
_SAID = re.compile(r"^#(\d+)\s+(\w+)\s+cov: (\d+) ft: (\d+) corp: (\d+)/", re.MULTILINE)


class AtherisMissing(Exception):
    """The fuzzer is not installed."""


@dataclass(frozen=True, kw_only=True)
class Reached:
    """What libFuzzer counted: edges of our code, of the good inputs alone and at the end.

    ``features`` tell how often an edge was passed as well; ``kept`` inputs reached new ones.
    """

    edges_of_seeds: int = 0
    edges: int = 0
    features: int = 0
    kept: int = 0


@dataclass(kw_only=True)
class Guided(Outcome):
    """What became of the inputs of a guided run, and what they reached."""

    reached: Reached = Reached()

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        told = super().as_dict()
        reached = told.pop("reached")
        return {**told, **reached}


@contextmanager
def instrumented() -> Iterator[str]:
    """Let whatever is imported of ours tell its branches; give the fuzzer's name and version.

    Raises AtherisMissing.
    """
    try:
        import atheris
    except ImportError as error:
        raise AtherisMissing(
            "atheris is not installed. `make fuzz-parsers GUIDED=1` installs it into var/guided; "
            "it has releases for Linux and macOS."
        ) from error
    with atheris.instrument_imports(include=list(OURS)):
        yield f"atheris {version('atheris')}"


class Target:
    """What libFuzzer calls: gives a parser the input, and ends after so many, or so long."""

    def __init__(
        self,
        parser: Parser,
        *,
        inputs: int,
        seconds: float,
        end: Callable[[Outcome], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to count memory and time; ``end`` is handed the outcome."""
        self.found = Outcome(name=parser.name)
        self._parser, self._inputs, self._end, self._clock = parser, inputs, end, clock
        self._until = clock() + seconds
        self._before = memory()

    def __call__(self, data: bytes) -> None:
        """Judge one input; bytes that stand for none are not counted."""
        with suppress(NoInput):
            judge(self._parser, from_bytes(self._parser.kind, data), self.found)
        if self.found.inputs >= self._inputs or self._clock() > self._until:
            weigh(self._parser, self.found, self._before)
            self._end(self.found)


def run_guided(parser: Parser, *, inputs: int, seconds: float, seed: int) -> Guided:
    """Give a parser inputs that are guided by what the ones before reached, in its own process.

    ``seconds`` are of a clock, for all inputs together.
    """
    with tempfile.TemporaryDirectory(prefix="expunge-guided-") as folder:
        place = Path(folder)
        _prepare(place, parser)
        child = os.fork()
        if child == 0:
            _fuzz(place, parser, inputs=inputs, seconds=seconds, seed=seed)
        os.waitpid(child, 0)
        return outcome_of(place, parser.name)


def _prepare(place: Path, parser: Parser) -> None:
    (place / "corpus").mkdir()
    for number, seed in enumerate(parser.seeds):
        (place / "corpus" / str(number)).write_bytes(to_bytes(parser.kind, seed))
    (place / "words").write_text(dictionary())


def _fuzz(place: Path, parser: Parser, *, inputs: int, seconds: float, seed: int) -> None:
    """Run libFuzzer in this process, and never return."""
    import atheris

    def end(found: Outcome) -> None:
        (place / "outcome").write_text(json.dumps(found.as_dict()))
        os._exit(0)

    def mutated(data: bytes, longest: int, draw: int) -> bytes:
        return changed(parser, data, longest, draw, atheris.Mutate)

    try:
        said = os.open(place / "said", os.O_CREAT | os.O_WRONLY)
        os.dup2(said, 2)
        sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace")
        target = Target(parser, inputs=inputs, seconds=seconds, end=end)
        atheris.Setup(
            options(place, parser, seed=seed),
            target,
            custom_mutator=mutated,
            internal_libfuzzer=True,
        )
        atheris.Fuzz()
    except BaseException:  # noqa: BLE001  (the parent reads it, and says that the process died)
        traceback.print_exc()
    finally:
        os._exit(1)


def options(place: Path, parser: Parser, *, seed: int) -> list[str]:
    """Return the command line of libFuzzer for a parser."""
    longest = max(
        SHORTEST_LIMIT, *(2 * one.stat().st_size for one in (place / "corpus").iterdir())
    )
    return [
        "expunge",
        f"-seed={seed}",
        f"-max_len={longest}",
        f"-timeout={HANGS}",
        f"-rss_limit_mb={memory() + parser.megabytes}",
        f"-dict={place / 'words'}",
        f"-artifact_prefix={place}/ended-",
        # A good input stays, though it reaches no more than a shorter one does.
        "-keep_seed=1",
        "-reduce_inputs=0",
        "-reload=0",
        str(place / "corpus"),
    ]


def outcome_of(place: Path, name: str) -> Guided:
    """Return what a process left behind; one that left no outcome died, which is a failure."""
    said = (place / "said").read_text(errors="replace") if (place / "said").exists() else ""
    reached = reached_in(said)
    if (place / "outcome").exists():
        told = json.loads((place / "outcome").read_text())
        counters = {one: Counter(told[one]) for one in ("refused", "failed")}
        return Guided(**{**told, **counters}, reached=reached)
    last = [f"{one.name}: {one.read_bytes()[:600]!a}" for one in sorted(place.glob("ended-*"))]
    return Guided(
        name=name,
        inputs=max((int(one[1]) for one in _SAID.finditer(said)), default=0),
        failed=Counter(["the process died"]),
        examples=last or said.splitlines()[-3:],
        reached=reached,
    )


def reached_in(said: str) -> Reached:
    """Return the last that libFuzzer said; it says something whenever an edge is new."""
    lines = list(_SAID.finditer(said))
    if not lines:
        return Reached()
    begun = next((one for one in lines if one[2] == "INITED"), lines[0])
    last = lines[-1]
    return Reached(
        edges_of_seeds=int(begun[3]), edges=int(last[3]), features=int(last[4]), kept=int(last[5])
    )
