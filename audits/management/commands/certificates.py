"""List the procedure certificates: their age, until when they stand, what they are about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from audits.core.certificate import Procedure
from audits.queries.certificates import NONE_YET, all_certificates, refused

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from datetime import datetime

    from audits.models import ProcedureCertificate

EMPTY = f"{NONE_YET} A pool of shadow models on surrogates that passes issues one."


class Command(BaseCommand):
    """``manage.py certificates [--json]``."""

    help = "List the procedure certificates that audits on surrogates may rely on, newest first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the one option."""
        parser.add_argument("--json", action="store_true", help="everything, for programs")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Print some lines, or one JSON object, per certificate."""
        now = timezone.now()
        found = [_told(one, now) for one in all_certificates()]
        if options["json"]:
            self.stdout.write(json.dumps(found, indent=2))
            return
        if not found:
            self.stdout.write(EMPTY)
        for one in found:
            state = "stands" if one["stands"] else one["reason"]
            self.stdout.write(
                f"{one['certificate'][:8]}  {one['outcome']}, {one['age_days']} days old, expires "
                f"{one['expires_at'][:10]}, decile {one['difficulty']}, "
                f"attempt {one['attempt']}: {state}"
            )
            for name, value in one["fields"].items():
                self.stdout.write(f"    {name:<16} {value}")


def _told(one: ProcedureCertificate, now: datetime) -> dict[str, Any]:
    reason = refused(one, Procedure.from_dict(one.fields), now=now)
    return {
        "certificate": str(one.pk),
        "key": one.key,
        "fields": one.fields,
        "difficulty": one.difficulty,
        "profile": one.profile,
        "outcome": one.outcome,
        "attempt": one.attempt,
        "run": str(one.evidence.run_id),
        "policy": one.policy,
        "digest": one.digest,
        "evidence_digest": one.evidence_digest,
        "issued_at": one.issued_at.isoformat(),
        "expires_at": one.expires_at.isoformat(),
        "age_days": (now - one.issued_at).days,
        "stands": not reason,
        "reason": reason,
    }
