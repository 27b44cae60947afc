"""Give a parser its inputs, each held to time and memory, in a process that may die of it."""

from __future__ import annotations

import multiprocessing
import random
import resource
import signal
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzzing.making import spoiled, strategy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fuzzing.parser import Parser

MADE_UP = 20  # one input of so many is made up by hypothesis, which takes its time
SHOWN = 5


class TooSlow(BaseException):
    """A parser took more processor time than it may; no ``except Exception`` hides it."""


@dataclass(kw_only=True)
class Outcome:
    """What became of the inputs: each gave a value, a named refusal, or a failure."""

    name: str
    inputs: int = 0
    values: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    slowest_ms: float = 0.0
    grown_mb: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {**asdict(self), "refused": dict(self.refused), "failed": dict(self.failed)}


def run(parser: Parser, *, inputs: int, seed: int) -> Outcome:
    """Give a parser so many inputs, the same for the same seed."""
    found = Outcome(name=parser.name)
    before = memory()
    if made_up := inputs // MADE_UP:
        _run_made_up(parser, found, made_up, seed)
    for number in range(inputs - found.inputs):
        judge(parser, spoiled(parser, random.Random(f"{seed}:{parser.name}:{number}")), found)
    weigh(parser, found, before)
    return found


def weigh(parser: Parser, found: Outcome, before: int) -> None:
    """Say how much memory all inputs together took, and whether that was too much."""
    found.grown_mb = max(0, memory() - before)
    if found.grown_mb > parser.megabytes:
        found.failed["memory"] += 1


def run_apart(parser: Parser, *, inputs: int, seed: int) -> Outcome:
    """Do the same in a process of its own: one that a signal ends is a failure, too."""
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            return pool.submit(_child, parser.name, inputs, seed).result()
        except BrokenProcessPool:
            return Outcome(name=parser.name, inputs=inputs, failed=Counter(["the process died"]))


def _child(name: str, inputs: int, seed: int) -> Outcome:
    from tests.fuzzing.parsers import PARSERS

    return run(PARSERS[name], inputs=inputs, seed=seed)


def _run_made_up(parser: Parser, found: Outcome, inputs: int, seed: int) -> None:
    @settings(
        max_examples=inputs,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy(parser))
    def each(value: object) -> None:
        judge(parser, value, found)

    # hypothesis reads the seed from the function.
    each._hypothesis_internal_use_seed = seed  # type: ignore[attr-defined]
    each()


def judge(parser: Parser, value: object, found: Outcome) -> None:
    """Give a parser one input and count what became of it."""
    found.inputs += 1
    begun = time.process_time()
    try:
        with _at_most(parser.seconds):
            parser.call(value)
        found.values += 1
    except parser.refuses as refusal:
        found.refused[type(refusal).__name__] += 1
    except (Exception, TooSlow, SystemExit) as error:  # noqa: BLE001  (whatever it is, it is counted)
        _note(found, value, error)
    found.slowest_ms = max(found.slowest_ms, round(1000 * (time.process_time() - begun), 1))


def _note(found: Outcome, value: object, error: BaseException) -> None:
    at = traceback.extract_tb(error.__traceback__)[-1]
    kind = f"{type(error).__name__} at {at.name}"
    found.failed[kind] += 1
    if found.failed[kind] == 1 and len(found.examples) < SHOWN:
        found.examples.append(f"{kind}: {str(error)[:200]!a} for {_shown(value)!a}")


def _shown(value: object) -> str:
    try:
        return repr(value)[:600]
    except RecursionError:
        return "something nested deeply"


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooSlow(f"More than {seconds:g} seconds of processor time.")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def memory() -> int:
    """Return the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
