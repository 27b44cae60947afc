"""What was sealed about a case as a file to hand out, each byte checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core.editions import Edition, file_name
from audits.execution.case_zip import ReportNotWritten, case_zip
from audits.models import ComplianceRecord
from audits.queries import reports
from audits.queries.editions import editions_of
from audits.queries.letter_texts import FALLBACK
from lineage.queries.artefacts import read_artefact

if TYPE_CHECKING:
    from audits.models import ErasureRequest
    from lineage.models import Artefact


@dataclass(frozen=True, kw_only=True)
class ReportFile:
    """A file with its name and its media type."""

    name: str
    media_type: str
    data: bytes


def report_file(
    request: ErasureRequest, *, form: str, edition: str = "regulator", language: str = FALLBACK
) -> ReportFile:
    """Return a file of a sealed case.

    Args:
        request: the case.
        form: ``pdf``, ``json``, ``manifest`` or ``zip``.
        edition: ``regulator`` or ``person``, of a PDF.
        language: ``en``, ``fr`` or ``de``, of a PDF.

    Raises:
        ReportNotWritten: the case has no such file yet.
        ArtefactMissing, ArtefactAltered: a stored file is not what was written.
        RecordRejected: the record does not verify with the key of this installation.
        SigningKeyMissing: this installation has no key.
    """
    name = request.reference
    if form == "zip":
        return ReportFile(name=f"{name}.zip", media_type="application/zip", data=case_zip(request))
    if form == "json":
        record = ComplianceRecord.objects.filter(request=request).first()
        if record is None:
            raise _missing(request, "record")
        return ReportFile(
            name=f"{name}.json", media_type="application/json", data=bytes(record.data)
        )
    if form == "manifest":
        stored = reports.report_files(request).get(reports.MANIFEST)
        return _stored(request, stored, f"{name}.manifest.json", "application/json")
    ending = file_name(Edition(edition.upper()), language)
    return _stored(
        request, _pdf(request, edition, language), f"{name}.{ending}", "application/pdf"
    )


def _pdf(request: ErasureRequest, edition: str, language: str) -> Artefact | None:
    found = editions_of(request).get((Edition(edition.upper()), language))
    if found is None and (edition, language) == (Edition.REGULATOR.slug, FALLBACK):
        return reports.report_files(request).get(reports.PDF)  # which is this edition
    return found


def _stored(
    request: ErasureRequest, artefact: Artefact | None, name: str, media_type: str
) -> ReportFile:
    if artefact is None:
        raise _missing(request, name.removeprefix(f"{request.reference}."))
    return ReportFile(name=name, media_type=media_type, data=read_artefact(artefact))


def _missing(request: ErasureRequest, what: str) -> ReportNotWritten:
    return ReportNotWritten(
        f"Case {request.reference} is {request.status} and has no {what}. It is written after the "
        "case is sealed; the person's edition only where a person asked."
    )
