"""``python -m tests.screenshots [FOLDER]``: every page, photographed, and four journeys."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import django

from tests.functional.browser import QUIET, chromium
from tests.screenshots import site

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.journey.scene import Scene

BEGAN = time.monotonic()


def main() -> int:
    """Make a site, photograph it, play the journeys; return 1 where something was wrong."""
    asked = _arguments()
    path = chromium()
    if path is None:
        say("No chromium is on PATH: install it, as on Debian with `apt install chromium`.")
        return 1
    folder = Path(asked.folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="expunge-screenshots-") as home:
        try:
            site.make(Path(home))
        except site.SiteStopped as error:
            say(str(error))
            return 1
        django.setup()
        with site.served() as scene:
            wrong = _photograph(scene, folder, path)
    for line in wrong:
        say(f"WRONG {line}")
    say(f"{folder / 'index.html'} shows the pictures; {len(wrong) or 'no'} faults were found.")
    return 1 if wrong else 0


def _photograph(scene: Scene, folder: Path, chromium_path: str) -> list[str]:
    from playwright.sync_api import sync_playwright

    from tests.screenshots import journeys, public, stories
    from tests.screenshots.addresses import addresses
    from tests.screenshots.camera import Camera
    from tests.screenshots.chosen import write_chosen
    from tests.screenshots.sheet import write_sheet

    told = stories.play(scene, say)
    found = addresses(told)
    for old in folder.glob("*.png"):
        old.unlink()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium_path, args=QUIET)
        try:
            camera = Camera(launched, scene.site, folder)
            camera.watched.sign_in(stories.HEAD, stories.PASSWORD)
            for number, address in enumerate(found, start=1):
                camera.visit(address, _counted(number, len(found)))
            person = Camera(launched, scene.site, folder)
            person.taken = camera.taken
            public.walk(person, told, say)
            write_sheet(folder, camera.taken)
            write_chosen(folder, camera.taken)
            wrong = [
                f"{one.name} {fault}"
                for one in camera.taken
                for fault in one.faults
                if one.pictures
            ]
            stories.go_on(scene, told)
            return wrong + journeys.play_all(launched, scene, say)
        finally:
            launched.close()


def _counted(number: int, total: int) -> Callable[[str], None]:
    return lambda name: say(f"page {number} of {total}: {name}")


def say(line: str) -> None:
    """Print a line with the time since the start."""
    print(f"{time.monotonic() - BEGAN:6.0f} s  {line}", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", default="var/screenshots", help="where they go")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
