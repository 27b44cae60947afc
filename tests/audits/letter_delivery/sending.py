"""Letters that are sent for a case."""

from __future__ import annotations

from datetime import timedelta

from audits.services import letters
from tests.audits.world import NOW

EXTENSION = {"reason": "COMPLEXITY", "new_due": "2026-06-02"}
HOURS = timedelta(hours=1)


def send(case, code="ACKNOWLEDGEMENT", *, now=NOW, **context: object):
    return letters.send_letter(request=case, code=code, now=now, context=context)
