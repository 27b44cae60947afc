"""Record a training in the platform's store, so that it can be replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from lineage import artifacts, keys
from lineage.core import bitmaps
from unlearning.core.replay.engine import OtherTraining, Trainer
from unlearning.core.replay.ledger import ACCOUNT
from unlearning.core.replay.pinned import Pinned
from unlearning.core.replay.recording import Recording
from unlearning.core.replay.store import MemoryStore, NotStored
from unlearning.core.stored import StoredExamples
from unlearning.queries import histories as kept
from unlearning.services import histories

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from lineage.models import Job
    from lineage.queries.training_view import TrainingView
    from unlearning.core.recipe import Recipe
    from unlearning.core.session import Session
    from unlearning.models import TrainingHistory

STEP_LOG_KEY = "step-log"


class PlatformStore:
    """A ``Store`` whose files are artefacts and whose account is a row."""

    def __init__(self, history: TrainingHistory) -> None:
        """Write for ``history``; any history can be read."""
        self._history = history

    def put(self, key: str, content: bytes, /) -> None:
        """Store, or store anew."""
        if key.endswith(f"/{ACCOUNT}"):
            histories.keep_account(history=self._history, account=content)
        else:
            histories.keep_file(history=self._history, key=key, data=content, now=timezone.now())

    def get(self, key: str, /) -> bytes:
        """Return what is stored.

        Raises:
            NotStored: nothing is.
            ArtefactAltered: it holds other bytes than were written.
        """
        return read(key)

    def delete(self, key: str, /) -> None:
        """Remove what is stored; it is no error if nothing is."""
        histories.drop_file(key=key, now=timezone.now())

    def list(self, prefix: str = "", /) -> list[str]:
        """Return the keys that begin like this, sorted."""
        return kept.keys(prefix)


class Borrowed(MemoryStore):
    """Reads what the platform keeps and writes to memory only."""

    def get(self, key: str, /) -> bytes:
        """Return what is stored, here or there.

        Raises:
            NotStored: nothing is.
        """
        try:
            return super().get(key)
        except NotStored:
            return read(key)


def read(key: str) -> bytes:
    """Return what the platform keeps under a key.

    Raises:
        NotStored: nothing is.
        ArtefactAltered: it holds other bytes than were written.
    """
    if key.endswith(f"/{ACCOUNT}"):
        content = kept.account_named(key.removesuffix(f"/{ACCOUNT}"))
    else:
        found = kept.file_named(key)
        content = artifacts.read(found.uri, found.sha256) if found else b""
    if not content:
        raise NotStored(key)
    return content


def recorded(job: Job, recipe: Recipe, session: Session, view: TrainingView) -> nn.Module:
    """Train, keeping states and a step log; a try that died is taken up where it stood.

    Where it is another training by now, since a record was restricted or the machine is another,
    what it left is destroyed and the training begins anew.
    """
    examples = StoredExamples(recipe, view)
    space = view.snapshot.space

    def once(history: TrainingHistory) -> nn.Module:
        training = Trainer(
            recipe=recipe,
            session=session,
            store=PlatformStore(history),
            secret=keys.get_or_create(STEP_LOG_KEY),
            content=f"{space.public_id}:{bitmaps.digest(view.ordinals)}",
            every=settings.EXPUNGE_REPLAY_EVERY,
        )
        return training.record(history.name, Pinned(examples, size=len(examples))).model

    def begun() -> TrainingHistory:
        return histories.begin(
            name=str(job.pk), job=job, space=space, ordinals=view.ordinals, now=timezone.now()
        )

    return tried(begun, once)


def tried(
    begun: Callable[[], TrainingHistory], once: Callable[[TrainingHistory], nn.Module]
) -> nn.Module:
    """Train, or if the history is by now of another training, drop it and train anew."""
    history = begun()
    try:
        return once(history)
    except OtherTraining:
        histories.discard(history=history, now=timezone.now())
        return once(begun())


def recording_of(account: bytes) -> Recording | None:
    """Return what an account tells, or None where nothing was kept or nothing ended."""
    found = Recording.from_json(account) if account else None
    return found if found and found.digest else None
