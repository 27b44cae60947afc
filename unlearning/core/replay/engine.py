"""Record a training, and replay it without some of its records, bit for bit.

What a replay equals is *defined* as the same plan with these places empty, trained from scratch:
not a training in which another order would have been drawn. After the replay of "Unlearning at
Scale" (arXiv 2508.12220) and the states of SISA (Bourtoule et al., IEEE S&P 2021).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from unlearning.core.replay.claims import Execution
from unlearning.core.replay.fingerprint import fingerprint
from unlearning.core.replay.ledger import ACCOUNT, Ledger, load
from unlearning.core.replay.recorder import Follower
from unlearning.core.replay.recording import Recording
from unlearning.core.replay.states import model_digest
from unlearning.core.replay.store import NotStored
from unlearning.core.seeding import isolated
from unlearning.core.session import CPU

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.recipe import Recipe
    from unlearning.core.replay.pinned import Pinned
    from unlearning.core.replay.recording import Kept
    from unlearning.core.replay.store import Store
    from unlearning.core.session import Session


class OtherTraining(ValueError):
    """The recording is of another training than the one it is used for."""


class HolesShrank(ValueError):
    """A record that was erased before is wanted back."""


class NotFinished(ValueError):
    """The training has not ended, so there is nothing to compare with or go back from."""


class StateIncomplete(RuntimeError):
    """A training that was taken up from a state of its own did not arrive where it had."""


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What came out of an execution: the model, the account of it, and what may be compared."""

    model: nn.Module
    recording: Recording
    execution: Execution

    @property
    def fraction(self) -> float:
        """Records that passed through the model, as a share of those of training from scratch."""
        return self.recording.spent / self.recording.visits if self.recording.visits else 0.0


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """Carries out a training and its replays, and keeps what later replays need.

    ``content`` names what is trained on (the digest of a snapshot); it stays that of the whole
    set when records leave. ``secret`` keys the digests in the step log. A state is kept every
    ``every`` steps, at the milestones of a plan, and at the end of each phase.
    """

    recipe: Recipe
    session: Session
    store: Store
    secret: bytes
    content: str
    every: int | None = None

    def record(self, run: str, source: Pinned) -> Replayed:
        """Train under the name ``run``; where a run of this name was interrupted, go on with it.

        Raises:
            OtherTraining: there is a run of this name, of another training or with other holes.
        """
        return self._carry_out(self._begun(run, source), source)

    def replay(self, run: str, origin: Recording, source: Pinned) -> Replayed:
        """Train again, as ``run``, from the newest state that owes nothing to the new holes.

        The holes of ``source`` are those of ``origin`` and the records to forget. Where what is
        fitted before the first step comes out differently without them, that is from the start.

        Raises:
            NotFinished: ``origin`` never ended.
            OtherTraining: ``origin`` is another training, or was logged under another secret.
            HolesShrank: a record that is a hole in ``origin`` is none in ``source``.
        """
        if not origin.digest:
            raise NotFinished(f"The run {origin.run} has not ended, so it cannot be replayed.")
        self._confirm(origin, source)
        if back := set(origin.holes) - source.holes:
            raise HolesShrank(
                f"{len(back)} records that are erased in the run {origin.run} would come back; "
                f"what is forgotten can only grow."
            )
        return self._carry_out(self._begun(run, source, origin), source)

    def clean(self, origin: Recording, source: Pinned) -> Recording:
        """Return the beginning of ``origin`` that owes nothing to the new holes of ``source``.

        Nothing is trained; only what a recipe fits before the first step is fitted again, and if
        it comes out differently nothing of ``origin`` is clean.
        """
        self._confirm(origin, source)
        with isolated(self.session.seed, self.session.device):
            model = self.recipe.prepared(source, self.session)
        rewound = standing(self.store, origin.rewound(origin.run, source.holes))
        same = bool(origin.segments) and origin.segments[0].start == model_digest(model)
        return rewound if same else rewound.cut(0)

    def rehearse(self, origin: Recording, source: Pinned) -> None:
        """Take the training up from its last state but one, and expect the same model.

        This finds what a recipe carries from step to step without declaring it, at the cost of
        one interval. Nothing of it stays in the store.

        Raises:
            StateIncomplete: another model came out.
            NotFinished, OtherTraining: as for ``replay``.
        """
        self._confirm(origin, source)
        run = f"{origin.run}-rehearsal"
        begun = replace(origin.cut(max(len(origin.states) - 1, 0)), run=run)
        try:
            again = self._carry_out(begun, source)
        finally:
            for key in self.store.list(f"{run}/"):
                self.store.delete(key)
        if again.recording.digest != origin.digest:
            raise StateIncomplete(
                f"Taken up from its last state but one, {self.recipe.title} gave the digest "
                f"{again.recording.digest}, not {origin.digest}: it carries something from step "
                f"to step that is in no state; declare it in the companions of its phase."
            )

    def binding(self, size: int) -> str:
        """Return the digest of content, code and hyperparameters."""
        parts = [self.recipe.digest(), self.content, size, str(self.session.seed)]
        return hashlib.sha256(json.dumps([*parts, self.session.mixed]).encode()).hexdigest()

    def _begun(self, run: str, source: Pinned, origin: Recording | None = None) -> Recording:
        """Return where the run stands: interrupted, rewound, or not begun at all."""
        begun = self._fresh(run, source)
        if origin is not None:
            begun = standing(self.store, origin.rewound(run, source.holes))
        try:
            stored = Recording.from_json(self.store.get(f"{run}/{ACCOUNT}"))
        except NotStored:
            return begun
        self._confirm(stored, source)
        if stored.holes != begun.holes:
            raise OtherTraining(
                f"There is a run {run} already, with {len(stored.holes)} holes and not these "
                f"{len(begun.holes)}; give the new run another name."
            )
        return standing(self.store, stored)

    def _fresh(self, run: str, source: Pinned) -> Recording:
        return Recording(
            run=run,
            binding=self.binding(source.size),
            content=self.content,
            recipe=self.recipe.digest(),
            size=source.size,
            holes=tuple(sorted(source.holes)),
            seed=self.session.seed,
            key_check=_key_check(self.secret),
        )

    def _confirm(self, recording: Recording, source: Pinned) -> None:
        ours = self._fresh(recording.run, source)
        names = ("recipe", "content", "size", "seed", "key_check", "binding")
        for name in names:
            theirs, own = getattr(recording, name), getattr(ours, name)
            if theirs != own:
                raise OtherTraining(
                    f"The run {recording.run} is another training: its {name} is {theirs!r}, and "
                    f"here it is {own!r}."
                )

    def _carry_out(self, begun: Recording, source: Pinned) -> Replayed:
        ledger = Ledger(self.store, begun, self.secret)
        found = fingerprint(self.session.device)
        ledger.environment(found)
        follower = Follower(ledger, source, self.session.device, every=self.every)
        model = self.recipe.train(source, replace(self.session, recorder=follower))
        recording = ledger.finish(model_digest(model))
        first = recording.steps_before(len(recording.segments))
        execution = Execution(
            work=recording.work,
            digest=recording.digest,
            fingerprint=found,
            first=first if follower.first is None else follower.first,
        )
        return Replayed(model=model, recording=recording, execution=execution)


def standing(store: Store, recording: Recording) -> Recording:
    """Return a recording cut back to where every state is stored that going on from it takes.

    States may be thinned out to save room: what is missing is replayed.
    """
    while any(not store.list(state.key) for state in recording.needed):
        recording = recording.cut(len(recording.states) - 1)
    return recording


def model_at(recipe: Recipe, store: Store, kept: Kept) -> nn.Module:
    """Return the model of a state, in eval mode, on the processor.

    Raises:
        NotStored, StateUnreadable: the state is not there, or not the one that was kept.
    """
    with isolated(0, CPU):
        model = recipe.build()
    model.load_state_dict(load(store, kept).model)
    return model.eval()


def _key_check(secret: bytes) -> str:
    return hmac.digest(secret, b"expunge step log key", "sha256")[:8].hex()
