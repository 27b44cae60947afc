"""``manage.py train MODEL``: train a version from a recipe on a snapshot, in a worker."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from audits import workflow
from audits.management.named_version import named_version
from lineage.models import DatasetSnapshot
from unlearning.core.shares import refused

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Queue a training; the site shows its progress."""

    help = "Queue the training of a model version from an allow-listed recipe on a snapshot."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="the name of the model")
        parser.add_argument("--recipe", required=True, metavar="MODULE:CLASS")
        parser.add_argument("--parameters", default="{}", metavar="JSON")
        parser.add_argument("--snapshot", required=True, metavar="ID")
        parser.add_argument("--base", metavar="MODEL:VERSION", help="fine-tune this version")
        parser.add_argument(
            "--canaries",
            type=int,
            metavar="K",
            help="plant so many canaries; without this, as EXPUNGE_CANARIES says",
        )
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        base = options["base"] and named_version("--base", options["base"])
        parameters = {
            "model_name": options["model"],
            "recipe": options["recipe"],
            "recipe_parameters": object_of(options["parameters"]),
            "snapshot": str(named_snapshot(options["snapshot"]).pk),
            "base": str(base.pk) if base else None,
            "seed": options["seed"],
            "canaries": canaries_of(options["canaries"]),
        }
        training = uuid.uuid4()
        job = workflow.train(key=f"train:{training}", payload_id=training, parameters=parameters)
        self.stdout.write(f"Queued {options['model']} as job {job.pk}; see /models/ on the site.")


def object_of(text: str) -> dict[str, Any]:
    """Return what ``--parameters`` says.

    Raises:
        CommandError: it is no JSON object.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise CommandError(f"--parameters is {text!r}; it must be a JSON object.")
    return value


def canaries_of(number: int | None) -> int | None:
    """Return what ``--canaries`` says.

    Raises:
        CommandError: so many cannot be planted.
    """
    if number is not None and (reason := refused("--canaries", number)):
        raise CommandError(reason)
    return number


def named_snapshot(text: str) -> DatasetSnapshot:
    """Return the snapshot that ``--snapshot`` names.

    Raises:
        CommandError: there is none.
    """
    try:
        return DatasetSnapshot.objects.get(pk=uuid.UUID(text))
    except (ValueError, DatasetSnapshot.DoesNotExist) as error:
        raise CommandError(
            f"--snapshot is {text!r}, which is no snapshot. Take one: manage.py take_snapshot"
        ) from error
