"""Which versions learned from a record or from a person: the question of every erasure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from ninja import Router, Schema

from lineage.api.asked import records_asked, telling
from lineage.api.auth import Scope
from lineage.api.versions import NamedVersionOut, StepOut
from lineage.queries.questions import affected_by

if TYPE_CHECKING:
    from django.http import HttpRequest

router = Router(auth=Scope("lineage:read"), tags=["lineage"])


class HitOut(NamedVersionOut):
    """A version that some records act on, and how: see ``WhyOut``.

    ``forget_set_digest`` is null unless the key has the scope ``subjects:read``.
    """

    space: str
    hits: int
    forget_set_digest: str | None
    direct: bool
    influence: str
    depth: int
    earliest_step: int | None
    why: list[StepOut]


class AffectedOut(Schema):
    """Every version that the records act on, and every one of which it is not known.

    ``records``: how many of them there are, by space, with what was derived from them.
    """

    records: dict[str, int]
    affected: list[HitOut]
    possibly_affected: list[NamedVersionOut]
    not_affected: int


@router.get("/affected", response=AffectedOut, operation_id="list_affected_versions")
def affected(
    request: HttpRequest, record: str = "", subject: UUID | None = None
) -> dict[str, Any]:
    """Say which versions learned from a record, or from anything of a person, and by which way.

    ``record`` is SPACE:ORDINAL, ``subject`` a pseudonym; one of them. A subject takes the scope
    ``subjects:read`` as well. Shadow models and destroyed versions are left out. The answer is
    never cut short.
    """
    answer = affected_by(records_asked(request, record, subject))
    return {**answer, "affected": [telling(request, hit) for hit in answer["affected"]]}
