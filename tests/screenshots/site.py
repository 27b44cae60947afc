"""An installation of its own with the demo's erasure in it, and the processes that serve it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from config.services.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.journey.scene import Scene

ROOT = Path(__file__).parents[2]
# What an installation in use has set must not be touched.
OTHERS = ("DATABASE_URL", "REDIS_URL", "EXPUNGE_KEYS", "EXPUNGE_STORE", "EXPUNGE_JOURNAL")


class SiteStopped(Exception):
    """The installation could not be made; the sentence says why."""


def make(home: Path) -> None:
    """Point this process at the installation, and play the demo there.

    Raises:
        SiteStopped: the demo did not end well.
    """
    for name in OTHERS:
        os.environ.pop(name, None)
    os.environ |= {
        "EXPUNGE_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "EXPUNGE_COUNTRY": "FR",
        "EXPUNGE_CLOCK_ZONE": "Europe/Paris",
        "EXPUNGE_FORM_MIN_SECONDS": "0",
        "EXPUNGE_FORM_PER_HOUR": "1000",
        "EXPUNGE_SWEEP_SECONDS": "1",
        "EXPUNGE_LABEL_CONFLICTS": "IGNORE",
        "EXPUNGE_DUPLICATE_DISTANCE": "0.0001",
        "EXPUNGE_LOG_LEVEL": "ERROR",
    }
    demo = subprocess.run([sys.executable, "manage.py", "demo"], cwd=ROOT, check=False)
    if demo.returncode:
        raise SiteStopped("The demo did not end well; the lines above say where.")
    os.environ |= {
        "EXPUNGE_EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EXPUNGE_EMAIL_HOST": "127.0.0.1",
        "EXPUNGE_EMAIL_PORT": str(free_port(host="127.0.0.1")),
        "EXPUNGE_EMAIL_TLS": "NONE",
        "EXPUNGE_EMAIL_USER": "",
        "EXPUNGE_EMAIL_PASSWORD_FILE": "",
        "EXPUNGE_MINIMUM": "SAME_RECIPE",  # the demo has shown an audit; these need not wait
        # A browser keeps an event loop in this thread, between whose turns the database is asked.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
    }


@contextmanager
def served() -> Iterator[Scene]:
    """Serve the installation that was made, with staff at their desks, until the end."""
    from django.conf import settings

    from config.celery import use_broker
    from config.journey.mail import mail_server
    from config.journey.scene import Scene, hire
    from config.services.children import sigterm_closes
    from config.stage import stage

    host, port = "127.0.0.1", free_port(host="127.0.0.1")
    with (
        sigterm_closes(),
        mail_server(settings.EMAIL_PORT) as mailbox,
        stage(var=settings.VAR, host=host, port=port) as running,
    ):
        use_broker(running.broker_url)
        desks = hire(running.site)
        check = running.supervisor.check
        yield Scene(site=running.site, mailbox=mailbox, check=check, desks=desks)
