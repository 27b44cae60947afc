"""The people of an import, looked up once and remembered while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lineage import keys
from lineage.services.subjects import ensure_subjects, key_name, suppressed
from lineage.services.suppression import note_hits

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

_MOST = 500_000  # people remembered, about 200 MB
_Pair = tuple[str, str]  # kind and lookup digest
SUPPRESSED = "The person of the row asked to be erased and must not be imported again."
ERASED = "The person of the row was erased, so their records cannot be stored."


@dataclass(frozen=True, slots=True)
class Owner:
    """A person and the key under which their records' keys are digested.

    Whoever is erased meanwhile is noticed when the records are stored: the person's row is
    locked and looked at again then.
    """

    id: int
    secret: bytes = field(repr=False)


class Owners:
    """Looks people up by (kind, lookup digest); makes those that nobody knows."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._known: dict[_Pair, Owner | str] = {}

    def of(self, pairs: Iterable[_Pair]) -> dict[_Pair, Owner | str]:
        """Return each person, or the sentence why their records are refused."""
        wanted = set(pairs)
        if len(self._known) > _MOST:
            self._known.clear()
        if missing := wanted - self._known.keys():
            self._known |= self._looked_up(missing)
        return {pair: self._known[pair] for pair in wanted}

    def _looked_up(self, pairs: set[_Pair]) -> dict[_Pair, Owner | str]:
        barred = suppressed({digest for _, digest in pairs})
        note_hits(people=len(barred), day=self._now.date())
        allowed = [pair for pair in pairs if pair[1] not in barred]
        people = ensure_subjects(digests=allowed, now=self._now)
        secrets = keys.get_many(key_name(person.pseudonym) for person in people.values())
        found: dict[_Pair, Owner | str] = {pair: SUPPRESSED for pair in pairs if pair[1] in barred}
        for pair in allowed:
            person = people[pair]
            secret = secrets.get(key_name(person.pseudonym))
            found[pair] = Owner(person.id, secret) if secret else ERASED
        return found
