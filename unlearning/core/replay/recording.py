"""What is known of a recorded training: its phases, its states, and where its log lies.

A recording has the seeds and the numbers of erased records in it, so it is as private as the
training set; the step log has neither.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from unlearning.core.order import Plan
from unlearning.core.replay.log import genesis

if TYPE_CHECKING:
    from collections.abc import Collection

    from unlearning.core.replay.fingerprint import Fingerprint


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A phase of training.

    ``start`` is the digest of the model when the phase began, ``settings`` that of everything
    about the phase that must be the same when it is gone through again. ``fitted`` says that
    something in it was made from the data otherwise than by steps, ``pinned`` that its plan is
    one over the training set itself.
    """

    name: str
    plan: Plan
    start: str
    settings: str
    fitted: bool
    pinned: bool

    def first_use(self, records: Collection[int]) -> int:
        """Return the first step before which the phase owes nothing to the records.

        -1 where it owes them something before its first step.
        """
        if self.fitted:
            return -1
        return self.plan.first_use(records) if self.pinned else 0


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A state that was kept: before ``step`` of a phase. ``visits`` are those until then."""

    key: str
    sha256: str
    phase: int
    step: int
    visits: int
    rows: int
    head: str


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A stretch of the step log, ending with its row number ``rows`` - 1 of hash ``head``."""

    key: str
    rows: int
    head: str


@dataclass(frozen=True, kw_only=True)
class Visits:
    """What a replay costs and what training from scratch would, in records passed through."""

    replay: int
    scratch: int


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A training, so far as it has come; ``digest`` is that of its model, empty until it ends.

    ``binding`` is the digest of content, code and hyperparameters that log and states belong to,
    ``visits`` how many records passed through the model on the way from the beginning, ``spent``
    how many of them in this run itself. ``fingerprints`` are the environments that had a part.
    """

    run: str
    binding: str
    content: str
    recipe: str
    size: int
    holes: tuple[int, ...]
    seed: int
    key_check: str
    fingerprints: tuple[Fingerprint, ...] = ()
    segments: tuple[Segment, ...] = ()
    states: tuple[Kept, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    visits: int = 0
    spent: int = 0
    digest: str = ""

    @property
    def rows(self) -> int:
        """Number of rows of the log."""
        return self.chunks[-1].rows if self.chunks else 0

    @property
    def head(self) -> str:
        """The hash of the last row of the log, or what its first row will be bound to."""
        return self.chunks[-1].head if self.chunks else genesis(self.binding)

    @property
    def work(self) -> str:
        """What was executed: the digest of the training and its holes."""
        return hashlib.sha256(f"{self.binding} {self.holes}".encode()).hexdigest()

    def steps_before(self, phase: int) -> int:
        """Return the number of steps of all phases before this one."""
        return sum(segment.plan.steps for segment in self.segments[:phase])

    def clean_until(self, records: Collection[int]) -> tuple[int, int]:
        """Return the last (phase, step) before which nothing owes anything to the records."""
        for phase, segment in enumerate(self.segments):
            first = segment.first_use(records)
            if first < segment.plan.steps:
                return phase, first
        return len(self.segments), 0

    def predicted(self, records: Collection[int]) -> Visits:
        """Return what a replay without the records would cost, exactly, before it is done.

        Provided that what is fitted before the first step comes out the same, else it costs as
        much as from scratch; and that every phase is one over the training set itself.
        """
        fresh = set(records) - set(self.holes)
        plans = [segment.plan for segment in self.segments if segment.pinned]
        scratch = self.visits - sum(plan.visits(record) for plan in plans for record in fresh)
        kept = self.states[: self._clean(fresh)]
        return Visits(replay=scratch - (kept[-1].visits if kept else 0), scratch=scratch)

    def _clean(self, fresh: Collection[int]) -> int:
        """Return how many of the states owe nothing to the records."""
        limit = self.clean_until(fresh)
        return sum((state.phase, state.step) <= limit for state in self.states)

    @property
    def needed(self) -> tuple[Kept, ...]:
        """The states that going on from the newest takes: it, and the end of each phase before."""
        return tuple({state.phase: state for state in self.states}.values())

    def cut(self, states: int) -> Recording:
        """Return the recording as it was when it had this many states.

        Without any, no environment has had a part in it either.
        """
        last = self.states[states - 1] if states else None
        return replace(
            self,
            segments=self.segments[: last.phase + 1] if last else (),
            states=self.states[:states],
            fingerprints=self.fingerprints if last else (),
            chunks=tuple(each for each in self.chunks if last and each.rows <= last.rows),
            visits=last.visits if last else 0,
            digest="",
        )

    def rewound(self, run: str, records: Collection[int]) -> Recording:
        """Return the beginning of this recording that owes nothing to the records, as a new run.

        The records become holes in it.
        """
        clean = self._clean(set(records) - set(self.holes))
        holes = tuple(sorted({*self.holes, *records}))
        return replace(self.cut(clean), run=run, holes=holes, spent=0)

    def to_json(self) -> bytes:
        """Return it as bytes."""
        return json.dumps(self, separators=(",", ":"), default=_plain).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Recording:
        """Return what ``to_json`` gave."""
        stored: dict[str, Any] = json.loads(content)
        stored["segments"] = tuple(_segment(each) for each in stored["segments"])
        stored["states"] = tuple(Kept(**each) for each in stored["states"])
        stored["chunks"] = tuple(Chunk(**each) for each in stored["chunks"])
        for name in ("holes", "fingerprints"):
            stored[name] = tuple(stored[name])
        return cls(**stored)


def _plain(value: Any) -> Any:  # noqa: ANN401  (whatever JSON does not know)
    return sorted(value) if isinstance(value, frozenset) else vars(value)


def _segment(stored: dict[str, Any]) -> Segment:
    plan = stored["plan"]
    stages = tuple((epochs, reach) for epochs, reach in plan["stages"])
    own = Plan(**{**plan, "holes": frozenset(plan["holes"]), "stages": stages})
    return Segment(**{**stored, "plan": own})
