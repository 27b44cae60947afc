"""The web process, the scheduler and the workers' parents must stay light: no torch."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("torch", "torchvision", "scipy", "sklearn", "pandas", "matplotlib")
PARENTS = (
    "config.wsgi",
    "config.asgi",
    "config.urls",
    "config.celery",
    "audits.urls",
    "audits.workflow.tasks",
    "lineage.tasks",
    "audits.admin",
    "lineage.admin",
    "unlearning.admin",
)


def test_web_scheduler_and_workers_never_import_torch(settings):
    script = (
        "import sys, os\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'\n"
        "from importlib import import_module\n"
        "import django; django.setup()\n"
        f"[import_module(name) for name in {PARENTS!r}]\n"
        f"print(','.join(name for name in {HEAVY!r} if name in sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=settings.BASE_DIR,
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
