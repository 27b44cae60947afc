"""The zip of a sealed case, made when it is asked for; it is not stored, being always the same."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from audits import key_register, keys
from audits.core import case_bundle, record
from audits.core.key_list import KeyPeriod
from audits.execution.report_scores import scores_csv
from audits.queries import reports
from audits.queries.anchors import stamp_of
from lineage.core.worded import worded
from lineage.queries.artefacts import read_artefact

if TYPE_CHECKING:
    from audits.models import ErasureRequest


class ReportNotWritten(Exception):
    """The zip holds the report; of this case none is written, or the case is not sealed."""


def case_zip(request: ErasureRequest) -> bytes:
    """Return the zip of a case: the same bytes each time, as long as the key is the same.

    Raises:
        ReportNotWritten: there is no report yet.
        ArtefactMissing, ArtefactAltered: a stored file is not what was written.
        RecordRejected: the record does not verify with the key of this installation.
        SigningKeyMissing: this installation has no key.
    """
    files = reports.report_files(request)
    if files.keys() != reports.KINDS.keys():
        raise ReportNotWritten(
            worded(
                "Case %(case)s is %(state)s and has no report yet. It is written after the "
                "case is sealed.",
                case=request.reference,
                state=request.status,
            )
        )
    # Its library takes a second to load, which no other page need wait for.
    from audits.execution.pdf_seal_check import certificates_of  # noqa: PLC0415

    sealed, vkey = read_artefact(files[reports.JSON]), keys.verifier_text()
    report = read_artefact(files[reports.PDF])
    verified = record.verify(sealed, vkey=vkey)
    return case_bundle.pack(
        sealed=sealed,
        report=report,
        scores=scores_csv(verified.account.findings),
        periods=key_periods(),
        key=keys.evidence_key(),
        vkey=vkey,
        more={
            case_bundle.CERTIFICATE: certificates_of(report).encode(),
            case_bundle.STAMP: stamp_of(verified.checkpoint.size),
        },
    )


def key_periods() -> list[KeyPeriod]:
    """Return the keys of checkpoints and statements, past ones too, with their periods."""
    return [
        KeyPeriod(vkey=one.key, since=_moment(one.since), until=_moment(one.until))
        for one in key_register.known_keys()
        if one.role in keys.SIGNING
    ]


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
