"""Say what would be done if some records had to be forgotten today; nothing is changed by it.

The same functions draw the plan of a case, so that a preview and a plan do not differ in how they
weigh. A preview knows of no case: what earlier cases took of an accepted (epsilon, delta) and what
would be done together with others is left out of it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from audits.execution.asked import Asked
from audits.execution.choosing import RETRAIN, for_a_person
from audits.execution.planning import Hit, cannot_train, own_hit
from audits.models import PlanPreview
from audits.queries.tunings import found_before
from audits.services import plan_previews
from lineage.queries.closure import affected
from lineage.queries.contents import stored
from lineage.queries.sources import parents_of
from lineage.queries.what_if import what_if
from unlearning.execution.device import placed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyroaring import BitMap

    from audits.execution.choosing import Choice
    from lineage.models import Job, ModelVersion, OrdinalSpace


def preview_plan(job: Job) -> None:
    """Answer the question of a member of staff; one that was deleted meanwhile is left alone."""
    asked = PlanPreview.objects.select_related("version__generated_by").filter(pk=job.payload_id)
    preview = asked.filter(ended_at=None).first()
    if preview is None:
        return
    placed()  # as of a plan: ways are weighed for the device of this installation
    found = previewed(preview.version, plan_previews.asked_about(preview))
    plan_previews.answer(preview_id=preview.pk, result=found, now=timezone.now())


def previewed(version: ModelVersion, forget: Mapping[OrdinalSpace, BitMap]) -> dict[str, Any]:
    """Return what would become of a version, as JSON.

    * ``others``: the other versions that learned from the records, with how many;
    * ``possible``: whether the version may have learned from them, as not all is known of it;
    * ``learned``: how many it certainly did, directly or through others; 0 ends the answer;
    * ``data``: what would be left of its training data (``lineage/queries/what_if.py``);
    * ``waiting``: whether staff would have to decide, as it cannot be trained again;
    * ``again``: why only training again would do, or empty;
    * ``method``, ``refused``, ``untuned``, ``weighed``: the choice, as a run keeps it.
    """
    closures = [affected(space, ordinals) for space, ordinals in forget.items()]
    hits = [Hit(space=one.space, found=each) for one in closures for each in one.versions]
    ways = [hit for hit in hits if hit.version.pk == version.pk]
    others = {hit.version.pk: hit for hit in hits if hit.version.pk != version.pk}
    told: dict[str, Any] = {
        "others": [_other(hit) for hit in others.values()],
        "possible": not ways and any(version in one.unknown for one in closures),
        "learned": sum(len(hit.found.forget) for hit in ways),
    }
    return told | _plan(ways, others) if ways else told


def _plan(ways: list[Hit], others: Mapping[Any, Hit]) -> dict[str, Any]:
    own = own_hit(ways)
    parents = parents_of(own.version)
    stuck = cannot_train(own.version) or any(
        parent.pk in others and cannot_train(parent) for parent in parents
    )
    again = _only_again(ways, own, [str(one) for one in parents if one.pk in others])
    choice = RETRAIN if stuck or again else _choice(own, others)
    return {
        "data": what_if(own.found, own.space),
        "waiting": stuck,
        "again": again,
        "method": choice.method,
        "refused": choice.refused,
        "untuned": choice.untuned,
        "weighed": dict(choice.weighed or {}),
    }


def _only_again(ways: list[Hit], own: Hit, parents: list[str]) -> str:
    """Return why nothing but training again would do; empty where other ways are weighed."""
    if parents:
        return f"It was made from {', '.join(parents)}, which would be unlearned first."
    if len(ways) > 1:
        return "It learned from records of several data sets."
    if stored(own.space, own.found.forget) != own.found.forget:
        return "The contents of the records are not stored here, so no method can read them."
    return ""


def _choice(own: Hit, others: Mapping[Any, Hit]) -> Choice:
    made_from = any(
        parent.pk == own.version.pk
        for hit in others.values()
        for parent in parents_of(hit.version)
    )
    find = partial(found_before, forget=own.found.forget, before=timezone.now())
    return for_a_person(own.version, own.found.forget, find=find, asked=Asked(made_from=made_from))


def _other(hit: Hit) -> dict[str, Any]:
    return {
        "version": str(hit.version.pk),
        "name": str(hit.version),
        "records": len(hit.found.forget),
        "influence": hit.found.influence,
    }
