"""The spans of one case, from a web server, a worker and the child of a job.

A case that is unlearned and erased is followed in ``tests/functional/test_erasure_journey.py``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import UUID

from lineage.core import spans
from tests.config.collector import collecting, exported

ROOT = Path(__file__).parents[2]


def test_web_worker_and_child_of_a_job_write_one_trace(migrated_file, django_db_setup, tmp_path):
    shutil.copy(migrated_file, tmp_path / "expunge.sqlite3")
    with collecting() as collector:
        environ = {
            **os.environ,
            "EXPUNGE_HOME": str(tmp_path),
            "EXPUNGE_KEYS": str(tmp_path / "keys"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
            "OTEL_SERVICE_NAME": "expunge-test",
            "OMP_NUM_THREADS": "1",
        }
        for name in ("DATABASE_URL", "REDIS_URL"):
            environ.pop(name, None)
        done = subprocess.run(
            [sys.executable, "-m", "tests.config.traced_site"],
            env=environ,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        found = exported(collector)
    (trace,) = {one.trace for one in found}
    assert int(trace, 16) == spans.trace_of(UUID(done.stdout.split()[0]))
    names = {one.id: one.name for one in found}
    tree = {(one.name, names.get(one.parent, "nothing"), one.kind) for one in found}
    assert tree == {
        ("case", "nothing", "INTERNAL"),
        ("POST", "case", "SERVER"),
        ("wake", "POST", "PRODUCER"),
        ("audits.advance", "case", "CONSUMER"),
        ("step close_early", "audits.advance", "INTERNAL"),
        ("lineage.run_job", "case", "CONSUMER"),
        ("job SEARCH", "lineage.run_job", "INTERNAL"),
        ("audits.job_ended", "case", "CONSUMER"),
        ("step close_early", "audits.job_ended", "INTERNAL"),
        ("seal", "step close_early", "INTERNAL"),
        ("step answer", "audits.job_ended", "INTERNAL"),
    }
    by_name = {one.name: one for one in found}
    senders = {one.name: [names[each] for each in one.links] for one in found if one.links}
    assert senders == {
        "audits.advance": ["wake"],
        "lineage.run_job": ["step close_early"],
        "audits.job_ended": ["lineage.run_job"],
    }
    web, worker, child = (by_name[each].process for each in ("POST", "seal", "job SEARCH"))
    assert len({web, worker, child}) == 3
    assert by_name["lineage.run_job"].process == worker
    assert by_name["POST"].about["http.route"] == "audits:confirm"
    assert by_name["job SEARCH"].about["expunge.outcome"] == "SUCCEEDED"
    assert by_name["lineage.run_job"].seconds >= by_name["job SEARCH"].seconds
    assert by_name["case"].about["expunge.outcome"] == "NO_DATA_FOUND"
    assert {one["service.name"] for one in collector.resources} == {"expunge-test"}
