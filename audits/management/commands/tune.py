"""``manage.py tune METHOD``: search the hyperparameters of a method, in the workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits import workflow
from audits.management.commands.train import named_snapshot, object_of
from unlearning.core.proxy_people import TooFewToTune
from unlearning.queries.catalogue import declared_methods, unsuited
from unlearning.services import tunings

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Queue a search; ``manage.py tunings`` shows how far it is."""

    help = (
        "Search the hyperparameters of a method on proxy forget sets of a snapshot. What is found "
        "is frozen, logged, and used for runs on versions of the same recipe from then on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("method")
        parser.add_argument("--recipe", required=True, metavar="MODULE:CLASS")
        parser.add_argument("--parameters", default="{}", metavar="JSON")
        parser.add_argument("--snapshot", required=True, metavar="ID")
        parser.add_argument("--trials", type=int, default=100, help="to be completed in all")
        parser.add_argument(
            "--proxies", type=int, default=3, help="problems that each is tried on"
        )
        parser.add_argument("--jobs", type=int, default=1, help="that share the trials")
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Queue the jobs.

        Raises:
            CommandError: a method or snapshot does not exist, the method can do nothing for a
                request here, a number is less than one, or the snapshot has too few records.
        """
        method = options["method"]
        known = [
            name for name, one in declared_methods().items() if one["guarantee"] == "APPROXIMATE"
        ]
        if method not in known:
            raise CommandError(
                f"The method is {method!r}; with numbers to search there are {', '.join(known)}."
            )
        if reason := unsuited(method):
            raise CommandError(f"{reason} No search is begun, as no run could use what it finds.")
        for name in ("trials", "proxies", "jobs"):
            if options[name] < 1:
                raise CommandError(f"--{name} is {options[name]}; it must be at least 1.")
        try:
            tuning = tunings.begin_tuning(
                method=method,
                recipe=options["recipe"],
                recipe_parameters=object_of(options["parameters"]),
                snapshot=named_snapshot(options["snapshot"]),
                trials=options["trials"],
                proxies=options["proxies"],
                seed=options["seed"],
                now=timezone.now(),
            )
        except TooFewToTune as error:
            raise CommandError(str(error)) from error
        jobs = workflow.tune(tuning=tuning, jobs_at_once=options["jobs"])
        self.stdout.write(f"Queued the search {tuning.pk} in {len(jobs)} jobs: manage.py tunings")
