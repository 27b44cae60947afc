"""The few pictures that the README shows, small enough for a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.screenshots.camera import Taken

SCREEN = "1280-light"
HIGH = 1000  # CSS pixels; a longer page is cut there
COLOURS = 64
# The name of a page: that of its picture in docs/images.
CHOSEN = {
    "staff home": "home.png",
    "case": "case.png",
    "evidence": "evidence.png",
    "what if answer": "what-if.png",
}


def write_chosen(folder: Path, taken: Sequence[Taken]) -> Path:
    """Write the chosen pictures, cut and with few colours, into ``chosen`` and return it."""
    from PIL import Image

    chosen = folder / "chosen"
    chosen.mkdir(exist_ok=True)
    for one in taken:
        if one.name in CHOSEN and SCREEN in one.pictures:
            with Image.open(folder / one.pictures[SCREEN]) as whole:
                cut = whole.convert("RGB").crop((0, 0, whole.width, min(whole.height, HIGH)))
            few = cut.quantize(COLOURS, dither=Image.Dither.NONE)
            few.save(chosen / CHOSEN[one.name], optimize=True)
    return chosen
