"""The pictures side by side, in one page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tests.functional.watching import SCREENS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.screenshots.camera import Taken

HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Expunge, every page</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 1.5rem; background: #eee; color: #111; }
section { margin-block: 2rem; } h2 { font-size: 1.125rem; margin: 0; }
.row { display: flex; gap: 1rem; align-items: flex-start; overflow-x: auto; }
img { display: block; border: 1px solid #999; max-height: 60rem; }
img { object-fit: cover; object-position: top; }
.w1280 { width: 40rem; } .w390 { width: 15rem; } .bad { color: #9c1b1b; font-weight: 600; }
</style>
"""


def write_sheet(folder: Path, taken: Sequence[Taken]) -> Path:
    """Write ``index.html`` beside the pictures and return its path."""
    shown = [one for one in taken if one.pictures]
    bare = [one for one in taken if not one.pictures]
    parts = [HEAD, f"<h1>{len(shown)} pages on {len(SCREENS)} screens</h1><ul>"]
    parts += [f'<li><a href="#{n}">{escape(one.name)}</a></li>' for n, one in enumerate(shown)]
    parts += ["</ul>", *(_section(number, one) for number, one in enumerate(shown))]
    if bare:
        names = ", ".join(escape(one.name) for one in bare)
        parts.append(f"<h2>Not photographed</h2><p>Nothing to show: {names}.</p>")
    path = folder / "index.html"
    path.write_text("\n".join(parts))
    return path


def _section(number: int, one: Taken) -> str:
    pictures = "".join(
        f'<a href="{file}"><img class="w{screen.split("-")[0]}" src="{file}" loading="lazy" '
        f'alt="{escape(one.name)}, {screen}"></a>'
        for screen, file in one.pictures.items()
    )
    faults = "".join(f'<p class="bad">{escape(fault)}</p>' for fault in one.faults)
    facts = f"{escape(one.path.partition('?')[0])}, {one.milliseconds} ms, {one.kilobytes} KiB"
    return (
        f'<section id="{number}"><h2>{escape(one.name)}</h2><p>{facts}</p>{faults}'
        f'<div class="row">{pictures}</div></section>'
    )
