"""What there is of each kind, and where a reader finds it: settings, commands and the rest.

A kind is documented by a page on which each of its names stands in a place of its own (a
heading, the first cell of a row), so that a name in passing does not count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from django.urls import URLResolver, get_resolver

from audits.core.attack import Attack
from audits.core.event_types import SCHEMA
from audits.core.kinds import of_kind
from audits.core.webhook_events import KINDS
from config.api import PREFIX, api
from expunge.cli.main import cli
from lineage.core.places import Place
from lineage.core.registry import Registry
from lineage.services.api_keys import SCOPES
from tests.expunge import cli_page
from tests.site import commands_page
from tests.site.code_blocks import ROOT
from unlearning.core.catalogue import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

VARIABLE = r"EXPUNGE_[A-Z_]+|DATABASE_URL|REDIS_URL"
# Where on a page a name counts: as the first cell of a row, as a heading, on a line of its own.
FIRST_CELL = r"^\| (`[^|]+) \|"
HEADING = r"^#+ (`[^`]+`)$"
LINE = r"^(`[^`]+`)$"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of thing that a reader may want to look up.

    Attributes:
        names: what there is, asked of the code.
        page: where it is documented, from the top of the checkout.
        place: where on that page a name counts.
        part: the name of the comments around the part of the page that is meant; empty: all of it.
        among: what a name of this kind looks like, where the page has others in such places.
    """

    names: Callable[[], Iterable[str]]
    page: str
    place: str
    part: str = ""
    among: str = r".+"

    def text(self) -> str:
        return (ROOT / self.page).read_text()

    def documented(self, text: str) -> set[str]:
        """Return the names that the text of a page has in their place."""
        if self.part:
            marks = rf"<!-- {self.part}: ?begin.*?<!-- {self.part}: ?end"
            text = "".join(re.findall(marks, text, re.DOTALL))
        found = re.findall(self.place, text, re.MULTILINE)
        names = (name for each in found for name in re.findall(r"`([^`]+)`", each))
        return {name for name in names if re.fullmatch(self.among, name)}

    def undocumented(self, text: str) -> set[str]:
        """Return what there is and the text of a page does not have."""
        return set(self.names()) - self.documented(text)


@cache
def variables(*packages: str) -> frozenset[str]:
    """Return every variable of the environment that code names in a text of its own."""
    paths = (path for package in packages for path in (ROOT / package).rglob("*.py"))
    # A text of its own and nothing else: not one in a sentence.
    return frozenset(
        name for path in paths for name in re.findall(rf"[\"']({VARIABLE})[\"']", path.read_text())
    )


def operations() -> Iterator[str]:
    """Yield each call that the API answers, such as ``GET /api/v1/cases``."""
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            address = "/".join(
                part.strip("/") for part in (PREFIX, prefix, path) if part.strip("/")
            )
            for operation in view.operations:
                yield from (f"{verb} /{plain(address)}" for verb in operation.methods)


def addresses() -> set[str]:
    """Return the addresses of the URL map under /api/v1/, but those of its documentation."""
    resolvers = (one for one in get_resolver().url_patterns if isinstance(one, URLResolver))
    (found,) = [one for one in resolvers if one.namespace == "api"]
    every = {f"/{found.pattern}{plain(str(one.pattern))}" for one in found.url_patterns}
    return every - {f"{PREFIX}openapi.json", f"{PREFIX}docs", PREFIX}


def plain(address: str) -> str:
    """Return an address as the documentation writes it, without kinds of its variables."""
    return re.sub(r"[<{](?:\w+:)?(\w+)[>}]", r"{\1}", address)


def places() -> Iterable[str]:
    return Registry(import_module("lineage.locations"), Place).names()


KINDS_OF_THINGS = {
    "setting": Kind(
        names=lambda: variables("config", "lineage", "unlearning", "audits"),
        page="docs/settings.md",
        place=FIRST_CELL,
        among=VARIABLE,
    ),
    "variable of the client": Kind(
        names=lambda: variables("expunge"),
        page="docs/client.md",
        place=FIRST_CELL,
        among=VARIABLE,
    ),
    "management command": Kind(
        names=commands_page.commands, page="docs/commands.md", place=HEADING, part="commands"
    ),
    "method": Kind(
        names=lambda: registry().names(), page="docs/methods.md", place=LINE, part="methods"
    ),
    "attack": Kind(
        names=lambda: of_kind(Attack), page="docs/attacks.md", place=LINE, part="attacks"
    ),
    "call of the API": Kind(
        names=operations, page="docs/api.md", place=FIRST_CELL, among=r"[A-Z]+ /.*"
    ),
    "scope of a key": Kind(
        names=lambda: SCOPES, page="docs/api.md", place=FIRST_CELL, among=r"[a-z:]+"
    ),
    "verb of the command line": Kind(
        names=lambda: (f"expunge {words}" for words in cli_page.commands(cli)),
        page="docs/cli.md",
        place=HEADING,
    ),
    "type of event": Kind(
        names=lambda: SCHEMA, page="docs/evidence-format.md", place=FIRST_CELL, part="events"
    ),
    "type of webhook": Kind(
        names=lambda: KINDS, page="docs/webhooks.md", place=FIRST_CELL, part="webhooks"
    ),
    "kind of place": Kind(names=places, page="docs/locations.md", place=HEADING),
}
