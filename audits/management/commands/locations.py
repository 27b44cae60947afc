"""``manage.py locations``: the places that a case erases from."""

from __future__ import annotations

import json
from argparse import SUPPRESS
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.services import registers
from lineage import locations
from lineage.core.place_settings import SettingRefused
from lineage.core.places import LocationNotReachable
from lineage.models import Location
from lineage.services.locations import NewLocation

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """List, add, try and remove places; see docs/locations.md."""

    help = "List, add, try or remove the places outside lineage that a case erases from."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")
        steps = parser.add_subparsers(dest="step")
        steps.add_parser("list", help="what is registered (the default)")
        add = steps.add_parser("add", help="register a place")
        add.add_argument("slug", help="small letters, digits and hyphens")
        add.add_argument("kind", help=f"one of {', '.join(locations.KINDS)}")
        add.add_argument("--settings", default="{}", help="a JSON object, as its kind takes it")
        add.add_argument("--purpose", required=True, help="what the data are there for")
        add.add_argument("--category", default="DATA", type=str.upper)
        add.add_argument("--retention-days", type=int, metavar="DAYS")
        add.add_argument("--mask-reason", default="", help="why rows are masked, not deleted")
        for name, words in (("try", "ask it what is there"), ("remove", "take it out")):
            steps.add_parser(name, help=words).add_argument("slug")
        for step in steps.choices.values():
            step.add_argument("--json", action="store_true", default=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Do one step. Raises CommandError with a sentence."""
        try:
            told, words = getattr(self, f"_{options['step'] or 'list'}")(options)
        except (SettingRefused, LocationNotReachable) as error:
            raise CommandError(str(error)) from error
        except Location.DoesNotExist as error:
            raise CommandError(f"There is no place {options['slug']!r}.") from error
        self.stdout.write(json.dumps(told, indent=2) if options["json"] else words)

    def _list(self, _options: dict[str, Any]) -> tuple[Any, str]:
        found = list(map(_described, Location.objects.all()))
        lines = [
            f"{one['slug']}: {one['kind']}, {one['category'].lower()}, {one['purpose']}"
            + ("" if one["active"] else " (not in use)")
            for one in found
        ]
        return found, "\n".join(lines) or "No place is registered."

    def _add(self, options: dict[str, Any]) -> tuple[Any, str]:
        try:
            settings = json.loads(options["settings"])
        except ValueError:
            settings = None
        if not isinstance(settings, dict):
            raise CommandError(f"--settings is {options['settings']!r}; a JSON object is needed.")
        names = ("slug", "kind", "purpose", "category", "retention_days", "mask_reason")
        new = NewLocation(settings=settings, **{name: options[name] for name in names})
        kept = registers.keep_location(new=new, user=None, now=timezone.now())
        return _described(
            kept
        ), f"{kept.slug} is registered. Try it: manage.py locations try {kept}"

    def _try(self, options: dict[str, Any]) -> tuple[Any, str]:
        said = registers.try_location(slug=options["slug"], user=None)
        return {"slug": options["slug"], "said": said}, said

    def _remove(self, options: dict[str, Any]) -> tuple[Any, str]:
        slug = options["slug"]
        deleted = registers.remove_location(slug=slug, user=None, now=timezone.now())
        words = "is removed." if deleted else "is out of use; cases that refer to it keep it."
        return {"slug": slug, "deleted": deleted}, f"{slug} {words}"


def _described(one: Location) -> dict[str, Any]:
    names = ("slug", "kind", "settings", "purpose", "category", "retention_days", "mask_reason")
    return {name: getattr(one, name) for name in (*names, "active")}
