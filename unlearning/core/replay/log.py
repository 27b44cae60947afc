"""The step log: what was in each step, by position and keyed digest, never by raw number.

One line of JSON per row, each closed by a hash over the line and the hash before it. A segment is
a phase of training; its first row says how it was set up, and one row follows for each step. The
hash of the last row, kept elsewhere, fixes every byte of the log.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from unlearning.core.order import Plan

SEEDING = "sha256(plan seed, 'step', step)"
_TAIL = b',"hash":"'


class LogBroken(ValueError):
    """The log is not the one that was written; ``row`` is where it first differs."""

    def __init__(self, row: int, problem: str) -> None:
        """Say what is wrong with the row of this number, counted from 0."""
        super().__init__(f"The step log is broken at row {row}: {problem}.")
        self.row = row


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is logged of one step.

    ``places`` are the positions [begin, end) within the order of the epoch, ``numbers`` the
    records that were left there, ``rate`` the factor on the learning rate, ``loss`` None where
    the step was skipped because nothing was left.
    """

    segment: int
    step: int
    epoch: int
    places: tuple[int, int]
    numbers: Sequence[int]
    rate: float
    loss: float | None


def numbers_digest(secret: bytes, segment: int, step: int, numbers: Sequence[int]) -> str:
    """Return the HMAC-SHA-256, its first half in hex, of the record numbers of a step.

    The step is a part of it, so that equal lists in two steps cannot be told to be equal.
    """
    message = struct.pack(f"<{len(numbers) + 2}q", segment, step, *numbers)
    return hmac.digest(secret, message, "sha256")[:16].hex()


def plan_digest(secret: bytes, plan: Plan) -> str:
    """Return the keyed digest of everything that decides an order, without the holes."""
    parts = (plan.size, plan.batch_size, plan.epochs, plan.seed, plan.stages)
    return hmac.digest(secret, repr(parts).encode(), "sha256").hex()


class Chain:
    """Writes rows, each bound to all before it."""

    def __init__(self, head: str, rows: int = 0) -> None:
        """Go on after ``rows`` rows of which the last had the hash ``head``, in hex."""
        self.head, self.rows = head, rows
        self._unsaved: list[bytes] = []

    def open(self, segment: int, *, phase: str, steps: int, plan: str, start: str) -> None:
        """Write the first row of a segment: the phase, its plan's digest, the model's digest."""
        about = {"phase": phase, "steps": steps, "plan": plan, "start": start, "seeds": SEEDING}
        row = {"row": self.rows, "segment": segment, **about}
        self._add(json.dumps(row, separators=(",", ":")))

    def add(self, entry: Step, secret: bytes) -> None:
        """Write the row of a step."""
        digest = numbers_digest(secret, entry.segment, entry.step, entry.numbers)
        skipped = "false" if entry.numbers else "true"
        loss = "null" if entry.loss is None else repr(entry.loss)
        self._add(  # by hand: this runs at every step of a training
            f'{{"row":{self.rows},"segment":{entry.segment},"step":{entry.step},'
            f'"epoch":{entry.epoch},"places":[{entry.places[0]},{entry.places[1]}],'
            f'"numbers":"{digest}","records":{len(entry.numbers)},"rate":{entry.rate!r},'
            f'"skipped":{skipped},"loss":{loss}}}'
        )

    def taken(self) -> bytes:
        """Return what was written since the last call."""
        written = b"".join(self._unsaved)
        self._unsaved.clear()
        return written

    def _add(self, text: str) -> None:
        body = text.encode()
        self.head = _hash(self.head, body)
        self.rows += 1
        self._unsaved.append(body[:-1] + _TAIL + self.head.encode() + b'"}\n')


def _hash(previous: str, body: bytes) -> str:
    return hashlib.sha256(previous.encode() + body).hexdigest()


def genesis(binding: str) -> str:
    """Return what the first row is bound to: the training that the log belongs to."""
    return hashlib.sha256(b"expunge step log\n" + binding.encode()).hexdigest()


def verified(content: bytes, *, first: str, head: str, rows: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of a log, each once it is known to be what was written.

    ``first`` is what the first row is bound to, ``head`` the hash of the last of ``rows`` rows.

    Raises:
        LogBroken: at the first row that was changed, dropped, moved or cut off.
    """
    lines = content.split(b"\n")
    for number, line in enumerate(lines[:-1]):
        body, _, _ = line.rpartition(_TAIL)
        first = _hash(first, body + b"}")
        if line != body + _TAIL + first.encode() + b'"}':
            raise LogBroken(number, "its hash does not follow from its content and the row before")
        yield json.loads(body + b"}")
    if lines[-1]:
        raise LogBroken(len(lines) - 1, "it is cut off in the middle")
    if (len(lines) - 1, first) != (rows, head):
        raise LogBroken(len(lines) - 1, f"the log ends before it, and {rows} rows were sealed")


def check_steps(
    rows: Iterator[dict[str, Any]], plans: Sequence[Plan], holes: frozenset[int], secret: bytes
) -> int:
    """Hold verified rows to the plans that they tell of; return how many steps there were.

    ``plans`` are those of the segments, in turn.

    Raises:
        LogBroken: a row tells of other records than the plan has at that step.
    """
    expected: Iterator[list[int]] = iter(())
    steps = 0
    for row in rows:
        segment = row["segment"]
        if "step" not in row:
            if row["plan"] != plan_digest(secret, plans[segment]):
                raise LogBroken(row["row"], "it tells of another plan")
            expected = iter(plans[segment])
            continue
        numbers = [each for each in next(expected, []) if each not in holes]
        if row["numbers"] != numbers_digest(secret, segment, row["step"], numbers):
            raise LogBroken(row["row"], "it tells of other records than the plan has there")
        steps += 1
    return steps
