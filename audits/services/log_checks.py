"""Write into the log that all of it was found whole."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from django.db import transaction

from audits.services import log

if TYPE_CHECKING:
    from datetime import datetime

    from audits.queries.log_check import CheckedLog


@transaction.atomic
def note_log_checked(*, found: CheckedLog, now: datetime) -> None:
    """Log what a check of the whole log covered, as it stood then."""
    log.append(type="log_checked", case=None, now=now, data=asdict(found))
