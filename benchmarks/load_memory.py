"""Whether the memory of a worker grows: real jobs, one after the other, in one worker process."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.installation import prepared

WARM = 0.1  # share of the jobs after which the memory of a worker that is warm is read


def here(runs: int) -> dict[str, Any]:
    """Do so many jobs as a worker does, each in a child process of its own."""
    prepared()
    import_module("config.celery")  # the broker of a worker: here a folder
    from django.conf import settings  # noqa: PLC0415  (Django is set up now)
    from django.core.management import call_command  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from lineage.models import Job  # noqa: PLC0415
    from lineage.services.importing import ensure_dataset  # noqa: PLC0415
    from lineage.services.jobs import create_job  # noqa: PLC0415
    from lineage.tasks import run_job  # noqa: PLC0415

    call_command("setup", verbosity=0)
    (settings.BROKER_FOLDER / "control").mkdir(parents=True, exist_ok=True)
    space = ensure_dataset(name="faces").space
    sizes = []
    for number in range(runs):
        job = create_job(
            key=f"tiles:{space.public_id}:{number}",
            kind="TILES",
            queue="lineage",
            payload_id=space.public_id,
            parameters={"group": 0},
            now=timezone.now(),
        )
        run_job(str(job.pk))
        sizes.append(_resident())
    done = Job.objects.filter(status=Job.Status.SUCCEEDED).count()
    warm = sizes[round(WARM * runs)]
    return {
        "runs": runs,
        "succeeded": done,
        "first_mb": sizes[0],
        "warm_mb": warm,
        "last_mb": sizes[-1],
        "grown_mb": round(sizes[-1] - warm, 2),
    }


def _resident() -> float:
    """Return the megabytes that this process has in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * 4096 / 1e6, 2)
