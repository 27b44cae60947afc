"""Start an installation, play every scenario, and say what came of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
from django.conf import settings
from django.core.management import call_command

from audits.models import Decision, ErasureRequest
from config.celery import use_broker
from config.demo.visitor import LinkNotFound
from config.journey import asking, erasing, recording
from config.journey.happened import Happened, as_row
from config.journey.mail import NoLetter, mail_server
from config.journey.scene import NotArrived, Scene, hire, learn
from config.services.children import sigterm_closes
from config.services.ports import free_port
from config.services.processes import ProgramFailed
from config.stage import stage
from lineage.models import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.journey.happened import Scenario

# Edits of the log come last: they would be found by what follows, too.
SCENARIOS = (*asking.SCENARIOS, *erasing.SCENARIOS, *recording.SCENARIOS)
WRONG = (
    NoLetter,
    NotArrived,
    LinkNotFound,
    httpx.HTTPError,
    Decision.DoesNotExist,
    ErasureRequest.DoesNotExist,
)


class JourneyStopped(Exception):
    """The installation could not be started; the sentence says why."""


def journey(*, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Play every scenario in this installation, which should be a new one.

    Raises:
        JourneyStopped: a process did not start, or the model could not be trained.
    """
    call_command("setup", verbosity=0)
    host, port = "127.0.0.1", free_port(host="127.0.0.1")
    try:
        with (
            sigterm_closes(),
            mail_server(settings.EMAIL_PORT) as mailbox,
            stage(var=settings.VAR, host=host, port=port) as running,
        ):
            use_broker(running.broker_url)
            check = running.supervisor.check
            scene = Scene(
                site=running.site, mailbox=mailbox, check=check, desks=hire(running.site)
            )
            _train(scene, say)
            return [_played(one, scene, say) for one in SCENARIOS]
    except (ProgramFailed, NotArrived) as error:
        raise JourneyStopped(str(error)) from error


def _train(scene: Scene, say: Callable[[str], None]) -> None:
    job = learn(settings.VAR / "journey-data")
    scene.until(lambda: _over(job), "the model to be trained")
    if job.status != Job.Status.SUCCEEDED:
        raise JourneyStopped(f"Training failed: {job.error}")
    say("A site of its own runs; a model learned from made-up people.")


def _over(job: Job) -> bool:
    job.refresh_from_db()
    return job.status in (Job.Status.SUCCEEDED, Job.Status.FAILED)


def _played(scenario: Scenario, scene: Scene, say: Callable[[str], None]) -> dict[str, Any]:
    try:
        happened = scenario.play(scene)
    except WRONG as error:
        happened = Happened(ok=False, what=f"{type(error).__name__}: {error}")
    say(f"{'ok ' if happened.ok else 'BAD'} {scenario.name}: {happened.what}")
    return as_row(scenario, happened)
