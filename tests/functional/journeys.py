"""The ways of four people through a real site, each on a screen of their own.

Every page that they come to is looked at: see ``Watched.look``.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core.case_bundle import STANDALONE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.functional.watching import Watched

LONG = 150_000  # milliseconds, for what workers do


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a person knows once they have asked."""

    reference: str
    status: str


def person_asks(person: Watched, email: str, letter: Callable[[str, str], str]) -> Asked:
    """Fill in the form, also wrongly, open the link of the e-mail, and confirm."""
    page, main = person.page, person.page.get_by_role("main")
    person.goto("/erasure/")
    person.follow("Start")
    main.get_by_label("Erase my data").check()
    main.get_by_role("button").click()
    page.wait_for_url("**/erasure/email/")
    main.get_by_role("button").click()
    page.wait_for_load_state()
    assert page.title().startswith("Error:")
    page.fill("input[name=email]", email)
    main.get_by_role("button").click()
    page.wait_for_url("**/erasure/check/")
    person.look()
    main.get_by_role("button").click()
    page.wait_for_url("**/erasure/received/**")
    person.look()
    person.goto(letter(email, r"http\S+/erasure/confirm/\S+/"))
    person.press("Confirm my request")
    reference = page.locator(".reference").inner_text()
    return Asked(reference=reference, status=letter(email, r"http\S+/erasure/status/\S+/"))


def person_reads(person: Watched, asked: Asked, folder: Path) -> None:
    """See on the status page that all is done, and take the report of theirs along."""
    person.goto(asked.status)
    assert person.says("erased")
    assert person.says(asked.reference)
    with person.page.expect_download() as started:
        person.page.locator("main a[href$='report.pdf']").click()
    started.value.save_as(folder / "mine.pdf")
    assert (folder / "mine.pdf").read_bytes().startswith(b"%PDF")
    person.look()


def person_withdraws(person: Watched, email: str, letter: Callable[[str, str], str]) -> None:
    """Ask once more, and take it back."""
    asked = person_asks(person, email, letter)
    person.goto(asked.status)
    person.follow("Withdraw")
    person.page.get_by_role("main").get_by_role("button").last.click()
    person.page.wait_for_url(asked.status)
    person.look()
    assert person.says("withdrawn")


def officer_decides(officer: Watched, reviewer: Watched, reference: str) -> None:
    """Find on the page of home what has to be decided; propose; a second person approves."""
    officer.goto("/home/")
    assert officer.says("What needs you now")
    officer.follow(reference)
    address = officer.page.url
    officer.follow("Accept…")
    officer.page.select_option("[name=ground-0-code]", "ART_17_1_D")
    officer.page.fill("[name=ground-0-purpose]", "Training")
    officer.page.fill("[name=ground-0-assessment]", "There was no basis for it.")
    officer.page.get_by_role("main").get_by_role("button").last.click()
    officer.page.wait_for_url(address)
    officer.look()
    reviewer.goto("/home/")
    reviewer.follow(reference)
    reviewer.follow("Approve…")
    reviewer.page.get_by_role("main").get_by_role("button").last.click()
    reviewer.page.wait_for_url(address)
    reviewer.look()


def officer_watches(officer: Watched) -> None:
    """See on the open page of the case that work goes on, without loading it anew."""
    officer.page.reload()
    officer.page.locator("progress").first.wait_for(timeout=LONG)
    officer.look()


def officer_ends(officer: Watched, folder: Path) -> None:
    """Wait on the open page for the end, read the answer that was sent, download the report."""
    address = officer.page.url
    officer.page.get_by_role("link", name="Report (PDF)").wait_for(timeout=LONG)
    officer.look()
    officer.page.locator("main a[href*='/letters/']").first.click()
    officer.page.wait_for_url("**/letters/**")
    officer.look()
    assert officer.says("Dear")
    officer.goto(address)
    with officer.page.expect_download() as started:
        officer.page.get_by_role("link", name="Report (PDF)").click()
    started.value.save_as(folder / "report.pdf")
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")


def engineer_looks(engineer: Watched) -> None:
    """Go from a model to its graph, ask the planner, pause and resume a queue, compare methods."""
    page, main = engineer.page, engineer.page.get_by_role("main")
    engineer.goto("/models/")
    main.locator("a[href^='/models/']:not([href*=graph])").first.click()
    page.wait_for_url("**/models/*-*/")
    engineer.look()
    version = page.url
    main.get_by_role("link", name="See it in the graph of lineage").click()
    page.locator("canvas").first.wait_for()
    engineer.look()
    engineer.goto(version)
    engineer.follow("What if somebody asked today?")
    main.get_by_label("As many records").check()
    page.fill("input[name=which]", "3")
    engineer.press("Ask the planner")
    page.get_by_role("heading", name="What would be left of its data").wait_for(timeout=LONG)
    engineer.look()
    engineer.goto("/queues/")
    main.get_by_role("button", name="Pause report").click()
    main.get_by_role("button", name="Resume report").wait_for()
    engineer.look()
    main.get_by_role("button", name="Resume report").click()
    main.get_by_role("button", name="Pause report").wait_for()
    engineer.goto("/methods/")


def auditor_checks(
    auditor: Watched, reference: str, key: str, folder: Path, *, judged: str = ""
) -> str:
    """Read the log and the evidence of a case; take proof, report and bundle away; verify them.

    ``judged`` is the page of a case with evidence, where this one may have none, as after exact
    retraining. Returns what the program said that shares no code with the site.
    """
    page, main = auditor.page, auditor.page.get_by_role("main")
    auditor.goto("/log/")
    page.fill("input[name=case]", reference)
    auditor.press("Show")
    main.locator("tbody th a").last.click()
    page.wait_for_url("**/log/*/")
    auditor.look()
    _save(auditor, "a[href$='.tlog-proof']", folder / "event.tlog-proof")
    main.get_by_role("link", name=reference).click()
    page.wait_for_url("**/cases/**")
    auditor.look()
    case = page.url
    auditor.goto(f"{case}?print=1")
    page.locator("details.part a[href*='?open=']").first.wait_for(state="detached")
    if judged:
        auditor.goto(judged)
    main.locator("a[href*='/evidence/']").first.click()
    page.wait_for_url("**/evidence/**")
    auditor.look()
    auditor.goto(case)
    _save(auditor, "a[href$='report.pdf']", folder / "audited.pdf")
    _save(auditor, "a[href$='bundle.zip']", folder / "case.zip")
    kept = folder / "from-elsewhere.txt"
    kept.write_text(key)
    done = subprocess.run(
        [sys.executable, "-I", STANDALONE, folder / "case.zip", "--key", kept],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def _save(watched: Watched, selector: str, path: Path) -> None:
    with watched.page.expect_download() as started:
        watched.page.locator(f"main {selector}").first.click()
    started.value.save_as(path)
    assert path.stat().st_size > 0
    watched.look()
