"""What a scenario is, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.journey.scene import Scene


@dataclass(frozen=True, kw_only=True)
class Happened:
    """Whether it went as the law wants, in one sentence, and the events that show it."""

    ok: bool
    what: str
    events: list[int] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A situation with the article that it is about."""

    name: str
    article: str
    play: Callable[[Scene], Happened]


def as_row(scenario: Scenario, happened: Happened) -> dict[str, Any]:
    """Return a line of ``manage.py journey --json``."""
    return {
        "name": scenario.name,
        "article": scenario.article,
        "ok": happened.ok,
        "what": happened.what,
        "events": happened.events,
    }
