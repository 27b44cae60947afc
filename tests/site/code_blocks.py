"""The code blocks of the documentation: where each stands, and what it is written in."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
FENCE = re.compile(
    r'^(?P<indent> *)```(?P<language>\w*)(?: title="(?P<title>[^"]*)")?\n'
    r"(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
GENERATED = re.compile(r"<!-- commands:? begin.*?<!-- commands:? end", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block: its page from the top of the checkout, and the line on which it begins.

    ``generated``: it stands in a part of the page that another test holds against the program.
    """

    page: str
    line: int
    language: str
    title: str
    text: str
    generated: bool

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def first(self) -> str:
        """Return the first line, by which a block is named where its place may move."""
        return self.text.partition("\n")[0]


def pages() -> list[Path]:
    """Return the pages that are held: README, CONTRIBUTING and docs without its decisions."""
    docs = sorted(path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "adr")
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *docs]


def blocks_in(text: str, page: str) -> Iterator[Block]:
    """Yield the blocks of a page in order."""
    generated = [found.span() for found in GENERATED.finditer(text)]
    for found in FENCE.finditer(text):
        yield Block(
            page=page,
            line=text.count("\n", 0, found.start()) + 1,
            language=found["language"],
            title=found["title"] or "",
            text=textwrap.dedent(found["text"]),
            generated=any(begin < found.start() < end for begin, end in generated),
        )


def every_block() -> list[Block]:
    """Return all blocks that a person wrote, page by page."""
    return [
        block
        for path in pages()
        for block in blocks_in(path.read_text(), str(path.relative_to(ROOT)))
        if not block.generated
    ]


def indented_blocks(text: str) -> list[str]:
    """Return the first lines of blocks that are code by their indentation alone.

    They have no language, so nothing can tell how they are to be checked. What is below a point
    of a list or below ``:::`` (an option of mkdocstrings) is no block.
    """
    bare = FENCE.sub("", text)
    paragraphs = [[line for line in part.split("\n") if line] for part in bare.split("\n\n")]
    return [lines[0].strip() for lines in paragraphs if lines and is_code(lines)]


def is_code(lines: list[str]) -> bool:
    """Return whether every line of a paragraph is indented as code is."""
    return all(line.startswith("    ") for line in lines)


def mentions() -> list[tuple[str, str]]:
    """Return each page's commands that stand in a sentence, as (page, command)."""
    command = re.compile(r"`((?:python )?(?:manage\.py|expunge|make|python -m|-m) [^`\n]+)`")
    return [
        (str(path.relative_to(ROOT)), text)
        for path in pages()
        for text in sorted(set(command.findall(GENERATED.sub("", path.read_text()))))
    ]
