"""The writing side of a recording: states and log go to the store together, then the account."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from unlearning.core.replay.log import Chain, Step, plan_digest
from unlearning.core.replay.recording import Chunk, Kept, Recording
from unlearning.core.replay.states import State, StateUnreadable

if TYPE_CHECKING:
    from unlearning.core.replay.fingerprint import Fingerprint
    from unlearning.core.replay.recording import Segment
    from unlearning.core.replay.store import Store

ACCOUNT = "recording.json"


class Ledger:
    """One run in a store.

    The account is stored after the state and the log that it tells of, so a run that died can
    always be taken up from the newest state of its account; what was written later is written
    again, with the same bytes.
    """

    def __init__(self, store: Store, recording: Recording, secret: bytes) -> None:
        """Write on where ``recording`` stands."""
        self._store, self._secret = store, secret
        self.recording = recording
        self._chain = Chain(recording.head, recording.rows)
        self._visits, self._spent = recording.visits, recording.spent

    def environment(self, found: Fingerprint) -> None:
        """Note the environment that the run goes on in."""
        self._here, known = found, self.recording.fingerprints
        if found not in known:
            self.recording = replace(self.recording, fingerprints=(*known, found))
        self._save()

    def cut(self, states: int) -> None:
        """Fall back to when there were this many states."""
        self.recording = self.recording.cut(states)
        self.environment(self._here)
        self._chain = Chain(self.recording.head, self.recording.rows)
        self._visits = self.recording.visits

    def open(self, segment: Segment) -> None:
        """Begin a phase."""
        self._chain.open(
            len(self.recording.segments),
            phase=segment.name,
            steps=segment.plan.steps,
            plan=plan_digest(self._secret, segment.plan),
            start=segment.start,
        )
        self.recording = replace(self.recording, segments=(*self.recording.segments, segment))

    def add(self, entry: Step) -> None:
        """Log a step."""
        self._chain.add(entry, self._secret)
        self._visits += len(entry.numbers)
        self._spent += len(entry.numbers)

    def keep(self, state: State) -> None:
        """Store a state, with the log up to it."""
        known, chain, content = self.recording, self._chain, state.to_bytes()
        name = name_of(known)
        chunk = Chunk(key=f"{name}/log/{chain.rows:012d}", rows=chain.rows, head=chain.head)
        kept = Kept(
            key=f"{name}/states/{state.phase:03d}-{state.step:012d}",
            sha256=hashlib.sha256(content).hexdigest(),
            phase=state.phase,
            step=state.step,
            visits=self._visits,
            rows=chain.rows,
            head=chain.head,
        )
        self._store.put(kept.key, content)
        self._store.put(chunk.key, chain.taken())
        self.recording = replace(
            known,
            states=(*known.states, kept),
            chunks=(*known.chunks, chunk),
            visits=self._visits,
            spent=self._spent,
        )
        self._save()

    def finish(self, digest: str) -> Recording:
        """Note the digest of the model that came out."""
        self.recording = replace(self.recording, digest=digest)
        self._save()
        return self.recording

    def load(self, kept: Kept) -> State:
        """Return a state, read anew and held to its digest."""
        return load(self._store, kept)

    def _save(self) -> None:
        self._store.put(f"{self.recording.run}/{ACCOUNT}", self.recording.to_json())


def name_of(recording: Recording) -> str:
    """Return what the keys of a run's states and log begin with: never those of other work."""
    return f"{recording.run}/{recording.binding[:16]}"


def load(store: Store, kept: Kept) -> State:
    """Return a state, read anew from its bytes.

    Raises:
        NotStored: it was purged.
        StateUnreadable: its bytes are not those that were kept.
    """
    content = store.get(kept.key)
    found = hashlib.sha256(content).hexdigest()
    if found != kept.sha256:
        raise StateUnreadable(
            f"The state {kept.key} has the SHA-256 {found}, and {kept.sha256} was kept."
        )
    return State.from_bytes(content)
