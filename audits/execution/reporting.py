"""Write the report of a sealed case: PDF/A-3a and PDF/UA-1, and a signed manifest beside it.

The report shows only what the sealed record says, after the record has been verified like a
stranger would. The same record gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typst
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone, translation

from audits import keys
from audits.core import bundle
from audits.core.manifest import sign_manifest
from audits.core.note import parse_vkeys, signer_of
from audits.core.proof import parse_proof
from audits.core.record import verify
from audits.execution import report_words as words
from audits.execution.pictures import pictures_of
from audits.execution.printable import printable_values
from audits.execution.report_scores import scores_csv
from audits.execution.report_speech import say
from audits.execution.report_view import SealedCase, view_of
from audits.execution.svg_text import description_of
from audits.models import ErasureRequest
from audits.queries.letter_texts import FALLBACK
from audits.queries.reports import JSON, MANIFEST, PDF, report_files
from audits.services.reports import keep_report
from lineage import artifacts
from lineage.models import Artefact
from lineage.queries.artefacts import read_artefact
from lineage.services import jobs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from lineage.models import Job

NO_PLOT = "The figure of this evidence is no longer stored; its digest is in the record."


class CaseNotSealed(Exception):
    """A report is written of a sealed record; this case has none yet."""


def write_report(job: Job) -> None:
    """Write the report of the case that the job names, once.

    Raises:
        CaseNotSealed: the case has no record.
        RecordRejected: the stored record does not verify with the public key of the log.
    """
    jobs.report_progress(job=job, phase="Writing the report", done=0, total=1)
    write_case_report(case_id=job.payload_id, now=timezone.now())
    jobs.report_progress(job=job, phase="Writing the report", done=1, total=1)


def write_case_report(*, case_id: UUID, now: datetime) -> bool:
    """Write, store and log the report of a case; False when it was written before.

    Raises as ``write_report``.
    """
    request = ErasureRequest.objects.get(pk=case_id)
    if report_files(request):
        return False
    data = record_of(request)
    pdf = render(data, vkey=keys.verifier_text())
    files = {bundle.RECORD: data, bundle.REPORT: pdf}
    manifest = sign_manifest(files, keys.evidence_key())
    contents = {JSON: data, PDF: pdf, MANIFEST: manifest}
    return keep_report(case_id=case_id, contents=contents, now=now)


def render(data: bytes, *, vkey: str, locale: str = FALLBACK) -> bytes:
    """Return the PDF of a sealed record: the edition for a regulator, in a language.

    Raises:
        RecordRejected: the record does not verify with this key.
    """
    case = sealed_case(data, vkey=vkey)
    note = case.checkpoint_note
    inputs = {"record": data.decode(), "checkpoint": note, "scores": scores_csv(case.findings)}
    with translation.override(locale):
        view = view_of(case)
        view["pictures"], pictures = pictures_of(case.findings, language=locale)
        inputs |= pictures
        return typeset(view, inputs, sealed_at=sealed_at(case))


def sealed_case(data: bytes, *, vkey: str) -> SealedCase:
    """Return a record, verified as a stranger would, with what a report prints of it in full.

    Raises:
        RecordRejected: the record does not verify with this key.
    """
    verified = verify(data, vkey=vkey)
    note = parse_proof(json.loads(data)["proof"]).checkpoint_note
    return SealedCase(
        verified=verified,
        sha256=hashlib.sha256(data).hexdigest(),
        vkey=_used(vkey, data.decode(), note),
        checkpoint_note=note,
    )


def _used(vkey: str, record: str, note: str) -> str:
    """Return those of the trusted keys that signed, so that a later key changes no old report."""
    keyids = {one["keyid"] for one in json.loads(record)["envelope"]["signatures"]}
    signed = signer_of(note, vkey)
    known = parse_vkeys(vkey)
    used = [one for one in known if one.label in keyids or one == signed]
    return "\n".join(one.text for one in used)


def typeset(view: Mapping[str, Any], inputs: Mapping[str, str], *, sealed_at: datetime) -> bytes:
    """Return the PDF of a view; every value in it is set as text, never read as markup.

    Args:
        view: of ``view_of``.
        inputs: the texts to attach: ``record``, ``checkpoint`` and ``scores``, which may be empty.
        sealed_at: the PDF's own date, so that equal records give equal files.
    """
    shown = printable_values(dict(view))
    plots = _embed_plots(shown["evidence"])
    template = settings.BASE_DIR / "templates" / "reports" / "record.typ"
    return typst.compile(
        str(template),
        root=str(template.parent),
        format="pdf",
        pdf_standards=["a-3a", "ua-1"],
        ignore_system_fonts=True,
        timestamp=sealed_at.replace(microsecond=0),
        sys_inputs={**inputs, **plots, "view": json.dumps(shown)},
    )


def record_of(request: ErasureRequest) -> bytes:
    """Return the sealed record of a case. Raises CaseNotSealed where there is none."""
    try:
        return bytes(request.record.data)
    except ObjectDoesNotExist:
        raise CaseNotSealed(
            f"Case {request.reference} is {request.status}; a report is written once it is sealed."
        ) from None


def sealed_at(case: SealedCase) -> datetime:
    """Return the instant of the seal, the PDF's own date."""
    return datetime.fromisoformat(case.verified.seal.event.at).astimezone(UTC)


def _embed_plots(evidence: list[dict[str, Any]]) -> dict[str, str]:
    """Name the figures of each card and return them by name."""
    pictures = {}
    for number, card in enumerate(evidence):
        digests, card["figures"] = card.pop("figure_digests"), []
        for kind, digest in digests.items():
            svg = _plot(digest)
            if svg is None:
                card["note"] = f"{card['note']} {say(NO_PLOT)}".strip()
                continue
            name = f"{kind}-{number}"
            alt = printable_values(description_of(svg)) or say("Plot of the evidence")
            card["figures"].append(
                {"name": name, "alt": alt, "caption": say(words.CAPTIONS[kind])}
            )
            pictures[name] = svg.decode()
    return pictures


def _plot(digest: str) -> bytes | None:
    stored = Artefact.objects.filter(sha256=digest, kind=Artefact.Kind.PLOT).first()
    try:
        return read_artefact(stored) if stored else None
    except artifacts.ArtefactMissing:
        return None
