"""What an answer tells of a closed case: its versions, its places, its exceptions, its backups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.queries import case_file, ends
from audits.queries.exceptions import exceptions_of
from audits.queries.places import told
from audits.queries.told import who_received

if TYPE_CHECKING:
    from audits.models import ErasureRequest


def answer_context(request: ErasureRequest) -> dict[str, Any]:
    """Return the context of the answer to a case, as ``letter_values`` reads it."""
    found = told(request)
    left = [("MASKED", found["masked"]), ("KEPT", found["kept"])]
    return {
        "runs": case_file.ordered_runs(request),
        "record": getattr(request, "record", None),  # a refusal may be told before the seal
        "recipients": who_received(request),
        "places_erased": len(found["erased"]),
        "places": [{"name": one.location.slug, "why": why} for why, rows in left for one in rows],
        "backups": [{"name": one.name, "expires_on": one.expires_at} for one in found["backups"]],
        "exceptions": [
            {"what": f"{one.where}: {one.scope}", "reason": one.code, "until": one.until}
            for one in exceptions_of(request)
        ]
        + [
            {"what": str(one.version), "reason": one.code, "until": one.until}
            for one in ends.exceptions_of(request).values()
        ],
    }
