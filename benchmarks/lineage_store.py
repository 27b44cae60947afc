"""Membership in our layout: random halves on either engine, and an evolving data set."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.installation import prepared, table_bytes
from benchmarks.lineage_join import ask_join, joined
from benchmarks.timing import repeated, side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray
    from pyroaring import BitMap

    from lineage.models import Dataset, DatasetSnapshot

SUBJECT = 100  # records of the person that is asked for
SEED = 1


def halves(records: int, versions: int) -> dict[str, Any]:
    """Each version an independent random half of the records; on PostgreSQL beside join tables."""
    prepared()
    from django.db import connection  # noqa: PLC0415  (Django is set up now)

    from lineage.services.tiles import build_group  # noqa: PLC0415

    dataset = made_dataset(records)
    masks = [np.random.default_rng([SEED, at]).random(records) < 0.5 for at in range(versions)]  # noqa: PLR2004
    edges, seconds = _ingest(dataset, iter(masks))
    started = time.perf_counter()
    build_group(space=dataset.space, group=0, now=moment())
    tiling = time.perf_counter() - started
    found: dict[str, Any] = {
        "edges": edges,
        "ingest_edges_per_second": round(edges / seconds),
        "tiles_seconds": round(tiling, 2),
        **_right(dataset, masks),
    }
    if connection.vendor == "postgresql":
        found["join"] = joined(masks)
    found |= _asked(dataset, records, beside_join=connection.vendor == "postgresql")
    return found | {
        "chunks_bytes_per_edge": round(table_bytes("lineage_snapshotchunk") / edges, 4),
        "tiles_bytes_per_edge": round(table_bytes("lineage_membershiptile") / edges, 4),
    }


def _asked(dataset: Dataset, records: int, *, beside_join: bool) -> dict[str, Any]:
    """Ask for one record and for a person; each question to us and to the join table in turn."""
    from lineage.queries.membership import holding_of  # noqa: PLC0415

    ours: dict[str, Callable[[BitMap], object]] = {
        "one_record": lambda asked: holding_of(dataset.space, asked),
        "subject100": lambda asked: _counts(dataset, asked),
    }
    if not beside_join:
        return _compared(ours, {}, records)
    join = ask_join()
    with _without_preparing():
        unprepared = _compared(ours, join, records)
    return {**_compared(ours, join, records), "unprepared": unprepared}


def _compared(
    ours: Mapping[str, Callable[[BitMap], object]],
    join: Mapping[str, Callable[[BitMap], object]],
    records: int,
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, count, repeats in (("one_record", 1, 500), ("subject100", SUBJECT, 150)):
        draw, both = some(records, count), [ours[name], *([join[name]] if join else [])]
        side_by_side(draw, both, 10)  # warm, and by then prepared
        times = side_by_side(draw, both, repeats)
        found |= dict(zip((name, f"{name}_join"), times, strict=False))
    return found


@contextmanager
def _without_preparing() -> Iterator[None]:
    """Have PostgreSQL plan every statement anew, as behind a pool that cannot prepare them."""
    from django.db import connection  # noqa: PLC0415

    options = connection.settings_dict["OPTIONS"]
    before = options["prepare_threshold"]
    for threshold in (None, before):
        connection.close()
        options["prepare_threshold"] = threshold
        if threshold is None:
            yield


def evolving(records: int, versions: int) -> dict[str, Any]:
    """A data set that grows from a fifth to the whole and loses some records in each version."""
    prepared()
    from django.db import connection  # noqa: PLC0415

    from lineage.services.tiles import build_group  # noqa: PLC0415

    dataset = made_dataset(records)
    edges, seconds = _ingest(dataset, growing(records, versions))
    for group in range(-(-versions // 1024)):
        build_group(space=dataset.space, group=group, now=moment())
    _train_on_each(dataset)
    connection.close()
    # A process of its own, so that its memory is that of the questions alone.
    asked = subprocess.run(  # noqa: S603  (our own module)
        [
            sys.executable,
            "-m",
            "benchmarks.installation",
            "benchmarks.lineage_store:ask_evolving",
            json.dumps({"records": records}),
        ],
        stdout=subprocess.PIPE,
        check=True,
    )
    stored = table_bytes("lineage_snapshotchunk") + table_bytes("lineage_membershiptile")
    return {
        "edges": edges,
        "ingest_edges_per_second": round(edges / seconds),
        "store_mb": round(stored / 1e6, 2),
        "bytes_per_edge": round(stored / edges, 5),
        **json.loads(asked.stdout.splitlines()[-1]),
    }


def ask_evolving(records: int) -> dict[str, Any]:
    """Ask for the affected set, as nodes with the records that act on each; closure included."""
    import django  # noqa: PLC0415

    django.setup()
    from lineage.models import OrdinalSpace  # noqa: PLC0415
    from lineage.queries.closure import affected  # noqa: PLC0415
    from lineage.queries.reach import reached  # noqa: PLC0415

    space = OrdinalSpace.objects.get(name="bench")
    one = repeated(some(records, 1), lambda asked: reached(space, asked), 200)
    subject = repeated(some(records, SUBJECT), lambda asked: reached(space, asked), 60)
    named = repeated(some(records, 1), lambda asked: affected(space, asked).versions, 10)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "one_record_p50_ms": one["p50_ms"],
        "one_record_p99_ms": one["p99_ms"],
        "subject100_p50_ms": subject["p50_ms"],
        "subject100_p99_ms": subject["p99_ms"],
        "versions_with_paths_p50_ms": named["p50_ms"],
        "peak_rss_mb": round(peak, 1),
    }


def moment() -> Any:  # noqa: ANN401  (a datetime; Django is set up by then)
    """Return the time."""
    from django.utils import timezone  # noqa: PLC0415

    return timezone.now()


def made_dataset(records: int) -> Dataset:
    """Return a data set whose space has handed out so many ordinals, without identities."""
    from lineage.models import OrdinalSpace  # noqa: PLC0415
    from lineage.services.importing import ensure_dataset  # noqa: PLC0415

    made = ensure_dataset(name="bench")
    OrdinalSpace.objects.filter(id=made.space_id).update(next_ordinal=records)
    return ensure_dataset(name="bench")


def _ingest(dataset: Dataset, masks: Iterator[NDArray[np.bool_]]) -> tuple[int, float]:
    """Take a snapshot of each mask; return edges and seconds, without making the masks."""
    from lineage.core.bitmaps import from_mask  # noqa: PLC0415
    from lineage.services.snapshots import take_snapshot  # noqa: PLC0415

    edges, seconds = 0, 0.0
    for mask in masks:
        started = time.perf_counter()
        taken = take_snapshot(dataset=dataset, ordinals=from_mask(mask), now=moment())
        seconds += time.perf_counter() - started
        edges += taken.record_count
    return edges, seconds


def growing(records: int, versions: int) -> Iterator[NDArray[np.bool_]]:
    """Yield a mask for each version; it holds only until the next is drawn."""
    drawn = np.random.default_rng(SEED)
    alive = drawn.random(records) >= 0.1  # noqa: PLR2004  (a tenth is held out)
    gone = max(1, records // 20_000)
    for at in range(versions):
        size = int(records * (0.2 + 0.8 * at / max(1, versions - 1)))
        if at:
            alive[drawn.choice(np.flatnonzero(alive[:size]), gone, replace=False)] = False
        yield alive[:size]


def _right(dataset: Dataset, masks: list[NDArray[np.bool_]]) -> dict[str, float]:
    """Compare answers with the masks they came from."""
    from lineage.queries.membership import holding_of  # noqa: PLC0415

    told = wanted = both = 0
    for asked in (some(len(masks[0]), SUBJECT)() for _ in range(5)):
        found = holding_of(dataset.space, asked)
        answer = {(seq, one) for seq, hits in found.items() for one in hits}
        truth = {(at, one) for at, mask in enumerate(masks) for one in asked if mask[one]}
        told, wanted = told + len(answer), wanted + len(truth)
        both += len(answer & truth)
    return {"recall": both / wanted, "precision": both / told}


def _counts(dataset: Dataset, asked: BitMap) -> dict[int, int]:
    from lineage.queries.membership import holding_of  # noqa: PLC0415

    return {seq: len(hits) for seq, hits in holding_of(dataset.space, asked).items()}


def some(records: int, count: int) -> Callable[[], BitMap]:
    """Return what draws so many records, the same sequence each time."""
    from pyroaring import BitMap as Bits  # noqa: PLC0415

    drawn = np.random.default_rng(SEED + count)
    return lambda: Bits(drawn.integers(0, records, count).tolist())


def _train_on_each(dataset: Dataset) -> None:
    """Put one version on each snapshot; four in ten start from an earlier one as well."""
    from benchmarks.lineage_graph import write_graph  # noqa: PLC0415
    from lineage.models import DatasetSnapshot as Snapshot  # noqa: PLC0415

    snapshots: list[DatasetSnapshot] = list(
        Snapshot.objects.filter(dataset=dataset).order_by("seq")
    )
    write_graph([one.id for one in snapshots], each=True, runs=len(snapshots))
