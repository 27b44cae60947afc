"""The log for reading: pages of events by their index, one event with its proof, checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from audits.core import events, ledger
from audits.core.ledger import NotProven
from audits.core.proof import parse_proof
from audits.models import ErasureRequest, LogCheckpoint, LogLeaf
from audits.queries import log_proofs
from audits.queries.log_tree import SubtreeMissing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

PER_PAGE = 50
WHY_NOT: Mapping[str, str] = MappingProxyType(
    {"OTHER_BYTES": "The bytes of this event do not have the hash that was logged."}
)


@dataclass(frozen=True, kw_only=True)
class Logged:
    """One event; ``reference`` is that of its case, empty where there is none or it is gone."""

    index: int
    at: datetime
    type: str
    actor: str
    case: UUID | None
    reference: str
    data: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class LogPage:
    """Some events, the newest first, and the indices to go on from; None at the ends."""

    events: tuple[Logged, ...]
    older: int | None
    newer: int | None


@dataclass(frozen=True, kw_only=True)
class Proven:
    """One event as it is hashed, and how it is proven under the newest checkpoint.

    ``path`` is from the leaf's sibling up; ``why_not`` says why there is no proof, and ``altered``
    that this is because the log is not what was signed.
    """

    event: Logged
    raw: bytes
    leaf_hash: bytes
    checkpoint: LogCheckpoint | None
    path: tuple[bytes, ...] = ()
    why_not: str = ""
    altered: bool = False

    @property
    def last_signed(self) -> int | None:
        """Return the index of the last event under the newest checkpoint; None without one."""
        return self.checkpoint.size - 1 if self.checkpoint else None


def page_of(*, before: int | None = None, case: UUID | None = None, kind: str = "") -> LogPage:
    """Return events below an index, or the newest, of one case or type where they are given.

    Pages go by the index and not by an offset: the last page costs what the first does, and what
    is logged meanwhile moves nothing.
    """
    found = LogLeaf.objects.order_by("-index")
    if case:
        found = found.filter(case_id=case)
    if kind:
        found = found.filter(type=kind)
    below = found.filter(index__lt=before) if before is not None else found
    leaves = list(below[: PER_PAGE + 1])
    newer = None
    if before is not None:
        above = found.filter(index__gte=before).order_by("index")
        start = list(above.values_list("index", flat=True)[:PER_PAGE])
        newer = start[-1] + 1 if start else None
    shown = leaves[:PER_PAGE]
    return LogPage(
        events=tuple(_logged(shown)),
        older=shown[-1].index if len(leaves) > PER_PAGE else None,
        newer=newer,
    )


def case_called(reference: str) -> UUID | None:
    """Return the case with that reference; None if there is none."""
    known = ErasureRequest.objects.filter(reference__iexact=reference)
    return known.values_list("pk", flat=True).first()


def proven(leaf: LogLeaf) -> Proven:
    """Return an event with its proof under the newest checkpoint, once it verifies."""
    raw, hashed = bytes(leaf.data), bytes(leaf.leaf_hash)
    newest = LogCheckpoint.objects.order_by("-size").first()
    path: tuple[bytes, ...] = ()
    why_not, altered = "", False
    try:
        path = parse_proof(log_proofs.tlog_proof(leaf.index, log_proofs.newest_checkpoint())).path
        if ledger.leaf_hash(raw) != hashed:
            why_not, altered = WHY_NOT["OTHER_BYTES"], True
    except log_proofs.NotSignedYet as error:
        why_not = str(error)
    except (NotProven, SubtreeMissing) as error:
        why_not, altered = str(error), True
    return Proven(
        event=_logged([leaf])[0],
        raw=raw,
        leaf_hash=hashed,
        checkpoint=newest,
        path=path,
        why_not=why_not,
        altered=altered,
    )


def _logged(leaves: list[LogLeaf]) -> list[Logged]:
    cases = {leaf.case_id for leaf in leaves if leaf.case_id}
    known = ErasureRequest.objects.filter(pk__in=cases)
    references = dict(known.values_list("pk", "reference")) if cases else {}
    return [_read(leaf, references) for leaf in leaves]


def _read(leaf: LogLeaf, references: Mapping[UUID, str]) -> Logged:
    """Return one event; of bytes that are none, what the columns beside them say."""
    try:
        event = events.parse(bytes(leaf.data))
        actor, data = event.actor, event.data
    except events.EventRefused:
        actor, data = "unreadable", {}
    return Logged(
        index=leaf.index,
        at=leaf.at,
        type=leaf.type,
        actor=actor,
        case=leaf.case_id,
        reference=references.get(leaf.case_id, "") if leaf.case_id else "",
        data=data,
    )
