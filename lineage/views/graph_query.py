"""What an address of the graph asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from lineage.core.folding import FAMILY, GROUP, MOST, SHOWN
from lineage.models import Dataset, DataSubject, ModelVersion
from lineage.queries.edges import FOR_EVER
from lineage.queries.graph_region import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.db.models import Manager, Model

OPENED = 50  # families and groups at once, so that an address stays one
KINDS: Mapping[str, tuple[Manager[Any], str]] = {
    "version": (ModelVersion.objects, "pk"),
    "data": (Dataset.objects, "pk"),
    "person": (DataSubject.objects, "pseudonym"),
}


@dataclass(frozen=True, kw_only=True)
class Query:
    """An address, read.

    * ``asked``: what it is about, nothing where ``problems`` is not empty;
    * ``values``: what it says, field by field, to be shown and said again.
    """

    asked: Asked
    values: QueryDict
    on: date | None = None
    opened: frozenset[str] = frozenset()
    shown: int = SHOWN
    problems: tuple[str, ...] = field(default=())

    @property
    def kept(self) -> list[tuple[str, str]]:
        """The fields that a form for the day and the way sends along."""
        asked = () if self.asked.version else ("data", "person")
        names = [one for one in self.values if one in {"version", "open", "shown", *asked}]
        return [(name, value) for name in names for value in self.values.getlist(name)]

    @property
    def today(self) -> str:
        """The query without a day."""
        return self.but(on="")

    def but(self, **changes: str) -> str:
        """Return the query with some fields changed, or left out where the value is empty."""
        values = self.values.copy()
        for name, value in changes.items():
            values.pop(name, None)
            if value:
                values[name] = value
        return values.urlencode(safe=":")

    def with_open(self, key: str, *, opened: bool) -> str:
        """Return the query with one more or one fewer family or group opened."""
        values = self.values.copy()
        rest = [one for one in values.getlist("open") if one != key]
        values.setlist("open", [*rest, key] if opened else rest)
        return values.urlencode(safe=":")


def read_query(given: QueryDict, *, now: datetime) -> Query:
    """Read an address; what cannot be meant is a problem, in a sentence."""
    values, problems = QueryDict(mutable=True), list[str]()

    def noted(name: str, read: Callable[[str], object]) -> object:
        text = given.get(name, "").strip()
        if not text:
            return None
        values[name] = text
        try:
            return read(text)
        except ValueError as error:
            problems.append(str(error))
            return None

    words = given.get("q", "").strip()
    if words:
        values["q"] = words
    found = {name: noted(name, _finder(name)) for name in KINDS}
    on = noted("on", lambda text: _day(text, now=now))
    shown = noted("shown", _shown)
    opened = [one for one in given.getlist("open") if one.startswith((FAMILY, GROUP))]
    values.setlist("open", list(dict.fromkeys(opened))[:OPENED])
    if len(opened) > OPENED:
        said = _("At most %(most)s groups can be open at once; this says %(count)s.")
        problems.append(said % {"most": OPENED, "count": len(opened)})
    version, dataset, person = found.values()
    asked = Asked(
        version=version if isinstance(version, ModelVersion) else None,
        dataset=dataset if isinstance(dataset, Dataset) else None,
        person=person if isinstance(person, DataSubject) else None,
        as_of=_end_of(on) if isinstance(on, date) else FOR_EVER,
    )
    return Query(
        asked=Asked() if problems else asked,
        values=values,
        on=on if isinstance(on, date) else None,
        opened=frozenset(values.getlist("open")),
        shown=shown if isinstance(shown, int) else SHOWN,
        problems=tuple(problems),
    )


def _finder(name: str) -> Callable[[str], Model]:
    rows, column = KINDS[name]

    def find(text: str) -> Model:
        try:
            found: Model | None = rows.filter(**{column: UUID(text)}).first()
        except ValueError:
            said = _("%(field)s is %(value)s; it takes an id of 32 hexadecimal digits.")
            raise ValueError(said % {"field": name, "value": repr(text[:60])}) from None
        if found is None:
            raise ValueError(_absent(name) % {"id": text[:60]})
        return found

    return find


def _absent(name: str) -> str:
    return {
        "version": _("There is no version of a model with the id %(id)s."),
        "data": _("There is no data set with the id %(id)s."),
        "person": _("There is no person with the pseudonym %(id)s."),
    }[name]


def _day(text: str, *, now: datetime) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        said = _("The day is %(value)s; it takes one like %(day)s.")
        values = {"value": repr(text[:60]), "day": timezone.localdate(now)}
        raise ValueError(said % values) from None
    return found if found < timezone.localdate(now) else None


def _end_of(day: date) -> datetime:
    start = timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
    return start - timedelta(microseconds=1)


def _shown(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST:
        said = _("shown is %(value)s; it takes a number of nodes from 1 to %(most)s.")
        raise ValueError(said % {"value": repr(text[:20]), "most": MOST})
    return int(text)
