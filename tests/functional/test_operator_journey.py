"""Somebody mislabelled digits: staff start a case, a second one approves, the record is sealed."""

from __future__ import annotations

import csv
import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.functional.browser import QUIET, chromium
from tests.functional.installation import Installation, until
from tests.functional.test_erasure_journey import WAIT, versions
from unlearning.recipes.digits import digit_records

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.long,
    pytest.mark.queue,
    pytest.mark.skipif("DATABASE_URL" in os.environ, reason="one engine will do"),
    pytest.mark.skipif(chromium() is None, reason="chromium is not on PATH"),
]

BAD, RECORDS = 12, 160
FIRST, SECOND = ("first", "a first pair of eyes"), ("second", "a second pair of eyes")
FEW = json.dumps({"epochs": 10, "hidden": 16, "targets": ["0", "1", "2"]})
# One process for each side of the journey, as to start one takes longer than what it does.
PREPARE = f"""
from django.contrib.auth.models import User
from django.core.management import call_command
for name, password in ({FIRST!r}, {SECOND!r}):
    User.objects.create_superuser(name, password=password)
call_command('import_records', 'MANIFEST', '--dataset', 'digits')
call_command('take_snapshot', 'digits')
"""
CASE = """
import json
from django.core.management import call_command
from audits.models import *; from audits.queries import case_file; from lineage.models import *
case = ErasureRequest.objects.get()
call_command('export_report', case.reference, '--out', 'REPORT')
call_command('verify', 'REPORT')
print(json.dumps({
    'status': case.status, 'outcome': case.outcome, 'failure': case.failure,
    'reference': case.reference, 'letters': Letter.objects.count(),
    'runs': [case_file.describe_run(run) for run in case_file.ordered_runs(case)],
    'live': [str(v) for v in ModelVersion.objects.filter(state='ACTIVE')],
    'files': RecordContent.objects.count(),
}, default=str))
"""


def write_spoilt(folder: Path) -> Path:
    """Write digits of which the first twelve are ones that are called twos."""
    folder.mkdir()
    digits = [one for one in digit_records() if one[1] in "012"]
    ones = [one for one in digits if one[1] == "1"][:BAD]
    others = [one for one in digits if one not in ones][: RECORDS - BAD]
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["key", "subject", "path", "target", "media_type"])
        for number, (content, target) in enumerate([*ones, *others]):
            (folder / f"{number}.png").write_bytes(content)
            label = "2" if number < BAD else target
            rows.writerow([number, "studio@example.org", f"{number}.png", label, "image/png"])
    return manifest


@pytest.fixture
def place(tmp_path, template):
    installation = Installation(home=tmp_path / "home")
    installation.home.mkdir()
    shutil.copy(template["NAME"], installation.home / "expunge.sqlite3")
    installation.manage("setup")  # another journey begins with no database
    manifest = write_spoilt(installation.home / "incoming")
    prepare = PREPARE.replace("MANIFEST", str(manifest))
    snapshot = installation.manage("shell", "-v", "0", "-c", prepare).split()[-1]
    installation.serve()
    recipe = ("--recipe", "unlearning.recipes.digits:DigitsMLP", "--parameters", FEW)
    try:
        installation.manage("train", "ones", *recipe, "--snapshot", snapshot)
        until(lambda: versions(installation) == 1, seconds=WAIT, what="a version")
        yield installation
    finally:
        installation.close()


def test_mislabelled_digits_leave_the_training(place, tmp_path):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        try:
            address = Staff(place, launched, *FIRST).propose()
            Staff(place, launched, *SECOND, dark=True).approve(address)
        finally:
            launched.close()
    said = place.manage("shell", "-v", "0", "-c", CASE.replace("REPORT", str(tmp_path / "report")))
    ended = json.loads(said.splitlines()[-1])
    assert (ended["status"], ended["outcome"], ended["letters"]) == ("SEALED", "REMOVED", 0), ended
    (run,) = ended["runs"]
    assert (run["method"], run["verdict"]) == ("retrain", "ERASED_BY_CONSTRUCTION")
    assert run["forget_set_size"] == BAD
    assert "takes exact ways only" in json.dumps(run["weighed"])
    assert (ended["live"], ended["files"]) == (["ones v2"], RECORDS)
    assert "outcome REMOVED" in said


class Staff:
    """A member of staff with a browser: on a wide light screen, or a narrow dark one."""

    def __init__(self, place, launched, name, password, *, dark=False) -> None:
        size = {"width": 390, "height": 844} if dark else {"width": 1280, "height": 900}
        context = launched.new_context(viewport=size, color_scheme="dark" if dark else "light")
        self.page, self.place, self.dark = context.new_page(), place, dark
        self.complaints: list[str] = []
        self.page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type == "error" else None,
        )
        self.page.goto(f"{place.site}/cases/")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", password)
        self.press("Sign in")
        self.page.wait_for_url("**/cases/**")

    def press(self, words):
        self.page.get_by_role("main").get_by_role("button", name=words).first.click()

    def propose(self):
        """Start a case about three records, and propose what was found around them."""
        self.page.get_by_role("link", name="Start a case…").click()
        self.look("1-form")
        self.page.check("input[name=reason][value=MISLABELLED]")
        self.page.select_option("select[name=version]", label="ones v1")
        self.page.fill("textarea[name=records]", "0, 3, 7")
        self.press("Open the case")
        self.page.wait_for_url("**/forget-set/")
        self.page.get_by_role("button", name="Propose this set").wait_for(timeout=WAIT * 1000)
        assert self.page.locator("input[name=keep]:checked").count() == BAD
        self.look("2-proposal")
        self.press("Propose this set")
        self.page.get_by_text("cannot approve it").first.wait_for()
        assert self.page.get_by_role("button", name="Approve").count() == 0
        self.look("3-proposed")
        return self.page.url

    def approve(self, address):
        """Approve as the second member of staff, and wait for the sealed record."""
        self.page.goto(address)
        self.look("4-approval")
        self.press("Approve and start the unlearning")
        self.page.get_by_text("Closed: removed from training").wait_for(timeout=WAIT * 1000)
        assert "No statutory deadline" in self.page.content()
        assert "Art. 12" not in self.page.content()
        self.look("5-sealed")

    def look(self, name):
        """Nothing sticks out, and the browser has nothing to complain of; keep a picture."""
        width = self.page.viewport_size["width"]
        assert self.page.evaluate("document.documentElement.scrollWidth") <= width, self.page.url
        assert self.complaints == [], self.page.url
        if folder := os.environ.get("EXPUNGE_TEST_PICTURES"):
            self.page.screenshot(path=f"{folder}/{name}.png", full_page=True)
