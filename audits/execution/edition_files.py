"""Write the editions of a case's report, each in several languages, and keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from audits import keys
from audits.core.editions import LANGUAGES, OF_A_CASE, Edition
from audits.execution import editions, reporting
from audits.models import ErasureRequest
from audits.queries.editions import editions_of
from audits.queries.letter_texts import FALLBACK
from audits.queries.operator_cases import operator_origin_of
from audits.queries.reports import PDF, report_files
from audits.services.editions import keep_edition
from lineage.queries.artefacts import read_artefact
from lineage.services import jobs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from lineage.models import Job


class NoPerson(LookupError):
    """The person's edition was asked for of a case that no person made."""


EVERY = tuple((edition, language) for edition in OF_A_CASE for language in LANGUAGES)


def write_all(job: Job) -> None:
    """Write the report of the case that the job names, and every edition of it, once.

    Raises as ``reporting.write_report``.
    """
    reporting.write_report(job)
    wanted = [one for one in EVERY if _has(job.payload_id, one[0])]
    for done, one in enumerate(wanted):
        jobs.report_progress(job=job, phase="Writing the editions", done=done, total=len(wanted))
        write_editions(case_id=job.payload_id, wanted=[one], now=timezone.now())
    done = len(wanted)
    jobs.report_progress(job=job, phase="Writing the editions", done=done, total=done)


def write_editions(*, case_id: UUID, wanted: Iterable[tuple[Edition, str]], now: datetime) -> None:
    """Write, store and log those of the wanted editions that are not stored yet.

    The regulator's in the language of the report is the report itself, not a second drawing.

    Raises:
        CaseNotSealed: the case has no record.
        NoPerson: the person's edition is wanted of a case that the operator opened.
        RecordRejected: the stored record does not verify with the public key of the log.
    """
    request = ErasureRequest.objects.get(pk=case_id)
    data, known = reporting.record_of(request), editions_of(request)
    for edition, language in wanted:
        if (edition, language) in known:
            continue
        if not _has(case_id, edition):
            raise NoPerson(
                f"Case {request.reference} was opened by the operator: no person made it, so it "
                f"has no edition {edition.slug!r}; allowed is {Edition.REGULATOR.slug!r}."
            )
        pdf = _drawn(request, data, edition, language, now)
        keep_edition(case_id=case_id, edition=edition, language=language, pdf=pdf, now=now)


def _drawn(
    request: ErasureRequest, data: bytes, edition: Edition, language: str, now: datetime
) -> bytes:
    vkey = keys.verifier_text()
    if edition is Edition.PERSON:
        return reporting.sealed(editions.person(data, vkey=vkey, locale=language), now=now)
    if language == FALLBACK:
        reporting.write_case_report(case_id=request.pk, now=now)
        return read_artefact(report_files(request)[PDF])
    stamp = reporting.stamp_of_record(request)
    drawn = reporting.render(data, vkey=vkey, locale=language, stamp=stamp)
    return reporting.sealed(drawn, now=now)


def _has(case_id: UUID, edition: Edition) -> bool:
    """Return whether a case has this edition: the operator's own cases are of no person."""
    return edition is not Edition.PERSON or operator_origin_of(case_id) is None
