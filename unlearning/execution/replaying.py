"""Replay a recorded training of the platform, twice, and say what may be claimed of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.utils import timezone

from lineage import keys
from lineage.queries.membership import members
from lineage.queries.sources import training_snapshot
from lineage.queries.training_view import training_view
from unlearning.core.replay.claims import Execution, claim
from unlearning.core.replay.fingerprint import fingerprint
from unlearning.core.replay.review import check_log
from unlearning.core.replay.rewind import Rewind, holes_in
from unlearning.core.session import Session
from unlearning.core.stored import StoredExamples
from unlearning.execution.device import placed
from unlearning.execution.elsewhere import elsewhere, limit_of
from unlearning.execution.histories import (
    STEP_LOG_KEY,
    Borrowed,
    PlatformStore,
    recording_of,
)
from unlearning.execution.loading import load_version, recipe_of, retain_snapshot
from unlearning.queries import histories as kept
from unlearning.services import histories

if TYPE_CHECKING:
    from lineage.models import Job, ModelVersion
    from unlearning.core.replay.recording import Recording
    from unlearning.core.replay.store import Store
    from unlearning.models import UnlearningRun

R = TypeVar("R", bound=Rewind)


class NoRecording(LookupError):
    """Nothing was kept of the training of a version."""


def rewind_of(run: UnlearningRun, store: Store, *, name: str = "") -> Rewind:
    """Return the recorded training of the target of a run, with holes for what must go.

    What must go is everything that the target was trained on and the retain set lacks.

    Raises:
        NoRecording: nothing was kept.
        NumbersUnclear: it is not known which record was which.
        LogBroken: the step log is not the one that was written.
    """
    origin = recording_of(kept.account_of(run.target))
    if origin is None:
        raise NoRecording(
            f"Nothing was kept of the training of {run.target}; retrain it from scratch."
        )
    secret = keys.get(STEP_LOG_KEY)
    check_log(store, origin, secret)
    learned = list(members(training_snapshot(run.target)))
    return Rewind(
        origin=origin,
        store=store,
        secret=secret,
        run=name or str(run.pk),
        holes=holes_in(origin, learned, members(retain_snapshot(run))),
        every=settings.EXPUNGE_REPLAY_EVERY or None,
    )


def begin(job: Job, run: UnlearningRun) -> Rewind:
    """Return what a run replays; its own states are kept from now on. Raises as above."""
    retained = retain_snapshot(run)
    history = histories.begin(
        name=str(run.pk),
        job=job,
        space=retained.space,
        ordinals=members(retained),
        now=timezone.now(),
    )
    return rewind_of(run, PlatformStore(history))


def finish(run: UnlearningRun, version: ModelVersion) -> None:
    """Let the new version have its history, with the states that it rests upon."""
    recording = recording_of(kept.account_named(str(run.pk)))
    kinds = (recording.states, recording.chunks) if recording else ()
    rests_on = [each.key for kind in kinds for each in kind]
    histories.settle(name=str(run.pk), version=version, rests_on=rests_on)


def said(run: UnlearningRun, seconds: float) -> dict[str, Any]:
    """Return what is claimed of the replay of a run that has just ended, and what it took.

    ``seconds`` is how long it lasted.
    """
    recording = ended(run, str(run.pk))
    found = elsewhere(run, limit_of(run, [recording], seconds))
    return claimed(recording, found if isinstance(found, str) else found[0])


def ended(run: UnlearningRun, name: str) -> Recording:
    """Return the recording of that name.

    Raises:
        NoRecording: it has not ended.
    """
    recording = recording_of(kept.account_named(name))
    if recording is None:
        raise NoRecording(f"The replay of {run} has not ended.")
    return recording


def claimed(recording: Recording, outcome: Execution | str) -> dict[str, Any]:
    """Return what is claimed of a replay that ran in this process, and what it took.

    ``outcome`` is that of the second execution, or why there is none.
    """
    second, absent = (None, outcome) if isinstance(outcome, str) else (outcome, "")
    found = fingerprint(placed()["device"])
    first = Execution(
        work=recording.work, digest=recording.digest, fingerprint=found, first=_first(recording)
    )
    found_so = claim(recording.fingerprints, first, second, absent=absent)
    return {
        "claim": found_so.strength.value,
        "reason": found_so.reason,
        "digest": recording.digest,
        "second_digest": second.digest if second else None,
        "second_first_step": second.first if second else None,
        "log_head": recording.head,
        "plan": recording.binding,
        "first_step": first.first,
        "steps": recording.steps_before(len(recording.segments)),
        "sample_visits": recording.spent,
        "of_training": recording.visits,
    }


def _first(recording: Recording) -> int:
    """Return the step, over all phases, from which the replay went its own way."""
    taken_over = (
        recording.steps_before(each.phase) + each.step
        for each in recording.states
        if not each.key.startswith(f"{recording.run}/")
    )
    return max(taken_over, default=0)


def execute_again(run: UnlearningRun) -> Execution:
    """Do the work of a run once more, from scratch and keeping nothing of it.

    From the same state it would repeat a mistake that lies in that state.
    """
    rewind = from_scratch(rewind_of(run, Borrowed(), name=f"{run.pk}-again"))
    recipe = recipe_of(run.target)
    session = Session(base=load_version(run.base) if run.base else None, **placed())
    retain = StoredExamples(recipe, training_view(retain_snapshot(run)))
    return rewind.replay(retain, recipe, session).execution


def from_scratch(rewind: R) -> R:
    """Return a rewind that uses no state of its recording, and keeps none."""
    origin = replace(rewind.origin.cut(0), digest=rewind.origin.digest)
    return replace(rewind, origin=origin, every=None)
