"""Register people and the identifiers by which they are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from lineage import keys
from lineage.core.identifiers import lookup_digest, suppression_digest
from lineage.models import DataSubject, SubjectIdentifier

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Mapping
    from datetime import datetime


class IdentifiersDisagree(ValueError):
    """The identifiers given for one person belong to several people."""


def key_name(pseudonym: uuid.UUID) -> str:
    """Return the name under which the key store keeps a person's key."""
    return f"subject:{pseudonym}"


def register_subject(*, identifiers: Mapping[str, str], now: datetime) -> DataSubject:
    """Return the person with these identifiers, made if nobody has any of them.

    Args:
        identifiers: by kind, ``{"EMAIL": ..., "EXTERNAL": ...}``; at least one. Those that the
            person does not have yet are added.
        now: when the person became known.

    Raises:
        IdentifierNotUsable: an identifier cannot be normalised.
        IdentifiersDisagree: none is given, or they belong to different people.
    """
    key = keys.get_or_create("lookup")
    wanted = [(kind, lookup_digest(key, kind, value)) for kind, value in identifiers.items()]
    with transaction.atomic():
        owners = ensure_subjects(digests=wanted[:1], now=now)
        if len(owners) != 1:
            raise IdentifiersDisagree("A person needs at least one identifier; none was given.")
        subject_id = owners[wanted[0]].id
        SubjectIdentifier.objects.bulk_create(
            [
                SubjectIdentifier(subject_id=subject_id, kind=kind, digest=digest)
                for kind, digest in wanted[1:]
            ],
            ignore_conflicts=True,
        )
        if {owner.id for owner in _owners(wanted).values()} != {subject_id}:
            raise IdentifiersDisagree(
                f"The identifiers of kinds {', '.join(identifiers)} belong to different people."
            )
    return DataSubject.objects.get(id=subject_id)


def ensure_subjects(
    *, digests: Iterable[tuple[str, str]], now: datetime
) -> dict[tuple[str, str], DataSubject]:
    """Return who has each (kind, lookup digest); people are made for those that nobody has.

    Safe when several processes register the same people at once: the first one wins, the
    others take what it made.
    """
    wanted = sorted(set(digests))  # one order for everybody, so that no two wait for each other
    owners = _owners(wanted)
    missing = [pair for pair in wanted if pair not in owners]
    if not missing:
        return owners
    made = [DataSubject(created_at=now) for _ in missing]
    keys.get_or_create_many(key_name(subject.pseudonym) for subject in made)
    with transaction.atomic():
        DataSubject.objects.bulk_create(made)
        SubjectIdentifier.objects.bulk_create(
            [
                SubjectIdentifier(subject=subject, kind=kind, digest=digest)
                for subject, (kind, digest) in zip(made, missing, strict=True)
            ],
            ignore_conflicts=True,
        )
        owners = _owners(wanted)
        taken = {owner.pseudonym for owner in owners.values()}
        unused = [subject.pseudonym for subject in made if subject.pseudonym not in taken]
        DataSubject.objects.filter(pseudonym__in=unused).delete()
    for pseudonym in unused:
        keys.destroy(key_name(pseudonym))
    return owners


def _owners(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], DataSubject]:
    wanted = set(pairs)
    rows = SubjectIdentifier.objects.filter(digest__in={digest for _, digest in wanted})
    found = {(row.kind, row.digest): row.subject for row in rows.select_related("subject")}
    return {pair: subject for pair, subject in found.items() if pair in wanted}


def suppression_names(digests: Iterable[str]) -> dict[str, str]:
    """Return, by lookup digest, the name that the key store holds when its person is suppressed.

    The suppression list is a set of names in the key store, ``suppress:<digest>``: it is
    pseudonymous personal data under a key of its own, with its own retention, and no part of
    the database or its backups. Under such a name the day is stored on which it was added.
    """
    key = keys.get_or_create("suppression")
    return {digest: f"suppress:{suppression_digest(key, digest)}" for digest in digests}


def suppressed(digests: Iterable[str]) -> set[str]:
    """Return those lookup digests whose person must not be registered again."""
    names = suppression_names(digests)
    barred = keys.get_many(names.values())
    return {digest for digest, name in names.items() if name in barred}
