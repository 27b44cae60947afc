"""Ask lineage which versions learned from whom, why, and what is not known."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from lineage.core.bitmaps import ChunkAltered
from lineage.core.ordinal_list import OrdinalsUnreadable, parse
from lineage.core.tiles import TileAltered
from lineage.core.told_names import escaped
from lineage.management.lineage_tables import TABLES
from lineage.models import DataSubject, ModelVersion, OrdinalSpace
from lineage.queries.coverage import coverage
from lineage.queries.edges import FOR_EVER
from lineage.queries.questions import affected_by, left_without, why_version
from lineage.queries.subjects import find_subject, records_of

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from pyroaring import BitMap

_HELP = {
    "affected": "every version that learned from a person or from records",
    "why": "the shortest way from the records to one version",
    "whatif": "what each affected version would still stand on without them",
}
_LONGEST_NUMBER = 10
_VERSION = "for instance 'classifier v3', its id, or the id that it has in its own registry"


class Command(BaseCommand):
    """``manage.py lineage affected | why | whatif | coverage``; docs/lineage.md has the fields."""

    help = "Ask which model versions learned from whom, why, and what is not known."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the questions."""
        questions = parser.add_subparsers(dest="question", required=True)
        for name, text in _HELP.items():
            one = questions.add_parser(name, help=text)
            who = one.add_mutually_exclusive_group(required=True)
            who.add_argument("--subject", help="e-mail address, identifier or pseudonym")
            who.add_argument("--records", help="SPACE:ORDINALS, for instance photos:3,7,10-19")
            one.add_argument("--json", action="store_true", help="print JSON")
            if name != "whatif":
                one.add_argument("--as-of", help="a time such as 2026-03-01T12:00 (UTC)")
            if name == "why":
                one.add_argument("version", help=_VERSION)
        known = questions.add_parser("coverage", help="how much of the registry is known")
        known.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Answer. Raises CommandError with a sentence."""
        question = options["question"]
        try:
            answer = getattr(self, f"_{question}")(options)
        except (ChunkAltered, TileAltered, OrdinalsUnreadable) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(answer, indent=2))
        else:
            self.stdout.write("\n".join(TABLES[question](answer)))

    def _affected(self, options: dict[str, Any]) -> dict[str, Any]:
        return affected_by(_records(options), as_of=_time(options["as_of"]))

    def _why(self, options: dict[str, Any]) -> dict[str, Any]:
        version = _version(options["version"])
        return why_version(version, _records(options), as_of=_time(options["as_of"]))

    def _whatif(self, options: dict[str, Any]) -> dict[str, Any]:
        return left_without(_records(options))

    def _coverage(self, options: dict[str, Any]) -> dict[str, Any]:
        return coverage()


def _version(text: str) -> ModelVersion:
    """Return the one version that is meant by its id, its name here, or its name elsewhere."""
    meant = ModelVersion.objects.select_related("generated_by").filter(_named(text))
    found = list(meant.order_by("external_id", "id"))
    if not found:
        raise CommandError(f"There is no model version {text!r}; see `lineage coverage`.")
    if len(found) > 1:
        raise CommandError(
            f"{text!r} may be {', '.join(_whole_name(version) for version in found)}; name one of "
            "these by its id."
        )
    return found[0]


def _named(text: str) -> Q:
    try:
        return Q(pk=uuid.UUID(text))
    except ValueError:
        return _numbered(text) | _told(text)


def _numbered(text: str) -> Q:
    name, _, number = text.rpartition(" v")
    short = number.isdecimal() and len(number) < _LONGEST_NUMBER
    return Q(model_name=name, version=int(number)) if short else Q(pk__in=())


def _told(text: str) -> Q:
    """Return what another registry calls so, with or without where it was told."""
    whole = [f"{way}{text}" for way in ("", "openlineage:", "mlflow:") if text]
    name, _, version = text.rpartition(" v")
    short = Q(model_name=name, external_id__endswith=f"#{escaped(version)}")
    return Q(external_id__in=whole) | short


def _whole_name(version: ModelVersion) -> str:
    known = [version.external_id] if version.external_id else []
    return f"{version} ({', '.join([*known, f'id {version.id}'])})"


def _records(options: dict[str, Any]) -> dict[OrdinalSpace, BitMap]:
    if options["records"]:
        name, _, listed = options["records"].rpartition(":")
        space = OrdinalSpace.objects.filter(name=name).first()
        if space is None:
            known = ", ".join(OrdinalSpace.objects.order_by("name").values_list("name", flat=True))
            raise CommandError(f"There is no space {name!r}; there are: {known or 'none'}.")
        return {space: parse(listed)}
    subject = _subject(options["subject"])
    if subject is None:
        raise CommandError("Nobody is known by that address, identifier or pseudonym.")
    return records_of(subject)


def _subject(text: str) -> DataSubject | None:
    try:
        return DataSubject.objects.filter(pseudonym=uuid.UUID(text)).first()
    except ValueError:
        return find_subject("EMAIL", text) or find_subject("EXTERNAL", text)


def _time(text: str | None) -> datetime:
    if not text:
        return FOR_EVER
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            f"--as-of is {text!r}; needed is a time such as 2026-03-01T12:00."
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
