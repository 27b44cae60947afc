"""Model versions: what each learned from, what learned from it, and which of its files exist."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render

from lineage.models import Artefact, ModelVersion
from lineage.queries import version_page, version_standing
from lineage.views.access import reading

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

PER_PAGE = 50
TONES = {
    ModelVersion.State.CANDIDATE: "quiet",
    ModelVersion.State.ACTIVE: "good",
    ModelVersion.State.WITHDRAWN: "care",
    ModelVersion.State.DESTROYED: "quiet",
}
STATES = {
    ModelVersion.State.CANDIDATE: "It was produced and is not released: it is still being "
    "audited, or waits for its turn.",
    ModelVersion.State.ACTIVE: "It may be served.",
    ModelVersion.State.WITHDRAWN: "It must not be served any more: somebody whose data it "
    "learned from was erased, or is being erased.",
    ModelVersion.State.DESTROYED: "Its weights and checkpoints were deleted. What it was and what "
    "came from it stays on record.",
}
GUARANTEES = {"EXACT": "Exact", "CERTIFIED": "Certified", "APPROXIMATE": "Approximate"}


@reading
def version_list(request: HttpRequest) -> HttpResponse:
    """List every model version, by model."""
    shown = Paginator(version_page.listed_versions(), PER_PAGE).get_page(request.GET.get("page"))
    rows = [{"version": version, **_labels(version)} for version in shown]
    return render(request, "lineage/versions.html", {"rows": rows, "shown": shown})


@reading
def version(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Show one version with its origin, its descendants, its files and its unlearning runs."""
    found = get_object_or_404(
        # Some by the names of apps above, which this one does not know.
        ModelVersion.objects.select_related(
            "generated_by__procedure", "revision_of", "anonymity", "unlearned_by__target"
        ),
        pk=version_id,
    )
    run, family = found.generated_by, version_page.family_of(found)
    drawn = [one.snapshot for one in family.sources if one.training and one.snapshot]
    context = {
        "version": found,
        **_labels(found),
        "explained": STATES[ModelVersion.State(found.state)],
        "run": run,
        "family": family,
        "artefacts": version_page.artefacts_of(found),
        "kinds": Artefact.Kind,
        "siblings": version_standing.siblings_of(found),
        "ancestry": version_standing.ancestry_of(found),
        "records": version_standing.records_of(drawn),
        "revisions": found.revisions.order_by("version"),
        # Reached through the reverse relation: this app does not know who unlearns.
        "unlearning_runs": found.unlearning_runs.select_related("unlearned")
        .defer("forget_bitmap", "weighed", "report")
        .prefetch_related("requests")
        .order_by("created_at"),
        "parameters": _pretty(run.recipe_parameters),
        "sampler": _pretty(run.sampler),
        "environment": _pretty(run.environment),
        "metrics": _pretty(found.metrics),
    }
    return render(request, "lineage/version.html", context)


def _labels(found: ModelVersion) -> dict[str, str]:
    return {
        "tone": TONES[ModelVersion.State(found.state)],
        "guarantee": GUARANTEES.get(found.guarantee, found.guarantee),
    }


def _pretty(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) if value else ""
