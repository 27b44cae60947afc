"""Find the ordinals of records by what a script outside knows: the person and the record's key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage import keys
from lineage.core.identifiers import IdentifierNotUsable, lookup_digest, record_digest
from lineage.models import DataRecord, SubjectIdentifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lineage.queries.training_view import TrainingView


@dataclass(frozen=True, kw_only=True)
class Named:
    """A record by its person's identifier and its key in the source."""

    kind: str
    subject: str
    key: str


def ordinals_in_view(view: TrainingView, names: Sequence[Named]) -> list[int | None]:
    """Return the ordinal of each record; None where the view does not hold it.

    Nothing tells a record that is restricted or erased from one that never was here.
    """
    people = _people(names)
    secrets = keys.get_many({name for _, name in people.values()})
    wanted: list[tuple[int, bytes] | None] = []
    for name in names:
        subject, key_name = people.get((name.kind, name.subject), (0, ""))
        secret = secrets.get(key_name)
        wanted.append((subject, record_digest(secret, name.key)) if secret else None)
    found = _found(view, [identity for identity in wanted if identity])
    usable = {identity: at for identity, at in found.items() if at in view.ordinals}
    return [usable.get(identity) if identity else None for identity in wanted]


def _people(names: Sequence[Named]) -> dict[tuple[str, str], tuple[int, str]]:
    """Return (subject, name of their key) by (kind, identifier as given)."""
    lookup = keys.get_or_create("lookup")
    digests: dict[tuple[str, str], tuple[str, str]] = {}
    for pair in {(name.kind, name.subject) for name in names}:
        try:
            digests[pair] = (pair[0], lookup_digest(lookup, *pair))
        except IdentifierNotUsable:
            continue
    rows = SubjectIdentifier.objects.filter(digest__in={digest for _, digest in digests.values()})
    owners = {
        (row.kind, row.digest): (row.subject_id, f"subject:{row.subject.pseudonym}")
        for row in rows.select_related("subject")
    }
    return {pair: owners[digest] for pair, digest in digests.items() if digest in owners}


def _found(
    view: TrainingView, identities: Sequence[tuple[int, bytes]]
) -> dict[tuple[int, bytes], int]:
    records = DataRecord.objects.filter(
        space=view.snapshot.space_id,
        subject__in={subject for subject, _ in identities},
        key_hmac__in=[digest for _, digest in identities],
    )
    rows = records.values_list("ordinal", "subject_id", "key_hmac")
    return {(subject or 0, bytes(digest or b"")): at for at, subject, digest in rows}
