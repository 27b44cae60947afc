"""What audits know of a version, for its page, which belongs to the app below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template

from audits.core.badges import verdict_badge
from audits.queries.method_titles import method_title
from audits.queries.owner_budgets import owner_of
from audits.queries.page_words import duration
from audits.queries.query_counts import use_of
from audits.queries.version_audits import audits_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lineage.models import ModelVersion
    from unlearning.models import UnlearningRun

register = template.Library()


@register.inclusion_tag("audits/_version_audits.html")
def version_audits(
    version: ModelVersion, runs: Iterable[UnlearningRun], shadow_seconds: float
) -> dict[str, Any]:
    """Show the evidence history of a version, and what its unlearning cost so far."""
    found = audits_of(version, runs)
    return {
        "lines": [
            {
                "line": line,
                "badge": verdict_badge(line.outcome) if line.outcome else None,
                "method": method_title(line.evidence.run.method),
            }
            for line in found.evidence
        ],
        "more": found.more,
        "cost": found.cost,
        "took": duration(found.cost.seconds),
        "retraining": duration(found.cost.retraining) if found.cost.retraining else "",
        "shadows": duration(shadow_seconds) if shadow_seconds else "",
    }


@register.inclusion_tag("audits/_version_use.html")
def version_use(version: ModelVersion) -> dict[str, Any]:
    """Show how often a version answered, as the guards of those who serve it say."""
    return {"version": version, "use": use_of(version)}


@register.inclusion_tag("audits/_version_owner.html", takes_context=True)
def version_owner(context: Any, version: ModelVersion) -> dict[str, Any]:  # noqa: ANN401  (Django's)
    """Show whose the model of a version is."""
    return {"version": version, "owner": owner_of(version), "perms": context["perms"]}
