"""Look at a recording from outside: read its log, and find what must go after a replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unlearning.core.replay.ledger import name_of
from unlearning.core.replay.log import LogBroken, check_steps, genesis, verified
from unlearning.core.replay.store import NotStored

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from unlearning.core.replay.recording import Recording
    from unlearning.core.replay.store import Store


class NotASuccessor(ValueError):
    """A recording is not the replay of another."""


def rows(store: Store, recording: Recording) -> Iterator[dict[str, Any]]:
    """Yield the verified rows of the log of a recording.

    Raises:
        LogBroken: at the first row that is not the one written.
    """
    content, before = [], 0
    for chunk in recording.chunks:
        try:
            content.append(store.get(chunk.key))
        except NotStored as missing:
            raise LogBroken(before, f"{chunk.key} is missing") from missing
        before = chunk.rows
    yield from verified(
        b"".join(content),
        first=genesis(recording.binding),
        head=recording.head,
        rows=recording.rows,
    )


def check_log(store: Store, recording: Recording, secret: bytes) -> int:
    """Hold the log of a recording to its plans and holes; return how many steps it has.

    Raises:
        LogBroken: it was changed, or tells of other records than the plan has.
    """
    plans = [segment.plan for segment in recording.segments]
    found = check_steps(rows(store, recording), plans, frozenset(recording.holes), secret)
    expected = sum(plan.steps for plan in plans)
    if recording.digest and found != expected:
        raise LogBroken(recording.rows, f"it has {found} steps, and its plans have {expected}")
    return found


@dataclass(frozen=True, kw_only=True)
class Purge:
    """What still owes something to the records that a replay left out."""

    states: tuple[str, ...]
    versions: tuple[str, ...]


def to_purge(
    store: Store,
    origin: Recording,
    successor: Recording,
    *,
    version: str = "",
    children: Mapping[str, Collection[str]] | None = None,
) -> Purge:
    """Return the states and versions that must go once ``successor`` stands in for ``origin``.

    These are all states that the successor does not rest upon, those included that an interrupted
    run left unaccounted for; and the ``version`` that ``origin`` gave, with everything that
    ``children`` says was made from it, parents first.

    Raises:
        NotASuccessor: the successor has not ended, is another training or forgets nothing more.
    """
    grown = set(successor.holes) > set(origin.holes)
    if not successor.digest or successor.binding != origin.binding or not grown:
        raise NotASuccessor(
            f"The run {successor.run} is no finished replay of {origin.run} with more holes, so "
            f"nothing may be purged for it."
        )
    rests_on = {state.key for state in successor.states}
    found = {state.key for state in origin.states}
    found |= set(store.list(f"{name_of(origin)}/states/"))
    versions = _with_descendants(version, children or {}) if version else ()
    return Purge(states=tuple(sorted(found - rests_on)), versions=versions)


def _with_descendants(version: str, children: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    found = [version]
    for each in found:  # it grows while it is gone through
        found += [child for child in sorted(children.get(each, ())) if child not in found]
    return tuple(found)
