"""Write the editions of a case's report, each in several languages, and keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from audits import keys
from audits.core.editions import LANGUAGES, OF_A_CASE, Edition
from audits.execution import editions, reporting
from audits.models import ErasureRequest
from audits.queries.editions import editions_of
from audits.services.editions import keep_edition
from lineage.services import jobs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from lineage.models import Job

EVERY = tuple((edition, language) for edition in OF_A_CASE for language in LANGUAGES)


def write_all(job: Job) -> None:
    """Write the report of the case that the job names, and every edition of it, once.

    Raises as ``reporting.write_report``.
    """
    reporting.write_report(job)
    for done, one in enumerate(EVERY):
        jobs.report_progress(job=job, phase="Writing the editions", done=done, total=len(EVERY))
        write_editions(case_id=job.payload_id, wanted=[one], now=timezone.now())
    jobs.report_progress(job=job, phase="Writing the editions", done=len(EVERY), total=len(EVERY))


def write_editions(*, case_id: UUID, wanted: Iterable[tuple[Edition, str]], now: datetime) -> None:
    """Write, store and log those of the wanted editions that are not stored yet.

    Raises:
        CaseNotSealed: the case has no record.
        RecordRejected: the stored record does not verify with the public key of the log.
    """
    request = ErasureRequest.objects.get(pk=case_id)
    data, vkey, known = reporting.record_of(request), keys.verifier_text(), editions_of(request)
    for edition, language in wanted:
        if (edition, language) in known:
            continue
        draw = editions.person if edition is Edition.PERSON else reporting.render
        pdf = reporting.sealed(draw(data, vkey=vkey, locale=language), now=now)
        keep_edition(case_id=case_id, edition=edition, language=language, pdf=pdf, now=now)
