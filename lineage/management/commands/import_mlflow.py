"""Bring runs, models and versions in from an MLflow tracking store."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from lineage.services.mlflow_import import MlflowMissing, StoreUnreadable, import_store

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``manage.py import_mlflow URI [--store NAME] [--json]``."""

    help = (
        "Import runs, data sets, registered models, versions and aliases from an MLflow tracking "
        "store. Membership is not known there, so the versions are listed as possibly affected. "
        "Importing again brings in only what is new or changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("uri", help="for instance sqlite:///mlflow.db or https://host:5000")
        parser.add_argument(
            "--store",
            default="",
            help="what tells the store from others, always the same where its address changes",
        )
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Import. Raises CommandError with a sentence."""
        try:
            report = import_store(uri=options["uri"], store=options["store"], now=timezone.now())
        except (MlflowMissing, StoreUnreadable) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(report)))
        else:
            self.stdout.write(
                f"New: {report.runs} runs, {report.versions} versions; "
                f"aliases changed: {report.aliases}."
            )
