"""Four people's journeys, each on every screen, at the photographed site."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from audits import keys
from tests.functional import journeys
from tests.functional.watching import SCREENS, Watched
from tests.screenshots.stories import CREW, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

    from config.journey.scene import Scene
    from tests.functional.watching import Screen

FIRST = 31  # the number of the first person who asks here; every other one does


def play_all(launched: Browser, scene: Scene, say: Callable[[str], None]) -> list[str]:
    """Play the four journeys on every screen; return what went wrong."""
    wrong, judged = [], ""
    for number, screen in enumerate(SCREENS):
        other = SCREENS[(number + 2) % len(SCREENS)]
        try:
            page = _play(launched, scene, FIRST + 4 * number, (screen, other), judged)
            judged = judged or page  # later the same models are trained again: no evidence
            say(f"four journeys at {screen.name}")
        except Exception as error:  # noqa: BLE001  (whatever it is, the next screen is tried)
            wrong.append(f"journeys at {screen.name}: {error}")
            say(f"WRONG {wrong[-1]}")
    return wrong


def _play(
    launched: Browser, scene: Scene, number: int, screens: tuple[Screen, Screen], judged: str
) -> str:
    letter = scene.mailbox.find
    screen, other = screens
    people = [
        Watched(launched, scene.site, one) for one in (screen, screen, other, screen, screen)
    ]
    person, officer, reviewer, engineer, auditor = people
    for one, name in zip(people[1:], CREW, strict=True):
        one.sign_in(name, PASSWORD)
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        asked = journeys.person_asks(person, scene.person(number), letter)
        journeys.officer_decides(officer, reviewer, asked.reference)
        journeys.officer_watches(officer)
        journeys.engineer_looks(engineer)
        journeys.officer_ends(officer, folder)
        said = journeys.auditor_checks(
            auditor, asked.reference, keys.verifier_text(), folder, judged=judged
        )
        case = auditor.page.url
        assert "VERIFIED." in said, said
        journeys.person_reads(person, asked, folder)
        journeys.person_withdraws(person, scene.person(number + 2), letter)
    for one in people:
        one.close()
    return case
