"""What the attacks say about themselves, as a page for people.

``python -m audits.core.attack_page`` writes the entries of ``docs/attacks.md``.
"""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from textwrap import fill

from audits.core.attack import Attack, CanaryAttack, ModelComparison, RecordAttack
from audits.core.kinds import of_kind
from unlearning.core.entries import one_line, opening, sections

PAGE = Path(__file__).parents[2] / "docs" / "attacks.md"
BEGIN, END = "<!-- attacks: begin, generated -->", "<!-- attacks: end -->"
WIDTH = 99
SECTIONS = ("Assumption", "Score", "Cost", "Known failure", "Reference")
HEAD = (
    "| name | title | judges | the adversary | models of each arm first | reads | published in |",
    "|---|---|---|---|---|---|---|",
)
OTHERS = (
    "| name | title | says | the adversary | published in |",
    "|---|---|---|---|---|",
)


def page_text(page: str) -> str:
    """Return the page with what lies between the two markers renewed."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    every = sorted(of_kind(Attack).items())
    middle = "\n".join([*tables(), *(entry(name, cls) for name, cls in every)])
    return f"{head}{BEGIN}\n\n{middle}\n{END}{tail}"


def tables() -> tuple[str, str]:
    """Return two Markdown tables, of attacks on records and of the others, a row each."""
    records = [_row(name, cls) for name, cls in of_kind(RecordAttack).items()]
    canaries = of_kind(CanaryAttack).items()
    compared = of_kind(ModelComparison).items()
    others = [
        *(_other(name, cls, "fail only, by canaries") for name, cls in canaries),
        *(_other(name, cls, "a percentile, no verdict") for name, cls in compared),
    ]
    return "\n".join([*HEAD, *records]) + "\n", "\n".join([*OTHERS, *others]) + "\n"


def judges(cls: type[RecordAttack]) -> str:
    """Return what an attack can say about an erasure."""
    if cls.compares_versions:
        return "never an erasure"
    return "pass or fail" if cls.can_pass else "fail only"


def _row(name: str, cls: type[RecordAttack]) -> str:
    cells = (
        f"`{name}`",
        cls.title,
        judges(cls),
        cls.adversary,
        str(cls.burn_in),
        "whole predictions" if cls.reads_outputs else "margins",
        cls.paper,
    )
    return f"| {' | '.join(cells)} |"


def _other(name: str, cls: type[Attack], says: str) -> str:
    return f"| `{name}` | {cls.title} | {says} | {cls.adversary} | {cls.paper} |"


def entry(name: str, cls: type[Attack]) -> str:
    """Return what an attack does, what it needs and where it fails, and its settings."""
    text = inspect.getdoc(cls) or ""
    said = {heading: one_line(body) for heading, body in sections(text).items()}
    paragraphs = [
        opening(text),
        *(f"*{heading}.* {said[heading]}" for heading in SECTIONS if heading in said),
        _settings(cls),
    ]
    body = "\n\n".join(fill(each, WIDTH, break_on_hyphens=False) for each in paragraphs)
    return f"## {cls.title}\n\n`{name}`\n\n{body}\n"


def _settings(cls: type[Attack]) -> str:
    settings = ", ".join(f"`{each.name}` = {each.default!r}" for each in fields(cls))
    return f"*Settings.* {settings or 'none'}."


def main() -> None:
    """Write the page."""
    PAGE.write_text(page_text(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
