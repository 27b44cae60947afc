"""Let an affected version stay as it is, by a coded exception that two people stand for."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.roles import Right
from audits.models import ErasureRequest, VersionException
from audits.queries import clocks
from audits.queries.accounts import accounts_of
from audits.queries.told import affected_versions
from audits.services import four_eyes, log
from audits.services.requests import actor_of
from audits.services.rights import require
from lineage.core.worded import not_among, worded, worded_of
from unlearning.models import UnlearningRun
from unlearning.services import runs

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from lineage.models import ModelVersion

S, R = ErasureRequest.Status, UnlearningRun.Status
LEAST_REASON = 20
OPEN = (S.PLANNED, S.UNLEARNING, S.AUDITING)
NOT_BEGUN = (R.QUEUED, R.WAITING)


class ExceptionRefused(Exception):
    """The version cannot be excepted; the sentence says why, and nothing was changed."""


@transaction.atomic
def propose(  # noqa: PLR0913  (the fields of an exception)
    *,
    case_id: UUID,
    version: ModelVersion,
    code: str,
    reason: str,
    until: date,
    user: User,
    now: datetime,
) -> VersionException:
    """Propose that a version stays; nothing changes until somebody else approves.

    Raises:
        NotAllowed: the user may not decide about models.
        NotYourDecision: it is their own request.
        ExceptionRefused: see the sentence.
    """
    require(user, Right.OPERATE)
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    four_eyes.check_stranger(request=request, user=user, action="PROPOSE_EXCEPTION")
    _check(request, version, code, reason, until, now)
    made, fresh = VersionException.objects.get_or_create(
        request=request,
        version=version,
        defaults={
            "code": code,
            "reason": reason.strip(),
            "until": until,
            "proposed_by": user,
            "proposed_at": now,
        },
    )
    if not fresh:
        raise ExceptionRefused(
            worded(
                "An exception of %(version)s is proposed in this case already.", version=version
            )
        )
    log.append(
        type="version_exception_proposed",
        case=case_id,
        now=now,
        actor=actor_of(user),
        data={"version": str(version.pk), "code": code, "until": until},
    )
    return made


@transaction.atomic
def approve(*, exception_id: int, user: User, now: datetime) -> VersionException:
    """Let a version stay: no run changes it in this case, and it goes on being served.

    Raises:
        NotAllowed: the user may not approve.
        NotYourDecision: it is their own request.
        ExceptionRefused: it is the user's own proposal, or unlearning has begun meanwhile.
    """
    require(user, Right.REVIEW)
    found = VersionException.objects.select_related("version").get(pk=exception_id)
    request = ErasureRequest.objects.select_for_update().get(pk=found.request_id)
    four_eyes.check_stranger(request=request, user=user, action="APPROVE_EXCEPTION")
    if found.proposed_by_id in (None, *accounts_of(user)):
        raise ExceptionRefused(worded("Somebody else than who proposed an exception approves it."))
    if found.approved_at:
        return found
    _check(request, found.version, found.code, found.reason, found.until, now)
    for run in request.runs.select_for_update().filter(target=found.version, status=R.QUEUED):
        runs.ask_about_run(run_id=run.pk)
    found.approved_by, found.approved_at = user, now
    found.save(update_fields=["approved_by", "approved_at"])
    digest = hashlib.sha256(found.reason.encode()).hexdigest()
    data = {"version": str(found.version_id), "code": found.code, "until": found.until}
    log.append(
        type="version_excepted",
        case=request.pk,
        now=now,
        actor=actor_of(user),
        data={**data, "reason": digest},
    )
    return found


@transaction.atomic
def drop(*, exception_id: int, user: User) -> None:
    """Take back a proposal that nobody approved.

    Raises:
        NotAllowed: the user may neither decide about models nor approve.
        NotYourDecision: it is their own request.
        ExceptionRefused: it was approved.
    """
    require(user, Right.OPERATE)
    for found in VersionException.objects.filter(pk=exception_id).select_related("request"):
        four_eyes.check_stranger(request=found.request, user=user, action="DROP_EXCEPTION")
    open_ = VersionException.objects.filter(pk=exception_id, approved_at=None)
    if not open_.delete()[0]:
        raise ExceptionRefused(worded("This exception is approved, or was taken back before."))


def _check(
    request: ErasureRequest,
    version: ModelVersion,
    code: str,
    reason: str,
    until: date,
    now: datetime,
) -> None:
    if code not in VersionException.Code.values:
        allowed = ", ".join(VersionException.Code.values)
        raise ExceptionRefused(not_among("code", code, allowed))
    if len(reason.strip()) < LEAST_REASON:
        raise ExceptionRefused(
            worded(
                "The reason has %(count)s characters; write at least %(least)s.",
                count=len(reason.strip()),
                least=LEAST_REASON,
            )
        )
    if until <= clocks.today(now):
        raise ExceptionRefused(
            worded_of(
                "until", "It is %(until)s; it must be a day to come.", until=f"{until:%Y-%m-%d}"
            )
        )
    if request.status not in OPEN:
        raise ExceptionRefused(
            worded(
                "%(case)s is %(state)s; a version can be excepted after the plan and before "
                "the erasure.",
                case=request.reference,
                state=request.get_status_display().lower(),
            )
        )
    if not affected_versions(request).filter(pk=version.pk).exists():
        raise ExceptionRefused(
            worded(
                "%(version)s is not affected by %(case)s.", version=version, case=request.reference
            )
        )
    begun = request.runs.filter(target=version, escalated_to=None).exclude(status__in=NOT_BEGUN)
    if begun.exists():
        raise ExceptionRefused(
            worded("%(version)s is being unlearned, or was: its run has begun.", version=version)
        )
    shared = UnlearningRun.objects.filter(target=version, requests=request)
    if ErasureRequest.objects.filter(runs__in=shared).exclude(pk=request.pk).exists():
        raise ExceptionRefused(
            worded(
                "The run on %(version)s serves other cases, too; an exception in one would "
                "leave their records in it.",
                version=version,
            )
        )
