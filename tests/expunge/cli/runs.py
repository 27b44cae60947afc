"""The command ``expunge``, run against answers that are said beforehand."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
from click.testing import CliRunner

import expunge
from expunge.cli.main import cli
from expunge.cli.session import Session
from tests.expunge.platforms import KEY, URL, Platform

if TYPE_CHECKING:
    from collections.abc import Mapping


CASE = {
    "reference": "ER-1",
    "kind": "ERASURE",
    "status": "RECEIVED",
    "outcome": "",
    "received_at": "2026-03-02T09:30:00Z",
    "due_on": None,
}


def answer(content: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=content)


def page(*items: dict[str, Any]) -> httpx.Response:
    return answer({"items": items, "cursor": None})


def run(
    platform: Platform,
    *words: str,
    stdin: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Any:  # noqa: ANN401
    """Run a command against a platform that gives prepared answers."""
    make = partial(
        expunge.Client,
        transport=httpx.MockTransport(platform),
        pause=platform.pauses.append,
        environ=environ or {"EXPUNGE_API_KEY": KEY, "EXPUNGE_URL": URL},
    )
    return CliRunner().invoke(cli, words, obj=Session(make=make), input=stdin)
