"""What was proposed and decided about a case, and who may have a hand in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from audits.models import Decision, ErasureRequest, Intake, OperatorCase
from audits.queries.accounts import accounts_of, address_of_account
from audits.queries.beside import beside
from audits.queries.identity import of_address, person_digests
from lineage import keys
from lineage.core.identifiers import EMAIL, lookup_digest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from django.contrib.auth.models import User
    from django.db.models import QuerySet


def proposed(request: ErasureRequest) -> Decision | None:
    """Return the decision that waits for a second person."""
    return next((one for one in _all(request) if one.state == Decision.State.PROPOSED), None)


def lacks_mandate(request: ErasureRequest) -> bool:
    """Return whether somebody asks for the person whose mandate nobody has seen."""
    intake: Intake | None = beside(request, "intake")
    return bool(intake and intake.by_agent and not intake.mandate_seen)


def decided(request: ErasureRequest) -> Decision | None:
    """Return the decision that was carried out."""
    done = [one for one in _all(request) if one.state == Decision.State.APPROVED]
    return max(done, key=lambda one: one.approved_at or one.proposed_at, default=None)


def sent_back(request: ErasureRequest) -> Decision | None:
    """Return the last proposal, if it was sent back."""
    last = max(_all(request), key=lambda one: one.proposed_at, default=None)
    return last if last and last.state == Decision.State.RETURNED else None


def _all(request: ErasureRequest) -> Iterable[Decision]:
    """Return the decisions of a case, with who took them."""
    if request.loaded_whole:
        return request.decisions.all()
    return request.decisions.select_related("proposed_by", "approved_by", "returned_by")


def earlier_requests(request: ErasureRequest) -> QuerySet[ErasureRequest]:
    """Return the other requests of the same person, the newest first.

    A person who was erased before is not known any more, and neither are their requests.
    """
    same = Q(pk__in=[])
    if request.subject_id:
        same |= Q(subject_id=request.subject_id)
    if request.email:
        same |= Q(pk__in=of_address(request.email))
    found = ErasureRequest.objects.filter(same, operator_case=None).exclude(pk=request.pk)
    return found.order_by("-received_at")


def is_own_request(request: ErasureRequest, user: User) -> bool:
    """Return whether a case is about the member of staff, by the address of their account.

    Every address that was stated counts, checked or not.
    """
    address = address_of_account(user)
    if not address:
        return False  # an account without an address is nobody's in particular
    digest = lookup_digest(keys.get_or_create("lookup"), EMAIL, address)
    return digest in person_digests(request)


def approved_by(case_id: UUID, user: User) -> bool:
    """Return whether somebody approved a case, or the one that it follows on from."""
    seen: set[UUID] = set()
    who = accounts_of(user)
    current: UUID | None = case_id
    while current and current not in seen:
        seen.add(current)
        following = ErasureRequest.objects.filter(pk=current).values_list("linked_to", flat=True)
        current = following.first()
    return (
        Decision.objects.filter(request__in=seen, approved_by__in=who).exists()
        or OperatorCase.objects.filter(request__in=seen, approved_by__in=who).exists()
    )
