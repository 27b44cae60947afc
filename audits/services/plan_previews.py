"""Ask what would be done for some records of a version, and forget the question soon after."""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from audits.core.roles import Right
from audits.models import PlanPreview
from audits.services.rights import require
from lineage.core.bitmaps import decode, encode
from lineage.models import ModelVersion, OrdinalSpace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User
    from pyroaring import BitMap

# Whoever handles cases or decides about models may look somebody up; nobody else does.
ASKERS = (Right.HANDLE, Right.OPERATE)
KEPT_FOR = timedelta(minutes=30)


@transaction.atomic
def ask(
    *,
    version_id: UUID,
    by: PlanPreview.By,
    forget: Mapping[OrdinalSpace, BitMap],
    user: User,
    now: datetime,
) -> PlanPreview:
    """Keep a question until a job has answered it; nothing is restricted, planned or logged.

    Raises:
        NotAllowed: the member of staff neither handles cases nor decides about models.
    """
    require(user, *ASKERS)
    version = ModelVersion.objects.get(pk=version_id)
    told = {str(space.pk): _packed(ordinals) for space, ordinals in forget.items() if ordinals}
    return PlanPreview.objects.create(
        version=version,
        asked_by=user,
        by=by,
        records=sum(map(len, forget.values())),
        forget=told,
        created_at=now,
    )


def asked_about(preview: PlanPreview) -> dict[OrdinalSpace, BitMap]:
    """Return the records that a question is about, by space."""
    spaces = OrdinalSpace.objects.in_bulk([int(key) for key in preview.forget])
    return {spaces[int(key)]: decode(b64decode(text)) for key, text in preview.forget.items()}


def answer(*, preview_id: UUID, result: Mapping[str, Any], now: datetime) -> None:
    """Write what the planner said, and forget which records were asked about."""
    PlanPreview.objects.filter(pk=preview_id, ended_at=None).update(
        result=dict(result), forget={}, ended_at=now
    )


def expire(*, now: datetime) -> int:
    """Delete what was asked more than half an hour ago; return how many questions."""
    deleted, _ = PlanPreview.objects.filter(created_at__lt=now - KEPT_FOR).delete()
    return deleted


def _packed(ordinals: BitMap) -> str:
    return b64encode(encode(ordinals)).decode()
