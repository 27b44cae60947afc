"""Which versions, trained outside, may take the place of an affected one, and why others not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Case, Q, When

from audits.queries.cases import cases_of_run
from audits.queries.forget_sets import forget_set
from lineage.core.worded import worded
from lineage.models import ModelVersion, Run
from lineage.queries import closure
from unlearning.core.claims import Guarantee
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet


def replacements_for(run: UnlearningRun) -> list[ModelVersion]:
    """Return the captured versions that may take the place of the run's target.

    Later versions of the same model come first: one of them is most likely the one retrained.
    """
    met = _met(run)
    return [one for one in _candidates(run) if not _objection(run, one, met)]


def objection_to(run: UnlearningRun, version: ModelVersion) -> str:
    """Return why a version may not take the place of the run's target; empty where it may."""
    return _objection(run, version, _met(run))


def _candidates(run: UnlearningRun) -> QuerySet[ModelVersion]:
    same_model = Case(When(model_name=run.target.model_name, then=0), default=1)
    return (
        ModelVersion.objects.filter(
            kind=ModelVersion.Kind.MODEL,
            state=ModelVersion.State.ACTIVE,
            generated_at__gt=run.target.generated_at,
            generated_by__state=Run.State.COMPLETE,
        )
        .select_related("generated_by")
        .order_by(same_model, "-generated_at")
    )


@dataclass(frozen=True, kw_only=True)
class _Met:
    """What a forget set acts on, or may act on."""

    size: int
    closure: closure.Closure


def _met(run: UnlearningRun) -> list[_Met]:
    return [
        _Met(size=len(forget), closure=closure.affected(space, forget))
        for request in cases_of_run(run.pk)
        for space, forget in forget_set(request.pk).items()
    ]


def _objection(run: UnlearningRun, version: ModelVersion, met: Sequence[_Met]) -> str:
    if version.generated_by.capture_level == Run.Capture.NONE:
        return worded(
            "The membership of %(version)s was not captured, so nothing shows that it was "
            "trained without these records. Train it again with capture.",
            version=version,
        )
    return _learned(version, met) or _unfit(run, version)


def _learned(version: ModelVersion, met: Sequence[_Met]) -> str:
    for one in met:
        hits = [len(hit.forget) for hit in one.closure.versions if hit.version.pk == version.pk]
        if hits:
            return worded(
                "%(version)s learned from %(hits)s of the %(size)s records itself. Train it "
                "on the training view, which no longer serves them.",
                version=version,
                hits=hits[0],
                size=one.size,
            )
        if any(unknown.pk == version.pk for unknown in one.closure.unknown):
            return worded(
                "%(version)s was made from a version whose membership was not captured, or "
                "from data that somebody outside says to have written, so nothing shows that"
                " it was trained without these records. Train it from another base or on "
                "other data.",
                version=version,
            )
    return ""


def _unfit(run: UnlearningRun, version: ModelVersion) -> str:
    if version.state != ModelVersion.State.ACTIVE:
        return worded(
            "%(version)s is not in use (%(state)s). Choose a version that is.",
            version=version,
            state=version.get_state_display().lower(),
        )
    if UnlearningRun.objects.filter(Q(unlearned=version) | Q(interim=version)).exists():
        return worded(
            "%(version)s stands in for another version already. Destroy %(target)s, or "
            "choose another version.",
            version=version,
            target=run.target,
        )
    if version.guarantee == Guarantee.APPROXIMATE.name:
        return worded(
            "%(version)s was made from a version that was unlearned approximately. Train it "
            "from one that never saw these records.",
            version=version,
        )
    return ""
