"""What somebody outside wrote may be a snapshot of ours: nobody knows, so it is only possible.

The members of our own snapshots are known, and no word from outside adds to them. But such a data
set may have been prepared outside before it was imported, and then more came with it than its
records say. So what is trained on it is possibly affected, for people to judge.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from lineage.core.graph import Edge
from lineage.core.influence import carried
from lineage.core.told_states import UNKNOWN, State
from lineage.models import (
    DatasetSnapshot,
    Influence,
    LineageNode,
    Role,
    RunOutput,
    SnapshotSupersession,
)
from lineage.queries.edges import edges_below
from lineage.queries.nodes import nodes_of
from lineage.queries.reach import cuts_of
from lineage.queries.told import TOLD_STATE

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Iterator, Mapping

    from lineage.queries.reach import Reach


class Written(NamedTuple):
    """A state of a data set that somebody outside wrote."""

    dataset: uuid.UUID
    state: State


def possibly_reached(reach: Reach, written: Mapping[int, Written] | None = None) -> set[int]:
    """Return the nodes that records act on if what was written outside is a snapshot of ours.

    Those on which they act in any case are among them, or none where there is no such snapshot.
    """
    edges = with_possible(reach.acting.keys(), reach.edges, written)
    if len(edges) == len(set(reach.edges)):
        return set()
    cuts = cuts_of(reach.removed, sorted(edges))
    flow = carried(sorted(edges), reach.held, cuts, reach.arrived)
    return {node for node, hits in flow.acting.items() if hits and node >= 0}


def with_possible(
    nodes: Iterable[int], edges: Iterable[Edge], written: Mapping[int, Written] | None = None
) -> set[Edge]:
    """Return edges below some nodes with those that are merely possible, and all below these.

    A number below 0 stands for "any snapshot that we took of a data set".

    Args:
        nodes: all that is reached so far.
        edges: all below them.
        written: of ``written_outside``, where it was asked before.
    """
    found, known = set(edges), set[int]()
    written = written_outside() if written is None else written
    waiting = written.keys() & nodes
    while waiting:
        known |= waiting
        fresh = set(_may_be_ours({node: written[node] for node in waiting}))
        found |= fresh
        found |= set(edges_below({edge.dst for edge in fresh if edge.dst >= 0}))
        waiting = (written.keys() & {edge.dst for edge in found}) - known
    return found


def written_outside() -> dict[int, Written]:
    """Return the states of data sets that somebody outside wrote, by node."""
    outputs = RunOutput.objects.filter(node__kind=LineageNode.Kind.SNAPSHOT)
    told = DatasetSnapshot.objects.filter(
        external_version__startswith=UNKNOWN, id__in=outputs.values("node__object_id")
    )
    rows = told.values_list("id", "dataset_id", "external_version", "digest")
    found = {pk: Written(dataset, State(text, digest)) for pk, dataset, text, digest in rows}
    return {node: found[pk] for pk, node in nodes_of(found).items()}


def _may_be_ours(written: Mapping[int, Written]) -> Iterator[Edge]:
    """Yield edges from what was written to our snapshots that it may be, and to parts of them."""
    outside: dict[uuid.UUID, dict[int, State]] = defaultdict(dict)
    for node, one in written.items():
        outside[one.dataset][node] = one.state
    for dataset, ours in _ours(outside).items():
        called = _by_name(ours)
        alike = {
            node: [pk for name in state.names for pk in called.get(name, ())]
            for node, state in outside[dataset].items()
        }
        # Also under what looks like a digest of ours: another tool's may be of the same data.
        unclear = [node for node, named in alike.items() if not named]
        if unclear:  # one node between, or there would be too many edges
            anything = -min(unclear)
            yield from (_edge(node, anything) for node in unclear)
            yield from (_edge(anything, own) for own in _with_parts(ours))
        for node in alike.keys() - set(unclear):
            yield from (_edge(node, own) for own in _with_parts(alike[node]))


def _by_name(ours: Mapping[uuid.UUID, State]) -> dict[str, list[uuid.UUID]]:
    """Return the snapshots that each name means."""
    called: dict[str, list[uuid.UUID]] = defaultdict(list)
    for pk, own in ours.items():
        for name in own.names:
            called[name].append(pk)
    return called


def _edge(source: int, target: int) -> Edge:
    # As source data: what came to it goes on, and nothing that it holds.
    return Edge(source, target, Role.SOURCE_DATA, Influence.NONE)


def _ours(datasets: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[uuid.UUID, State]]:
    """Return, by data set, our own snapshots, and what each is called or was before a purge."""
    taken = DatasetSnapshot.objects.filter(dataset__in=list(datasets)).exclude(TOLD_STATE)
    before: dict[uuid.UUID, list[str]] = defaultdict(list)
    rewritten = SnapshotSupersession.objects.filter(snapshot__in=taken)
    for pk, digest in rewritten.values_list("snapshot_id", "previous_digest"):
        before[pk].append(digest)
    found: dict[uuid.UUID, dict[uuid.UUID, State]] = defaultdict(dict)
    named = taken.values_list("dataset_id", "id", "external_version", "digest")
    for dataset, pk, text, digest in named:
        found[dataset][pk] = State(text, digest, tuple(before[pk]))
    return found


def _with_parts(snapshots: Iterable[uuid.UUID]) -> set[int]:
    """Return the nodes of some snapshots and of all that was selected from them."""
    whole = waiting = set(snapshots)
    while waiting:
        parts = DatasetSnapshot.objects.filter(parent__in=waiting).values_list("id", flat=True)
        waiting = set(parts) - whole
        whole = whole | waiting
    return set(nodes_of(whole).values())
