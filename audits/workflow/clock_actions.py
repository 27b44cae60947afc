"""What staff do about the clock of a case, and what the sweep does about all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from audits.services import extensions, pauses, reminders
from audits.workflow.refused import logged

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User


@logged
def extend(*, case_id: UUID, code: str, text: str, user: User) -> bool:
    """Decide that an answer takes longer and tell the person; return whether they were told."""
    now = timezone.now()
    extensions.decide_extension(case_id=case_id, code=code, text=text, user=user, now=now)
    return extensions.send_notice(case_id=case_id, now=now)


@logged
def tell_of_extension(*, case_id: UUID, user: User) -> bool:
    """Try the notice of an extension again; return whether the person was told."""
    return extensions.retry_notice(case_id=case_id, user=user, now=timezone.now())


@logged
def pause_clock(*, case_id: UUID, reason: str, user: User) -> bool:
    """Stop the clock of a case while the person is asked something."""
    return pauses.begin_pause(case_id=case_id, reason=reason, user=user, now=timezone.now())


@logged
def resume_clock(*, case_id: UUID, user: User) -> bool:
    """Let the clock of a case go on."""
    return pauses.end_pause(case_id=case_id, user=user, now=timezone.now())


def mind_clocks(now: datetime) -> None:
    """Settle extensions, note which answers fall due, and write to staff about those."""
    extensions.settle_extensions(now=now)
    if reminders.note_stages(now=now) < reminders.AT_ONCE:  # else there are more to tell of
        reminders.send_digest(now=now)
