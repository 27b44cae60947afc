"""Look, as rows come in, for records that they equal or resemble under another target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings

from lineage.core.label_conflicts import Resembling, conflicting
from lineage.core.pictures import SIDE, thumbnail
from lineage.models import OrdinalSpace
from lineage.queries.label_conflicts import TooManyPictures, pictures, same_bytes
from lineage.services.import_rows import Conflict

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from numpy.typing import NDArray

    from lineage.services.import_rows import CheckedRow

KEEP, HOLD, IGNORE = "KEEP", "HOLD", "IGNORE"


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """Pictures, (n, 16, 16), with targets and what to call them; new ones with their lines."""

    small: NDArray[np.float32]
    targets: Sequence[str]
    names: Sequence[str]
    lines: Sequence[int] = ()

    def without(self, lines: Container[int]) -> _Seen:
        """Return the pictures of the other lines."""
        kept = [at for at, line in enumerate(self.lines) if line not in lines]
        return _Seen(
            small=self.small[kept],
            targets=[self.targets[at] for at in kept],
            names=[self.names[at] for at in kept],
        )


@dataclass(kw_only=True)
class ConflictSearch:
    """The search of one import into one space.

    Equal contents are found by their digest. Pictures (media type image/...) are made small and
    compared with those of the space, and with the rows before; of anything else only the recipe of
    a model knows what is close. What another import stores meanwhile is not seen.
    ``placed`` is the ordinal of each line that was stored.
    """

    space_id: int
    hold: bool
    threshold: float
    most: int
    left_out: bool = False
    placed: dict[int, int] = field(default_factory=dict, repr=False)
    _seen: list[_Seen] | None = field(default=None, repr=False)

    def of(self, rows: Sequence[CheckedRow]) -> list[Conflict]:
        """Return the conflicts of the rows of one portion, by line, and remember its pictures."""
        labelled = [row for row in rows if row.content is not None and row.target]
        if not labelled:
            return []
        shown = _pictures(labelled)
        found = self._resembling(shown) | self._equal(labelled)
        if shown.lines and self._seen is not None and not self.left_out:
            self._seen.append(shown.without(found if self.hold else ()))
        return [found[line] for line in sorted(found)]

    def _equal(self, rows: Sequence[CheckedRow]) -> dict[int, Conflict]:
        there = same_bytes(self.space_id, {row.sha256 for row in rows})
        names = {
            digest: [(target, f"record {ordinal}") for ordinal, target in sorted(known)]
            for digest, known in there.items()
        }
        found: dict[int, Conflict] = {}
        for row in rows:
            known = names.setdefault(row.sha256, [])
            other = next((name for target, name in known if target != row.target), None)
            if other is not None:
                found[row.line] = self._conflict(row.line, other, 0.0)
            if other is None or not self.hold:
                known.append((row.target, f"line {row.line}"))
        return found

    def _resembling(self, fresh: _Seen) -> dict[int, Conflict]:
        found: dict[int, Conflict] = {}
        kept = self._kept(len(fresh.lines)) if fresh.lines else None
        for block in () if kept is None else (*kept, fresh):
            for pair in _between(fresh, block, self.threshold):
                line, other = fresh.lines[pair.new], block.names[pair.other]
                before = found.get(line)
                if before is None or pair.distance < before.distance:
                    found[line] = self._conflict(line, other, pair.distance)
        return found

    def _conflict(self, line: int, other: str, distance: float) -> Conflict:
        return Conflict(line=line, other=other, distance=distance, held=self.hold)

    def _kept(self, more: int) -> list[_Seen] | None:
        """Return the pictures there are; None where they would be too many to compare."""
        if self._seen is None and not self.left_out:
            space = OrdinalSpace.objects.get(pk=self.space_id)
            try:
                self._seen = [
                    _Seen(
                        small=block.small,
                        targets=block.targets,
                        names=[f"record {ordinal}" for ordinal in block.ordinals],
                    )
                    for block in pictures(space, most=self.most)
                ]
            except TooManyPictures:
                self.left_out = True
        if self._seen and sum(len(one.names) for one in self._seen) + more > self.most:
            self.left_out = True
        return None if self.left_out else self._seen


def _between(fresh: _Seen, block: _Seen, threshold: float) -> list[Resembling]:
    """Return the conflicts of new rows with a block; in their own, with the rows before alone."""
    if block is not fresh:
        return conflicting(
            fresh.small, fresh.targets, block.small, block.targets, threshold=threshold
        )
    found = []
    for at in range(1, len(fresh.lines)):
        pairs = conflicting(
            fresh.small[at : at + 1],
            fresh.targets[at : at + 1],
            fresh.small[:at],
            fresh.targets[:at],
            threshold=threshold,
        )
        found += [Resembling(new=at, other=pair.other, distance=pair.distance) for pair in pairs]
    return found


def conflict_search(space_id: int) -> ConflictSearch | None:
    """Return the search that the settings ask for; None where they ask for none."""
    if settings.EXPUNGE_LABEL_CONFLICTS == IGNORE:
        return None
    return ConflictSearch(
        space_id=space_id,
        hold=settings.EXPUNGE_LABEL_CONFLICTS == HOLD,
        threshold=settings.EXPUNGE_LABEL_CONFLICT_DISTANCE,
        most=settings.EXPUNGE_LABEL_CONFLICT_RECORDS,
    )


def _pictures(rows: Sequence[CheckedRow]) -> _Seen:
    shown = [
        (row, small)
        for row in rows
        if row.media_type.startswith("image/")
        and (small := thumbnail(row.content or b"")) is not None
    ]
    none = np.zeros((0, SIDE, SIDE), np.float32)
    return _Seen(
        small=np.stack([small for _, small in shown]) if shown else none,
        targets=[row.target for row, _ in shown],
        names=[f"line {row.line}" for row, _ in shown],
        lines=[row.line for row, _ in shown],
    )
