"""The measured parts of ``benchmarks/audit.py``, each in a process with a database of its own."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.installation import prepared
from benchmarks.timing import made_in, repeated, timed

_PROOFS = 200


def appended(*, writers: int, each: int) -> dict[str, Any]:
    """Return how many events a second so many processes append to one log, and check the log."""
    prepared()
    from audits import keys  # noqa: PLC0415
    from audits.queries.log_check import check_log  # noqa: PLC0415

    keys.create_signing_key()
    command = [sys.executable, "-m", "benchmarks.audit_log", str(each)]
    folder = Path(__file__).resolve().parents[1]
    children = [
        subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  (ours)
        for _ in range(writers)
    ]
    for one in children:
        assert one.stdout is not None  # noqa: S101
        one.stdout.readline()  # it is ready
    started = time.perf_counter()
    for one in children:
        assert one.stdin is not None  # noqa: S101
        one.stdin.write(b"\n")
        one.stdin.flush()
    ended = [one.wait() for one in children]
    seconds = time.perf_counter() - started
    found = check_log(vkey=keys.verifier_text()).events  # each index once, from 0, or it raises
    return {
        "writers": writers,
        "events": found,
        "gap_free": not any(ended) and found == writers * each,
        "per_second": round(found / seconds, 1),
        "profile": _one_writer(each),
    }


def _one_writer(each: int) -> dict[str, float]:
    """Return where the time of an event goes when nobody else writes, in milliseconds.

    From its SELECT, which locks the head, until its commit all others wait: so this bounds what
    any number of writers can reach.
    """
    from django.db import connection, transaction  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from audits.services import log  # noqa: PLC0415

    spent = dict.fromkeys(("SELECT", "INSERT", "UPDATE"), 0.0)

    def watched(execute: Any, sql: str, *more: Any) -> Any:  # noqa: ANN401  (any statement)
        done, taken = made_in(lambda: execute(sql, *more))
        spent[sql.split(maxsplit=1)[0]] += taken.wall
        return done

    def all_of_them() -> None:
        for _ in range(each):
            with transaction.atomic():
                log.append(
                    type="incident_raised",
                    case=None,
                    now=timezone.now(),
                    data={"code": "BENCHMARK"},
                )

    with connection.execute_wrapper(watched):
        taken = timed(all_of_them)
    found = {f"{name.lower()}_ms": 1000 * seconds / each for name, seconds in spent.items()}
    whole = {"wall_ms": taken.wall, "processor_ms": taken.processor}
    found |= {name: 1000 * seconds / each for name, seconds in whole.items()}
    return {name: round(milliseconds, 3) for name, milliseconds in found.items()}


def large(*, events: int) -> dict[str, Any]:
    """Return what a proof and a check of a log of so many events take."""
    prepared()
    from django.utils import timezone  # noqa: PLC0415

    from audits import keys  # noqa: PLC0415
    from audits.queries.log_check import check_log  # noqa: PLC0415
    from audits.queries.log_proofs import tlog_proof  # noqa: PLC0415
    from audits.services import log  # noqa: PLC0415

    keys.create_signing_key()
    _fill(events)
    now, draw = timezone.now(), random.Random(7)  # noqa: S311  (which leaf is proved)
    signing = timed(lambda: log.checkpoint(now=now))
    newest = log.checkpoint(now=now)
    proofs = repeated(
        lambda: draw.randrange(events), lambda index: tlog_proof(index, newest), _PROOFS
    )
    checking = timed(lambda: check_log(vkey=keys.verifier_text()))
    return {
        "events": events,
        "checkpoint_ms": round(signing.wall * 1000, 2),
        "inclusion_proof": proofs,
        "fsck_seconds": round(checking.wall, 2),
        "fsck_processor_seconds": round(checking.processor, 2),
    }


def _fill(events: int) -> None:
    import uuid  # noqa: PLC0415
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415

    from benchmarks.crowd_log import Entry, write_leaves  # noqa: PLC0415

    start = datetime(2026, 1, 1, tzinfo=UTC)
    write_leaves(
        Entry(
            type="request_verified",
            at=start + timedelta(seconds=index),
            case=uuid.UUID(int=index // 20 + 1),
            data={"method": "LINK"},
        )
        for index in range(events)
    )


def write(each: int) -> None:
    """Append so many events, one a transaction, once a line is read."""
    prepared()
    from django.db import connection, transaction  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from audits.services import log  # noqa: PLC0415

    def once() -> None:
        log.append(
            type="incident_raised", case=None, now=timezone.now(), data={"code": "BENCHMARK"}
        )

    connection.ensure_connection()
    with transaction.atomic():  # a writer that has written before, as a worker has
        once()
        transaction.set_rollback(True)
    os.write(1, b"ready\n")
    sys.stdin.readline()
    for _ in range(each):
        with transaction.atomic():
            once()


if __name__ == "__main__":
    write(int(sys.argv[1]))
