"""10 million records x 1,000 independent random halves on PostgreSQL: the worst that can come.

    python benchmarks/lineage.py --halves-10m --json

Five thousand million memberships take minutes to write, so this is not part of the usual run. What
is not done after ``minutes`` is left out, and ``versions`` beside ``versions_wanted`` says so.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.installation import in_one, prepared, table_bytes
from benchmarks.lineage_store import SEED, SUBJECT, made_dataset, moment, some
from benchmarks.timing import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from pyroaring import BitMap

    from lineage.models import Dataset

_MINUTES = 5.0  # for taking snapshots; the tiles need about as long as half of them


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Return what is stored and how long questions take; quick is a tenth of the records."""
    size = {"records": 1_000_000 if quick else 10_000_000, "versions": 1_000, "minutes": _MINUTES}
    return in_one("postgresql", "benchmarks.lineage_large:here", size)


def here(records: int, versions: int, minutes: float) -> dict[str, Any]:
    """Fill and ask the database that is configured in this process."""
    prepared()
    from lineage.services.tiles import build_group  # noqa: PLC0415  (Django is set up now)

    dataset = made_dataset(records)
    sample = np.sort(np.random.default_rng(SEED).choice(records, 10 * SUBJECT, replace=False))
    started = time.perf_counter()
    edges, seconds, held = _taken(dataset, records, versions, sample, started + 60 * minutes)
    began = time.perf_counter()
    for group in range(-(-len(held) // 1024)):
        build_group(space=dataset.space, group=group, now=moment())
    tiling = time.perf_counter() - began
    chunks, tiles = (
        table_bytes(name) for name in ("lineage_snapshotchunk", "lineage_membershiptile")
    )
    return {
        **_right(dataset, sample, np.array(held)),
        "records": records,
        "versions": len(held),
        "versions_wanted": versions,
        "edges": edges,
        "ingest_edges_per_second": round(edges / seconds),
        "tiles_seconds": round(tiling, 1),
        "chunks_mb": round(chunks / 1e6, 1),
        "tiles_mb": round(tiles / 1e6, 1),
        "store_gb": round((chunks + tiles) / 1e9, 3),
        "bytes_per_edge": round((chunks + tiles) / edges, 4),
        **_times(dataset, records),
    }


def _taken(
    dataset: Dataset, records: int, versions: int, sample: NDArray[np.int64], until: float
) -> tuple[int, float, list[NDArray[np.bool_]]]:
    """Take the snapshots; return edges, seconds without drawing, and the truth of the sample."""
    from lineage.core.bitmaps import from_mask  # noqa: PLC0415
    from lineage.services.snapshots import take_snapshot  # noqa: PLC0415

    edges, seconds, held = 0, 0.0, []
    for at in range(versions):
        if time.perf_counter() > until:
            break
        drawn = np.frombuffer(np.random.default_rng([SEED, at]).bytes(-(-records // 8)), np.uint8)
        mask = np.unpackbits(drawn, count=records).view(np.bool_)
        held.append(mask[sample])
        started = time.perf_counter()
        taken = take_snapshot(dataset=dataset, ordinals=from_mask(mask), now=moment())
        seconds += time.perf_counter() - started
        edges += taken.record_count
    return edges, seconds, held


def _right(
    dataset: Dataset, sample: NDArray[np.int64], held: NDArray[np.bool_]
) -> dict[str, float]:
    """Compare answers about the sampled records with what was drawn."""
    from pyroaring import BitMap as Bits  # noqa: PLC0415

    from lineage.queries.membership import holding_of  # noqa: PLC0415

    found = holding_of(dataset.space, Bits(sample.tolist()))
    answer = np.zeros_like(held)
    for seq, hits in found.items():
        answer[seq] = np.isin(sample, hits.to_array())
    both = int((answer & held).sum())
    return {"recall": both / int(held.sum()), "precision": both / int(answer.sum())}


def _times(dataset: Dataset, records: int) -> dict[str, float]:
    from lineage.queries.membership import holding_of  # noqa: PLC0415

    def ask(asked: BitMap) -> object:
        return holding_of(dataset.space, asked)

    found: dict[str, float] = {}
    for name, count, repeats in (("one_record", 1, 1_000), ("subject100", SUBJECT, 200)):
        draw: Callable[[], BitMap] = some(records, count)
        (times,) = side_by_side(draw, [ask], repeats)
        found |= {f"{name}_{key}": value for key, value in times.items()}
    return found
