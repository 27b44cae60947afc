"""Write the report of a sealed case: PDF/A-3a and PDF/UA-1, and a signed manifest beside it.

The report shows only what the sealed record says, after the record has been verified like a
stranger would. The same record gives the same bytes, to which the seal is then added.
"""

from __future__ import annotations

import hashlib
import json
import logging
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
from audits.execution.attachments import attached_files, keys_of
from audits.execution.case_zip import key_periods
from audits.execution.pdf_seal import seal_pdf
from audits.execution.pictures import pictures_of
from audits.execution.printable import printable_values
from audits.execution.report_further import regulator_view
from audits.execution.report_scores import scores_csv
from audits.execution.report_speech import language, say
from audits.execution.report_view import SealedCase
from audits.execution.svg_text import description_of
from audits.key_files import KeyFileRefused, SigningKeyMissing
from audits.models import ErasureRequest
from audits.queries.anchors import stamp_of
from audits.queries.letter_texts import FALLBACK
from audits.queries.reports import JSON, MANIFEST, PDF, report_files
from audits.services.case_pictures import keep_pictures
from audits.services.reports import keep_report
from lineage import artifacts
from lineage.models import Artefact
from lineage.queries.artefacts import read_artefact
from lineage.services import jobs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from lineage.models import Job

logger = logging.getLogger("expunge.report")
FIGURE_WORDS = "The words inside the figure are in English."
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

    Raises as ``write_report``; KeyFileRefused where the key of the seal cannot be opened.
    """
    request = ErasureRequest.objects.get(pk=case_id)
    if report_files(request):
        return False
    data = record_of(request)
    stamp = stamp_of_record(request)
    plain, drawn = rendered(data, vkey=keys.verifier_text(), stamp=stamp)
    pdf = sealed(plain, now=now)
    files = {bundle.RECORD: data, bundle.REPORT: pdf}
    manifest = sign_manifest(files, keys.evidence_key())
    contents = {JSON: data, PDF: pdf, MANIFEST: manifest}
    keep_pictures(case_id=case_id, drawn=drawn, now=now)
    return keep_report(case_id=case_id, contents=contents, now=now)


def stamp_of_record(request: ErasureRequest) -> bytes:
    """Return the time stamp of the checkpoint of a record; empty where there is none yet."""
    # Nothing is logged between seal and checkpoint.
    return stamp_of(request.record.seal_index + 1)


def sealed(pdf: bytes, *, now: datetime) -> bytes:
    """Return the PDF with the seal of this installation, or as it is where there is no key.

    A report must not fail for want of a seal, as the manifest covers it as well: what is missing
    is told to whoever reads logs. Raises KeyFileRefused for a key that cannot be opened.
    """
    try:
        key, certificates = keys.seal_key()
    except KeyFileRefused:
        raise
    except SigningKeyMissing as error:
        logger.warning("a report was not sealed: %s", error, extra={"said": "NOT_SEALED"})
        return pdf
    return seal_pdf(pdf, key=key, certificates=certificates, now=now)


def render(data: bytes, *, vkey: str, locale: str = FALLBACK, stamp: bytes = b"") -> bytes:
    """Return the PDF of a sealed record, without a seal: the edition for a regulator.

    Args:
        data: the record.
        vkey: the public keys that are trusted, one a line.
        locale: the language of the report.
        stamp: the time stamp of its checkpoint, if there is one yet.

    Raises:
        RecordRejected: the record does not verify with this key.
    """
    return rendered(data, vkey=vkey, locale=locale, stamp=stamp)[0]


def rendered(
    data: bytes, *, vkey: str, locale: str = FALLBACK, stamp: bytes = b""
) -> tuple[bytes, dict[str, str]]:
    """Return the same with the pictures in it that were drawn from the record, by name.

    Raises as ``render``.
    """
    case = sealed_case(data, vkey=vkey)
    at = sealed_at(case)
    inputs = attached_files(
        data,
        case.verified,
        keys=keys_of(case.vkey, key_periods(), sealed_at=at),
        scores=scores_csv(case.findings),
        stamp=stamp,
    )
    with translation.override(locale):
        view = regulator_view(case)
        view["pictures"], pictures = pictures_of(case.findings, language=locale)
        return typeset(view, inputs | pictures, sealed_at=at), pictures


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
        inputs: the texts to attach, of ``attached_files``; what is empty or missing is left out.
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
            card["figures"].append({"name": name, "alt": alt, "caption": _caption(kind)})
            pictures[name] = svg.decode()
    return pictures


def _caption(kind: str) -> str:
    """Return what a figure shows; its own words were drawn once, in English."""
    told = say(words.CAPTIONS[kind])
    return told if language() == FALLBACK else f"{told} {say(FIGURE_WORDS)}"


def _plot(digest: str) -> bytes | None:
    stored = Artefact.objects.filter(sha256=digest, kind=Artefact.Kind.PLOT).first()
    try:
        return read_artefact(stored) if stored else None
    except artifacts.ArtefactMissing:
        return None
