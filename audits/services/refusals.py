"""Log what was refused: a move that a case may not make, an action somebody has no right to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import transaction

from audits.models import ErasureRequest
from audits.services import log
from audits.services.actors import actor_of
from audits.services.four_eyes import NotYourDecision

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User


def reason_of(error: Exception) -> str:
    """Return the code of a refusal: the name of its exception; its sentence may name somebody."""
    if isinstance(error, NotYourDecision):
        return error.reason
    if isinstance(error, PermissionDenied):
        return "NO_RIGHT"
    if type(error) is ValueError:
        return "NOT_ALLOWED_VALUE"
    return log.code_of(type(error).__name__)


@transaction.atomic
def note_refusal(
    *,
    case_ids: Iterable[UUID],
    action: str,
    error: Exception,
    now: datetime,
    user: User | None = None,
) -> None:
    """Write the event of a refused action; call it after the refused one has rolled back.

    Where somebody may not decide, the error itself names the case and the action.
    """
    if isinstance(error, NotYourDecision):
        case_ids, action, error.noted = [error.case_id], error.action, True
    actor = actor_of(user) if user else log.SUBJECT
    data = {"action": log.code_of(action), "reason": reason_of(error)}
    known = ErasureRequest.objects.filter(pk__in=list(case_ids))
    for case_id in known.values_list("pk", flat=True):
        log.append(type="action_refused", case=case_id, now=now, actor=actor, data=data)
