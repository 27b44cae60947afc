"""docs/cookbook/: the notebooks as pages, so that what is shown is what is run.

``python -m tests.notebooks.pages`` writes them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOTEBOOKS, PAGES = ROOT / "notebooks", ROOT / "docs" / "cookbook"
MARK = "<!-- generated from notebooks/{name}.ipynb -->"


def notebooks() -> list[Path]:
    """Return the notebooks by name."""
    return sorted(NOTEBOOKS.glob("*.ipynb"))


def page_of(name: str) -> Path:
    """Return where the page of a notebook is."""
    return PAGES / f"{name}.md"


def page_text(notebook: Path) -> str:
    """Return a notebook as a page: its words, and its code in blocks."""
    first, *rest = json.loads(notebook.read_text())["cells"]
    title, _, opening = linked("".join(first["source"])).partition("\n\n")
    name = notebook.stem
    offered = f"This page is the notebook [`{name}.ipynb`](../../notebooks/{name}.ipynb)."
    parts = [title, MARK.format(name=name), offered, opening, *map(shown, rest)]
    return "\n\n".join(filter(None, parts)) + "\n"


def shown(cell: dict[str, object]) -> str:
    """Return one cell in Markdown."""
    text = "".join(map(str, cell["source"]))  # type: ignore[call-overload]  # a list of lines
    return f"```python\n{text}\n```" if cell["cell_type"] == "code" else linked(text)


def linked(text: str) -> str:
    """Point links from the folder of the notebooks to the same pages from that of the cookbook."""
    text = re.sub(r"\]\(\.\./docs/", "](../", text)
    return re.sub(r"\]\((\w+)\.ipynb\)", r"](\1.md)", text)


if __name__ == "__main__":
    PAGES.mkdir(exist_ok=True)
    for one in notebooks():
        page_of(one.stem).write_text(page_text(one))
