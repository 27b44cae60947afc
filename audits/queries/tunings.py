"""Which numbers, found before a request came, may be used for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core import events
from audits.models import ErasureRequest, LogLeaf
from audits.queries.forget_sets import forget_set
from lineage.queries.sources import training_snapshot
from unlearning.queries.tunings import digest_of, forgotten_by, frozen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from pyroaring import BitMap

    from lineage.models import ModelVersion
    from unlearning.models import Tuning


@dataclass(frozen=True, kw_only=True)
class Found:
    """A frozen search, or why none of those there are is used; neither if there is none."""

    tuning: Tuning | None = None
    refused: str = ""


def once(tuning_id: UUID) -> str:
    """Return the name under which the log knows the freezing of a search."""
    return f"tuning:{tuning_id}"


def found_for(
    *, case_id: UUID, version: ModelVersion, method: str, together: Sequence[UUID] = ()
) -> Found:
    """Return the newest frozen search for a version that may be used for a case, or for several.

    It was frozen, for the recipe and the data set of the version, before the request came; no
    record of the request is among those that its proxies forget; and it is what the log says
    was frozen.
    """
    cases = [case_id, *together]
    forget = forget_set(*cases).get(training_snapshot(version).space)
    return found_before(
        version=version, method=method, forget=forget, before=min(map(_came, cases))
    )


def found_before(
    *, version: ModelVersion, method: str, forget: BitMap | None, before: datetime
) -> Found:
    """Return it for records of the version's own space, and a request that came at a time."""
    known = frozen(
        method=method,
        recipe_digest=version.generated_by.recipe_digest,
        dataset=training_snapshot(version).dataset,
        before=before,
    )
    reason = ""
    for tuning in known if version.generated_by.recipe_digest else ():
        if altered := not_as_logged(tuning):
            refused = altered
        elif forget and forget & forgotten_by(tuning):
            refused = f"the proxies of search v{tuning.version} forget records of this request"
        else:
            return Found(tuning=tuning)
        reason = reason or refused  # of the newest
    return Found(refused=f"Its own defaults are used: {reason}." if reason else "")


def not_as_logged(tuning: Tuning) -> str:
    """Return in what way a frozen search is not the one that the log knows; empty if it is."""
    leaf = LogLeaf.objects.filter(once=once(tuning.pk), type="tuning_frozen").first()
    if leaf is None:
        return f"the log does not know of search v{tuning.version}"
    if events.parse(bytes(leaf.data)).data["artefact"] != digest_of(tuning):
        return f"search v{tuning.version} is not what the log says was frozen"
    return ""


def _came(case_id: UUID) -> datetime:
    """Return when a request came; of a case linked to an earlier one, when that came."""
    request = ErasureRequest.objects.select_related("linked_to").get(pk=case_id)
    first = request.linked_to or request
    return min(request.received_at, first.received_at)
