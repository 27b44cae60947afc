"""Until when closed cases can say whose they were: what is due, kept longer, and gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from audits.models import CaseRetention, Decision, IdentityCheck, LegalHold
from audits.queries.beside import beside
from audits.queries.exceptions import exceptions_of
from audits.queries.holds import active_holds, holds_on
from audits.queries.identity import person_digests

if TYPE_CHECKING:
    from datetime import date

    from django.db.models import QuerySet

    from audits.models import ErasureRequest


def retention_of(request: ErasureRequest) -> CaseRetention | None:
    """Return until when a case is kept; None while it is open."""
    kept: CaseRetention | None = beside(request, "retention", "longer_by")
    return kept


def due(today: date) -> QuerySet[CaseRetention]:
    """Return what is not to be kept any more, the oldest first, legal holds apart."""
    over = Q(longer_until=None, until__lte=today) | Q(longer_until__lte=today)
    return _kept().filter(over).order_by("until", "pk")


def kept_longer(today: date) -> QuerySet[CaseRetention]:
    """Return what an administrator keeps longer than the outcome says."""
    return _kept().filter(longer_until__gt=today).order_by("longer_until", "pk")


def waiting(today: date) -> QuerySet[CaseRetention]:
    """Return the closed cases whose time has not come, the first to come first."""
    return _kept().filter(longer_until=None, until__gt=today).order_by("until", "pk")


def destroyed() -> QuerySet[CaseRetention]:
    """Return the cases that cannot say any more whose they were, the newest first."""
    found = CaseRetention.objects.exclude(key_destroyed_at=None).select_related("request")
    return found.order_by("-key_destroyed_at", "pk")


def proofs_left() -> list[str]:
    """Return the references of closed cases with a proof of identity that may still be there."""
    shown = IdentityCheck.objects.filter(method="DOCUMENT", proof_destroyed_at=None)
    closed = shown.filter(request__retention__isnull=False)
    return sorted(set(closed.values_list("request__reference", flat=True)))


def holds_on_person(request: ErasureRequest) -> list[LegalHold]:
    """Return the active holds on the person of a case, also after their address is forgotten."""
    if not active_holds().exclude(digest="").exists():
        return []
    known = person_digests(request)
    owned = {hold.pk for hold in holds_on(request) if hold.digest}
    return [hold for hold in active_holds() if hold.pk in owned or hold.digest in known]


def why_kept(request: ErasureRequest) -> list[str]:
    """Return the codes of what postpones the end, beside an administrator's decision.

    ``EXCEPTION``: records of the person are kept under Art. 17(3), here or at a place, or wait for
    whoever erases them; who they belong to must be known until then.
    """
    found = ["LEGAL_HOLD"] if holds_on_person(request) else []
    return found + (["EXCEPTION"] if _keeps_apart(request) else [])


def _keeps_apart(request: ErasureRequest) -> bool:
    if not request.loaded_whole:
        return exceptions_of(request).filter(followed_by=None).exists()
    done = [one for one in request.decisions.all() if one.state == Decision.State.APPROVED]
    return any(one.followed_by_id is None for each in done for one in each.exceptions.all())


def _kept() -> QuerySet[CaseRetention]:
    return CaseRetention.objects.filter(key_destroyed_at=None).select_related("request")
