"""Keep what an import found to be alike under two targets, and hold back what staff must look at.

A held record is stored like any other, and restricted: no training view serves it, and an erasure
of its person finds it. Its restriction is that of no case but of the space.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import transaction
from pyroaring import BitMap

from lineage.core.bitmaps import decode, encode
from lineage.core.worded import worded
from lineage.models import LabelConflict, OrdinalSpace, Restriction
from lineage.services.journal import write_journal
from lineage.services.locking import lock_space
from lineage.services.purge import erase_records
from lineage.services.restriction import restrict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from lineage.services.import_rows import Conflict
    from lineage.services.purge import Receipt

S = LabelConflict.State


class NotHeld(ValueError):
    """The record is not (any more) what was asked about; the sentence says what it is."""


def hold_id(space: OrdinalSpace) -> uuid.UUID:
    """Return under which id records of a space are held back."""
    return uuid.uuid5(space.public_id, "label-conflicts")


def keep_conflicts(
    *,
    space: OrdinalSpace,
    conflicts: Sequence[Conflict],
    placed: Mapping[int, int],
    now: datetime,
) -> int:
    """Keep which stored rows conflict, and hold back those that are to be; return how many.

    Args:
        space: of the rows; its lock is held.
        conflicts: of one portion.
        placed: the ordinal of each line that was stored, of this portion and of those before.
        now: when they came in.
    """
    stored = [one for one in conflicts if one.line in placed]
    LabelConflict.objects.bulk_create(
        LabelConflict(
            space=space,
            ordinal=placed[one.line],
            other_ordinal=_other(one, placed),
            distance=one.distance,
            state=S.HELD if one.held else S.KEPT,
            found_at=now,
        )
        for one in stored
    )
    held = BitMap(placed[one.line] for one in stored if one.held)
    if held:
        restrict(case_id=hold_id(space), space=space, ordinals=held, now=now)
    return len(held)


def _other(conflict: Conflict, placed: Mapping[int, int]) -> int | None:
    kind, number = conflict.other.split()
    return int(number) if kind == "record" else placed.get(int(number))


@transaction.atomic
def release(*, conflict_id: uuid.UUID) -> LabelConflict:
    """Let training have a held record from now on; of one that came in, note that it is right.

    Raises:
        NotHeld: it was settled before.
    """
    found = _locked(conflict_id, S.HELD, S.KEPT)
    if found.state == S.HELD:
        _let_go(found)
    found.state = S.RELEASED
    found.save(update_fields=["state"])
    return found


def drop(*, conflict_id: uuid.UUID, now: datetime, hard: bool = False) -> Receipt:
    """Erase a held record; it stays barred until nothing is left. Again, it does what is missing.

    Raises:
        NotHeld: it is not held.
        JournalFull, JournalMissing: nothing was erased.
    """
    with transaction.atomic():
        found = _locked(conflict_id, S.HELD)
    gone = BitMap([found.ordinal])
    write_journal(case_id=found.pk, space=found.space, ordinals=gone, now=now)
    return erase_records(case_id=found.pk, space=found.space, ordinals=gone, now=now, hard=hard)


def _locked(conflict_id: uuid.UUID, *states: str) -> LabelConflict:
    found = LabelConflict.objects.select_for_update(of=("self",)).select_related("space")
    conflict = found.filter(pk=conflict_id).first()
    if conflict is None:
        raise NotHeld(worded("The record was erased since, or dropped by somebody else."))
    if conflict.state not in states:
        raise NotHeld(
            worded(
                "Record %(ordinal)s of %(name)s is %(state)s; allowed is one that is %(either)s.",
                ordinal=conflict.ordinal,
                name=conflict.space.name,
                state=conflict.get_state_display().lower(),
                either=" or ".join(S(one).label.lower() for one in states),
            )
        )
    return conflict


def _let_go(conflict: LabelConflict) -> None:
    # The same lock as for a restriction: a run either sees this or does not.
    lock_space(conflict.space_id)
    hold = Restriction.objects.select_for_update().get(
        space=conflict.space, case_id=hold_id(conflict.space)
    )
    hold.bitmap = encode(decode(bytes(hold.bitmap)) - BitMap([conflict.ordinal]))
    hold.save(update_fields=["bitmap"])
