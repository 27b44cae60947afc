"""Whether a result may be shown, and which versions differ by an erasure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.models import ErasureRequest, Evidence, Release
from lineage.models import ModelVersion
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from django.db.models import QuerySet

RELEASE_HELD = "RELEASE_HELD"
_NAMES = tuple(
    f"{which}__{field}" for which in ("unlearned", "target") for field in ("model_name", "version")
)


@dataclass(frozen=True, kw_only=True)
class Gated:
    """What the release gate said of a run; ``held`` unless it was passed or not measured."""

    held: bool
    reason: str


def gate_of(run: UnlearningRun) -> Gated:
    """Return what the gate said; a run that was never measured is not held."""
    row = Evidence.objects.filter(run=run, kind=Evidence.Kind.RELEASE).first()
    if row is None:
        return Gated(held=False, reason="Accuracy before and after was not compared.")
    return Gated(held=not row.payload["allowed"], reason=" ".join(row.payload["reasons"]))


def held_before(run: UnlearningRun) -> Release | None:
    """Return the hold on the version that a run replaces, with which its gate compared.

    What is no worse than a version that was held is not good for that.
    """
    holds = Release.objects.filter(state=Release.State.HELD, run__unlearned=run.target_id)
    return holds.first()


def held_releases(request: ErasureRequest | None = None) -> QuerySet[Release]:
    """Return what waits for staff, of one case or of all; not what was replaced meanwhile."""
    waiting = Release.objects.filter(
        state=Release.State.HELD, run__unlearned__state=ModelVersion.State.CANDIDATE
    )
    if request is not None:
        waiting = waiting.filter(run__requests=request)
    return waiting.select_related("run__unlearned", "run__target").order_by("created_at")


def held_stand_ins(request: ErasureRequest | None = None) -> QuerySet[UnlearningRun]:
    """Return the runs of which what would serve meanwhile is held, of one case or of all.

    Nobody decides about these: the result follows, and they go when the case closes.
    """
    waiting = UnlearningRun.objects.filter(interim__state=ModelVersion.State.CANDIDATE)
    if request is not None:
        waiting = waiting.filter(requests=request)
    return waiting.select_related("interim", "target").order_by("created_at")


def is_held(version: ModelVersion) -> bool:
    """Return whether the gate keeps a version out of use."""
    if version.state != ModelVersion.State.CANDIDATE:
        return False
    held = held_releases().filter(run__unlearned=version).exists()
    return held or held_stand_ins().filter(interim=version).exists()


def stand_ins() -> dict[str, str]:
    """Return for each version that served meanwhile the result of its run, by name.

    Neither has seen the records that were erased, so a reader may have both.
    """
    made = UnlearningRun.objects.exclude(unlearned=None).exclude(interim=None)
    made = made.select_related("unlearned", "interim")
    return {str(run.interim): str(run.unlearned) for run in made}


def replacements() -> dict[str, str]:
    """Return for each version the one that it was made to replace, by name.

    That is what a run gave, what serves meanwhile, and what was trained outside and named.
    """
    revised = ModelVersion.objects.exclude(revision_of=None).select_related("revision_of")
    found = {str(one): str(one.revision_of) for one in revised}
    made = UnlearningRun.objects.exclude(unlearned=None).select_related("unlearned", "target")
    return found | {str(run.unlearned): str(run.target) for run in made.only(*_NAMES)}
