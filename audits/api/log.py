"""The signed state of the log, and proofs from it: plain text in the formats of C2SP.

Nothing here is personal data, and no event is shown: whoever asks for a proof has the event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from ninja import Router

from audits.core.ledger import NotProven, OutsideTree
from audits.queries import log_proofs
from audits.queries.log_tree import SubtreeMissing
from lineage.api.auth import Scope

if TYPE_CHECKING:
    from django.http import HttpRequest

router = Router(auth=Scope("log:read"), tags=["log"])
PLAIN = "text/plain; charset=utf-8"
ERRORS: dict[type[Exception], int] = {
    log_proofs.NotSignedYet: 404,
    OutsideTree: 404,
    NotProven: 500,
    SubtreeMissing: 500,
}


TEXT = {
    "responses": {
        200: {
            "description": "Plain text.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    }
}


@router.get("/checkpoint", operation_id="newest_checkpoint", openapi_extra=TEXT)
def checkpoint(request: HttpRequest) -> HttpResponse:
    """Return the newest checkpoint, a C2SP signed note: origin, size, root, signature."""
    return HttpResponse(log_proofs.newest_checkpoint().note, content_type=PLAIN)


@router.get("/proof/{index}", operation_id="prove_event", openapi_extra=TEXT)
def proof(request: HttpRequest, index: int) -> HttpResponse:
    """Return the C2SP tlog-proof of one event under the newest checkpoint."""
    newest = log_proofs.newest_checkpoint()
    return HttpResponse(log_proofs.tlog_proof(index, newest), content_type=PLAIN)


@router.get("/consistency/{older}", operation_id="prove_consistency", openapi_extra=TEXT)
def consistency(request: HttpRequest, older: int) -> HttpResponse:
    """Return the proof that the newest checkpoint extends one of size ``older``.

    One base64 hash a line (RFC 9162 2.1.4.1).
    """
    newest = log_proofs.newest_checkpoint()
    return HttpResponse(log_proofs.consistency(older, newest), content_type=PLAIN)
