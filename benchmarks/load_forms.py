"""The public form under load: a real web server, many posters, and what became of each case."""

from __future__ import annotations

import asyncio
import email
import email.policy
import math
import re
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.databases import child, fresh
from benchmarks.installation import prepared
from benchmarks.load_posters import Poster, post_all, read_all
from config.services.children import start, stop, wait_until
from config.services.commands import web
from config.services.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOST = "127.0.0.1"
LEVELS, EACH = (1, 2, 4, 8, 16, 32, 64, 128), 3  # posters at once; how many forms each sends
FEWEST = 24  # forms of a level
ENOUGH = 0.9  # of the greatest throughput: the server is as busy as it can be
READ_AT_ONCE = 16
_LINK = re.compile(r"/erasure/(status|confirm)/([^/\s]+)/")


def posted(engine: str, *, posters: int, levels: int = len(LEVELS)) -> dict[str, Any]:
    """Return what ``posters`` at the same time were told, and when the server is saturated.

    First so many ``levels`` of fewer posters find the point from which more posters no longer
    mean more cases a second; then all come at once.
    """
    with fresh(engine) as environment:
        child("benchmarks.load_forms:set_up", {}, environment)
        with _serving(environment) as site:
            steps, everybody = asyncio.run(_all(site, posters, LEVELS[:levels]))
            mails = _mails(Path(environment["EXPUNGE_HOME"]) / "mail")
            shown = asyncio.run(
                read_all(
                    site,
                    [f"/erasure/status/{one.get('status', '')}/" for one in mails.values()],
                    at_once=READ_AT_ONCE,
                )
            )
        found = child("benchmarks.load_forms:cases_here", {}, environment)
    return {
        **_counted(everybody, found, dict(zip(mails, shown, strict=True))),
        **_saturation(steps),
        "levels": steps,
    }


def set_up() -> None:
    """Make keys and what else an installation needs."""
    prepared()
    from django.core.management import call_command  # noqa: PLC0415  (Django is set up now)

    call_command("setup", verbosity=0)


def cases_here() -> list[list[str]]:
    """Return the reference and the address of every case."""
    prepared()
    from audits.models import ErasureRequest  # noqa: PLC0415

    return [[one.reference, one.email] for one in ErasureRequest.objects.all()]


@contextmanager
def _serving(environment: Mapping[str, str]) -> Iterator[str]:
    """Run the web server as it runs behind a proxy that speaks https; yield the site's address."""
    port = free_port(host=HOST)
    site = f"https://{HOST}:{port}"
    # Nobody types here, so nobody need wait; how many a network may send stays as it is.
    own = {
        **environment,
        "EXPUNGE_SITE_URL": site,
        "EXPUNGE_FORM_MIN_SECONDS": "0",
        "EXPUNGE_TRUSTED_PROXIES": HOST,  # a poster names the address that they write from
    }
    log = Path(environment["EXPUNGE_HOME"]) / "web.log"
    server = start(web(own, host=HOST, port=port), log=log)
    try:
        wait_until(lambda: _answers(port) or not server.alive, seconds=60)
        if not server.alive:
            raise RuntimeError(f"The web server {server.ending}:\n{server.last_lines(20)}")
        yield site
    finally:
        stop(server, grace=10)


def _answers(port: int) -> bool:
    link = HTTPConnection(HOST, port, timeout=5)
    try:
        link.request("GET", "/healthz", headers={"X-Forwarded-Proto": "https"})
        return link.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        link.close()


async def _all(
    site: str, posters: int, levels: tuple[int, ...]
) -> tuple[list[dict[str, Any]], list[Poster]]:
    """Return a row for each level, the last with everybody, and all who posted at any."""
    steps, everybody = [], list[Poster]()
    for at_once in (*levels, posters):
        count = posters if at_once == posters else max(FEWEST, EACH * at_once)
        first = len(everybody)
        these = [
            Poster(number=first + one, email=f"person{first + one}@example.org")
            for one in range(count)
        ]
        took = await post_all(site, these, at_once=at_once)
        seconds = sorted(each for one in these for each in one.seconds)
        steps.append(
            {
                "at_once": at_once,
                "forms": count,
                "accepted": sum(bool(one.reference) for one in these),
                "per_second": round(count / took, 2),
                "p50_ms": _percentile(seconds, 0.5),
                "p99_ms": _percentile(seconds, 0.99),
            }
        )
        everybody += these
    return steps, everybody


def _percentile(seconds: list[float], share: float) -> float:
    return round(1000 * seconds[math.ceil(share * len(seconds)) - 1], 1) if seconds else math.nan


def _saturation(steps: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the fewest posters at once that keep the server as busy as it gets, and its p99."""
    best = max(one["per_second"] for one in steps)
    point = next(one for one in steps if one["per_second"] >= ENOUGH * best)
    return {
        "p99_ms": point["p99_ms"],
        "saturated_by": point["at_once"],
        "cases_per_second": point["per_second"],
        "p99_ms_all_at_once": steps[-1]["p99_ms"],
    }


def _mails(folder: Path) -> dict[str, dict[str, str]]:
    """Return the secrets that each address was sent, by what they are for."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted(folder.glob("*.log")):
        parts = file.read_bytes().split(b"\n" + b"-" * 79 + b"\n")
        for raw in parts:
            letter = email.message_from_bytes(raw.lstrip(), policy=email.policy.default)
            body = letter.get_body(("plain",))
            if letter["To"] and body:
                links = dict(_LINK.findall(body.get_content()))
                found.setdefault(str(letter["To"]), {}).update(links)
    return found


def _counted(
    posters: list[Poster], cases: list[list[str]], shown: Mapping[str, str]
) -> dict[str, Any]:
    """Return what went wrong: every poster must find their own case, and no other.

    Args:
        posters: who sent the form.
        cases: the reference and the address of every case.
        shown: by address, the page that the link in the letter to it leads to.
    """
    owner = dict(cases)
    accepted = [one for one in posters if one.reference]
    held: dict[str, list[str]] = {}
    for reference, address in cases:
        held.setdefault(address, []).append(reference)
    others = [one for one in accepted if owner.get(one.reference, one.email) != one.email]
    astray = [
        one
        for one in accepted
        if one not in others and one.reference not in shown.get(one.email, "")
    ]
    return {
        "posted": len(posters),
        "accepted": len(accepted),
        "lost": sum(one.reference not in owner for one in accepted),
        "duplicated": sum(len(each) - 1 for each in held.values()),
        "cross_assigned": len(others) + len(astray),
        "sent_again": sum(len(one.refused) for one in posters),
        "refused": sorted({each for one in posters for each in one.refused}),
    }
