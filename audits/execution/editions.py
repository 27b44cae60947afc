"""The editions of a report beside the regulator's: for the person, and for the public.

PDF/A-3a and PDF/UA-1, nothing attached. The same records give the same bytes.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

import typst
from django.conf import settings
from django.utils import translation

from audits.core.editions import check_period
from audits.execution.printable import printable_values
from audits.execution.report_person import person_view
from audits.execution.report_public import public_view
from audits.execution.reporting import sealed_at, sealed_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date


def person(data: bytes, *, vkey: str, locale: str) -> bytes:
    """Return the PDF of a sealed record for the person whom it is about.

    Raises:
        RecordRejected: the record does not verify with this key.
    """
    case = sealed_case(data, vkey=vkey)
    with translation.override(locale):
        view = person_view(case)
    return _typeset("person.typ", view, at=sealed_at(case))


def public(records: Iterable[bytes], *, vkey: str, since: date, until: date, locale: str) -> bytes:
    """Return the PDF on many sealed records together, in bands.

    Raises:
        RecordRejected: a record does not verify with this key.
        ValueError: the period is no whole calendar month, quarter or year.
    """
    check_period(since, until)
    cases = [sealed_case(data, vkey=vkey).findings for data in records]
    with translation.override(locale):
        view = public_view(cases, since=since, until=until)
    return _typeset("public.typ", view, at=datetime.combine(until, time(), tzinfo=UTC))


def _typeset(template: str, view: Mapping[str, Any], *, at: datetime) -> bytes:
    path = settings.BASE_DIR / "templates" / "reports" / template
    return typst.compile(
        str(path),
        root=str(path.parent),
        format="pdf",
        pdf_standards=["a-3a", "ua-1"],
        ignore_system_fonts=True,
        timestamp=at.replace(microsecond=0),
        sys_inputs={"view": json.dumps(printable_values(dict(view)))},
    )
