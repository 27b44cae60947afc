"""The sealed record and its report as files; every byte is checked before it is handed out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audits.core.record import RecordRejected
from audits.execution.case_zip import ReportNotWritten, case_zip
from audits.key_files import SigningKeyMissing
from audits.models import CasePictures, ComplianceRecord, ErasureRequest
from audits.queries import reports
from audits.queries.editions import editions_of
from audits.queries.page_words import retold
from audits.views.access import page, staff_page
from lineage.artifacts import ArtefactAltered, ArtefactMissing
from lineage.queries.artefacts import read_artefact

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest

    from lineage.models import Artefact

PICTURES = ("provenance", "timeline")
PDF, MANIFEST = reports.PDF, reports.MANIFEST
TYPES = {PDF: ("pdf", "application/pdf"), MANIFEST: ("manifest.json", "application/json")}


@require_safe
@staff_page
def report_json(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Return the sealed record, byte for byte as it was sealed."""
    return record_response(request, get_object_or_404(ErasureRequest, pk=case_id))


@require_safe
@staff_page
def report_pdf(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Return the report for people."""
    return stored_response(request, get_object_or_404(ErasureRequest, pk=case_id), PDF)


@require_safe
@staff_page
def edition_pdf(request: HttpRequest, case_id: UUID, edition: str, language: str) -> HttpResponse:
    """Return an edition of the report in a language, as the worker or the command wrote it."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    found = {(one.slug, spoken): file for (one, spoken), file in editions_of(case).items()}
    return edition_response(request, case, found.get((edition, language)), language)


@require_safe
@staff_page
def report_manifest(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Return the signed list of digests that the report is checked against."""
    return stored_response(request, get_object_or_404(ErasureRequest, pk=case_id), MANIFEST)


@require_safe
@staff_page
def case_bundle(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Return everything that a regulator needs to verify the case, as one zip."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    try:
        data = case_zip(case)
    except ReportNotWritten as error:
        return not_there(request, _("There is no bundle of this case yet"), str(error), 404)
    except ArtefactMissing as error:
        return not_there(request, _("The file is missing"), str(error), 404)
    except (ArtefactAltered, RecordRejected) as error:
        return not_there(request, _("The file was altered and is not shown"), str(error), 500)
    except SigningKeyMissing as error:
        return not_there(request, _("Nothing can be signed"), str(error), 500)
    return attachment(data, f"{case.reference}.zip", "application/zip")


@require_safe
@staff_page
def case_picture(request: HttpRequest, case_id: UUID, name: str) -> HttpResponse:
    """Return a picture of the sealed record, as the report shows it."""
    kept = CasePictures.objects.filter(request=case_id).select_related(*PICTURES).first()
    artefact = getattr(kept, name) if kept and name in PICTURES else None
    if artefact is None:
        sentence = _("No such picture is kept of this case; the record has what it would show.")
        return not_there(request, _("There is no picture"), sentence, 404)
    data = checked(request, artefact)
    if isinstance(data, HttpResponse):
        return data
    return HttpResponse(data, content_type="image/svg+xml")


def record_response(request: HttpRequest, case: ErasureRequest) -> HttpResponse:
    """Return the record of a case as a download, or a page that says why there is none."""
    record = ComplianceRecord.objects.filter(request=case).first()
    if record is None:
        return not_there(
            request,
            _("This case has no record yet"),
            _("The record is signed and sealed when the case closes."),
            404,
        )
    return attachment(bytes(record.data), f"{case.reference}.json", "application/json")


def stored_response(request: HttpRequest, case: ErasureRequest, form: str) -> HttpResponse:
    """Return a stored file of the report, or a page that says why it cannot be given."""
    artefact = reports.report_files(case).get(form)
    if artefact is None:
        return not_there(
            request,
            _("This report has not been written yet"),
            _("It is written after the case is sealed. The record itself can be read as JSON."),
            404,
        )
    ending, media_type = TYPES[form]
    data = checked(request, artefact)
    if isinstance(data, HttpResponse):
        return data
    return attachment(data, f"{case.reference}.{ending}", media_type)


def edition_response(
    request: HttpRequest, case: ErasureRequest, artefact: Artefact | None, language: str
) -> HttpResponse:
    """Return a stored edition, or a page that says why it cannot be given."""
    if artefact is None:
        return not_there(
            request,
            _("This report has not been written yet"),
            _("It is written after the case is sealed. The record itself can be read as JSON."),
            404,
        )
    data = checked(request, artefact)
    if isinstance(data, HttpResponse):
        return data
    return attachment(data, f"{case.reference}.{language}.pdf", "application/pdf")


def checked(request: HttpRequest, artefact: Artefact) -> bytes | HttpResponse:
    """Return a file whose digest matches, else the page that says what is wrong with it."""
    try:
        return read_artefact(artefact)
    except ArtefactMissing as error:
        return not_there(request, _("The file is missing"), _why(request, error), 404)
    except ArtefactAltered as error:
        heading = _("The file was altered and is not shown")
        return not_there(request, heading, _why(request, error), 500)


def _why(request: HttpRequest, error: Exception) -> str:
    if not _is_public(request):
        return str(error)
    return _("Please write to us, so that we can put this right.")


def _is_public(request: HttpRequest) -> bool:
    return request.path_info.startswith(reverse("audits:erasure_form"))


def not_there(request: HttpRequest, title: str, sentence: str, status: int) -> HttpResponse:
    """Say in words why a file cannot be given."""
    frame = "base.html" if _is_public(request) else "staff.html"
    context = {"heading": title, "sentence": retold(sentence), "frame": frame}
    return page(request, "audits/not_there.html", context, status=status)


def attachment(data: bytes, name: str, media_type: str) -> HttpResponse:
    """Return bytes as a file to be saved."""
    response = HttpResponse(data, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
