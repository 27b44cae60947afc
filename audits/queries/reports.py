"""The exported files of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.core import events
from audits.core.editions import Edition
from audits.models import LogLeaf
from lineage.models import Artefact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from audits.models import ErasureRequest

# The formats of a report as the log names them.
JSON, PDF, MANIFEST = "JSON", "PDF", "MANIFEST"
KINDS = {
    JSON: Artefact.Kind.RECORD,
    PDF: Artefact.Kind.REPORT,
    MANIFEST: Artefact.Kind.REPORT,
}


def report_files(request: ErasureRequest) -> dict[str, Artefact]:
    """Return record, report and manifest of a case by format (``JSON``, ``PDF``, ``MANIFEST``).

    Empty until the report is written. A file has no link to its case: the case's events name it
    by its digest.
    """
    digests = _exported(request)
    stored = Artefact.objects.filter(sha256__in=digests.values(), kind__in=KINDS.values())
    by_digest = {row.sha256: row for row in stored.order_by("created_at")}
    return {name: by_digest[digest] for name, digest in digests.items() if digest in by_digest}


def stored_files(
    logged: Iterable[tuple[str, Mapping[str, object]]],
) -> tuple[set[str], list[tuple[Edition, str]]]:
    """Return which formats and editions of a case were stored, by its events as they were read.

    ``logged``: type and data of each event. Whether a file is still there shows when it is read.
    """
    formats, editions = set[str](), set[tuple[Edition, str]]()
    for kind, data in logged:
        if kind == "report_exported":
            formats.add(str(data["format"]))
        elif kind == "edition_exported":
            editions.add((Edition(str(data["edition"])), str(data["language"])))
    return formats, sorted(editions)


def _exported(request: ErasureRequest) -> dict[str, str]:
    leaves = LogLeaf.objects.filter(case_id=request.pk, type="report_exported").order_by("index")
    logged = [events.parse(bytes(leaf.data)).data for leaf in leaves]
    return {str(data["format"]): str(data["digest"]) for data in logged}
