"""Score the training records of a version around the seeds of an operator's case."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

import numpy as np
from django.utils import timezone

from audits.models import OperatorCase
from audits.queries.operator_cases import seeds_of
from audits.services import case_scores
from lineage.artifacts import ArtefactAltered, ArtefactMissing
from lineage.queries.sources import NoTrainingSnapshot, training_snapshot
from lineage.queries.training_view import training_view
from unlearning.core.causal.clusters import DRAWS
from unlearning.core.causal.features import NotMeasurable
from unlearning.core.causal.influence import L2
from unlearning.core.causal.proposal import Proposal, propose
from unlearning.core.recipe import RecipeChanged, RecipeNotAllowed
from unlearning.core.session import Session
from unlearning.core.stored import StoredExamples
from unlearning.execution.device import placed
from unlearning.execution.loading import NoRecipe, TargetDestroyed, load_version, recipe_of
from unlearning.execution.reporting import reporter

if TYPE_CHECKING:
    from lineage.models import Job, ModelVersion

RUNNERS_UP = 20  # records outside the proposal that are shown beside it
# Nothing can be measured, and the sentence of each says why.
NO_MEASURE = (
    ArtefactAltered,
    ArtefactMissing,
    NoRecipe,
    NoTrainingSnapshot,
    NotMeasurable,
    RecipeChanged,
    RecipeNotAllowed,
    TargetDestroyed,
)

Scored = list[tuple[int, float, int]]


def score_case(job: Job) -> None:
    """Measure, and keep what was found, or the sentence why nothing is proposed."""
    case = OperatorCase.objects.select_related("version__generated_by", "space").get(
        pk=job.payload_id
    )
    records: Scored = []
    finding: dict[str, Any] = {}
    if case.version is None:
        return
    try:
        records, finding, note = _measured(job, case, case.version)
    except NO_MEASURE as reason:
        note = str(reason)
    case_scores.keep_scores(
        case_id=case.pk, records=records, finding=finding, note=note, now=timezone.now()
    )


def _measured(
    job: Job, case: OperatorCase, version: ModelVersion
) -> tuple[Scored, dict[str, Any], str]:
    view = training_view(training_snapshot(version))
    ordinals = list(view.ordinals)
    named = list(seeds_of(case) & view.ordinals) if view.snapshot.space_id == case.space_id else []
    seeds = [bisect_left(ordinals, ordinal) for ordinal in named]
    session = Session(progress=reporter(job, "Scoring the training records"), **placed())
    found = propose(
        load_version(version), StoredExamples(recipe_of(version), view), seeds, session
    )
    finding = {
        "measure": "influence on the seeds through a softmax regression on the frozen features",
        "reference": "Koh and Liang, ICML 2017, equation 2",
        "clustering": "Ward, on whitened gradients of unit length, within each label",
        "l2": L2,
        "draws": DRAWS,
        "chance": found.chance,
        "records": len(ordinals),
        "seeds": len(seeds),
    }
    return _shown(found, ordinals), finding, found.reason


def _shown(found: Proposal, ordinals: list[int]) -> Scored:
    """Return the seeds' clusters and the highest scores beside them."""
    clusters, scores = found.clusters, found.scores
    outside = np.flatnonzero(clusters == 0)
    next_ones = outside[np.argsort(-scores[outside], kind="stable")[:RUNNERS_UP]]
    places = [*np.flatnonzero(clusters), *next_ones]
    return [(ordinals[at], float(scores[at]), int(clusters[at])) for at in places]
