"""The register of deployments on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.core.letter_rules import LOCALES
from audits.management.named_version import named_version
from audits.queries import registers
from audits.queries.told import OUT_OF_USE
from audits.services import deployments
from lineage.models import Deployment
from lineage.services.deployments import DeploymentRefused, NoSuchDeployment

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``manage.py deployments list | add MODEL:VERSION PLACE | gone ID``."""

    help = "List where model versions run, register a place, or note that one is gone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the three verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        listed = verbs.add_parser("list", help="where versions run; first what must go")
        listed.add_argument("--all", action="store_true", help="also where they run no more")
        add = verbs.add_parser("add", help="say that a version runs at a place from now on")
        add.add_argument("version", help="MODEL:VERSION")
        add.add_argument("place")
        add.add_argument("--kind", choices=Deployment.Kind.values, default=Deployment.Kind.OTHER)
        add.add_argument("--contact", default="", help="who is told when it must go")
        add.add_argument("--language", choices=list(LOCALES), default="", help="of that notice")
        gone = verbs.add_parser("gone", help="note that a version is gone from a place")
        gone.add_argument("deployment", type=UUID, help="its id, as the list shows it")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Do what the verb says. Raises CommandError."""
        try:
            {"list": self._list, "add": self._add, "gone": self._gone}[options["verb"]](options)
        except (DeploymentRefused, NoSuchDeployment) as error:
            raise CommandError(str(error)) from error

    def _list(self, options: dict[str, Any]) -> None:
        found = list(registers.deployments(only_open=not options["all"]))
        for one in found:
            if not one.is_open:
                state = f"acknowledged {one.acknowledged_at}" if one.acknowledged_at else "gone"
            else:
                state = "MUST GO" if one.version.state in OUT_OF_USE else "runs"
            self.stdout.write(f"{one.pk}  {one.version} at {one.place}: {state}")
        if not found:
            self.stdout.write("No deployment is registered.")

    def _add(self, options: dict[str, Any]) -> None:
        made = deployments.register(
            version=named_version("version", options["version"]),
            place=options["place"],
            kind=options["kind"],
            contact=options["contact"],
            locale=options["language"],
            user=None,
            now=timezone.now(),
        )
        self.stdout.write(f"{made.pk}  {made}")

    def _gone(self, options: dict[str, Any]) -> None:
        found = deployments.acknowledge(
            deployment_id=options["deployment"], by="STAFF", user=None, now=timezone.now()
        )
        self.stdout.write(f"{found} is noted as gone.")
