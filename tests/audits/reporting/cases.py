"""A sealed case, and the texts of its report."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings as installed

from audits.core.record import verify
from audits.execution.report_view import SealedCase

TEMPLATE = installed.BASE_DIR / "templates" / "reports" / "record.typ"


def sealed_case(rich, **findings: object) -> SealedCase:
    """The verified record, with findings of another kind where a test wants some."""
    verified = verify(rich["data"], vkey=rich["vkey"])
    account = replace(verified.account, findings={**verified.account.findings, **findings})
    return SealedCase(
        verified=replace(verified, account=account),
        sha256="ab" * 32,
        vkey=rich["vkey"],
        checkpoint_note="note",
    )
