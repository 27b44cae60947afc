"""Whose cases are: the sealed addresses, and the digests by which a legal hold finds a person."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from audits.core import events, sealing
from audits.models import CaseRetention, ErasureRequest, LogLeaf, PersonalDetails
from audits.models.case_secrets import NotReadable, key_name, seal, unseal
from audits.queries.beside import beside
from lineage import keys
from lineage.core.identifiers import EMAIL, IdentifierNotUsable, lookup_digest

if TYPE_CHECKING:
    from uuid import UUID

PERSON = "person"
ADDRESS = "erasurerequest.email"


def of_address(address: str) -> list[UUID]:
    """Return the cases that were sent from an e-mail address and still know it.

    Every address that is not forgotten is opened: there is no index over what is sealed.
    """
    rows = dict(ErasureRequest.objects.exclude(email="").values_list("pk", "email"))
    secrets = keys.get_many(key_name(pk) for pk in rows)
    wanted = address.casefold()
    found = []
    for pk, stored in rows.items():
        if secret := secrets.get(key_name(pk)):
            opened = sealing.unseal(secret, case=str(pk), field=ADDRESS, sealed=bytes(stored))
            if opened.decode().casefold() == wanted:
                found.append(pk)
    return found


def person_digests(request: ErasureRequest) -> set[str]:
    """Return the keyed digests of all that a case knows a person by, and knew when it closed."""
    found = _stated(request)
    if request.subject:
        found |= set(request.subject.identifiers.values_list("digest", flat=True))
    kept = CaseRetention.objects.filter(request=request).exclude(person=b"").first()
    if kept:
        try:
            found |= set(json.loads(unseal(request.pk, PERSON, bytes(kept.person))))
        except NotReadable:
            return found
    return found


def known_by(request: ErasureRequest) -> list[tuple[str, str]]:
    """Return kind and value of all that a person may be looked for by, the address first.

    What was stated beside the address counts only once staff have checked identity since: else
    somebody could have another person erased by stating that one's number.
    """
    known = [(EMAIL, request.email)] if request.email else []
    stated = _identifiers(request)
    return known + stated[: len(stated) - _unchecked(request, stated)]


def has_unchecked(request: ErasureRequest) -> bool:
    """Return whether something was stated that counts only once staff have checked identity."""
    return _unchecked(request, _identifiers(request)) > 0


def _unchecked(request: ErasureRequest, stated: list[tuple[str, str]]) -> int:
    """Return how many of the identifiers, the last ones, nobody has checked since they came."""
    if not stated:
        return 0
    own = LogLeaf.objects.filter(case_id=request.pk)
    checked = own.filter(type="identity_checked").order_by("index").last()
    if checked is None:
        return len(stated)
    # The log says which came first, also where two clocks differ.
    later = own.filter(type="info_received", index__gt=checked.index)
    counts = (events.parse(bytes(leaf.data)).data["identifiers"] for leaf in later)
    return sum(cast("int", count) for count in counts)


def _identifiers(request: ErasureRequest) -> list[tuple[str, str]]:
    details: PersonalDetails | None = beside(request, "details")
    return [(kind, value) for kind, value in (details.identifiers if details else [])]


def checked_digests(request: ErasureRequest) -> set[str]:
    """Return the keyed digests of what a person may be looked for by, and of what we know of them.

    Not of what nobody has checked: it may be somebody else's.
    """
    found = _digests(known_by(request))
    if request.subject:
        found |= set(request.subject.identifiers.values_list("digest", flat=True))
    return found


def sealed_person(request: ErasureRequest) -> bytes:
    """Return the digests, sealed with the key of the case; nothing where nobody is known."""
    digests = sorted(person_digests(request))
    return seal(request.pk, PERSON, json.dumps(digests).encode()) if digests else b""


def _stated(request: ErasureRequest) -> set[str]:
    return _digests([(EMAIL, request.email), *_identifiers(request)])


def _digests(pairs: list[tuple[str, str]]) -> set[str]:
    secret = keys.get_or_create("lookup")
    found = set()
    for kind, value in pairs:
        try:
            found.add(lookup_digest(secret, kind, value))
        except IdentifierNotUsable:
            continue  # an address that is not there
    return found
