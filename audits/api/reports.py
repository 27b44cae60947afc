"""The sealed record of a case, its report in its editions, and the bundle that proves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from django.http import HttpResponse
from ninja import Router

from audits.core.record import RecordRejected
from audits.execution.case_zip import ReportNotWritten
from audits.execution.report_files import report_file
from audits.key_files import SigningKeyMissing
from audits.queries.cases_by_key import case_for
from lineage.api.auth import Scope, key_of
from lineage.artifacts import ArtefactAltered

if TYPE_CHECKING:
    from django.http import HttpRequest

READ = "reports:read"
router = Router(auth=Scope(READ), tags=["reports"])

ERRORS: dict[type[Exception], int] = {
    ReportNotWritten: 404,
    ArtefactAltered: 500,
    RecordRejected: 500,
    SigningKeyMissing: 503,
}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
FILES = {
    "responses": {
        200: {
            "description": "The file.",
            "content": {
                "application/pdf": _BINARY,
                "application/json": {"schema": {"type": "object"}},
                "application/zip": _BINARY,
            },
        }
    }
}


@router.get("/{reference}/report", operation_id="download_report", openapi_extra=FILES)
def report(
    request: HttpRequest,
    reference: str,
    edition: Literal["regulator", "person"] = "regulator",
    language: Literal["en", "fr", "de"] = "en",
    format: Literal["pdf", "json", "manifest", "zip"] = "pdf",  # noqa: A002  (its name in the address)
) -> HttpResponse:
    """Download what was sealed about a case, every byte checked against its digest.

    ``pdf`` is the report, in an edition and a language; ``json`` the sealed record, ``manifest``
    the signed list of digests, ``zip`` the bundle for a regulator: these have one form.
    """
    case = case_for(key_of(request), reference, READ)
    found = report_file(case, form=format, edition=edition, language=language)
    response = HttpResponse(found.data, content_type=found.media_type)
    response["Content-Disposition"] = f'attachment; filename="{found.name}"'
    return response
