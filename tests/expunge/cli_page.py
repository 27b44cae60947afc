"""The part of docs/cli.md that repeats what ``--help`` says: python -m tests.expunge.cli_page."""

from __future__ import annotations

import click

from expunge.cli.main import cli
from tests.clean_environment import ROOT

PAGE = ROOT / "docs" / "cli.md"
BEGIN, END = "<!-- commands begin -->", "<!-- commands end -->"


def commands(group: click.Group, before: str = "") -> dict[str, click.Command]:
    """Return every command that does something, by its words."""
    found: dict[str, click.Command] = {}
    for name, one in sorted(group.commands.items()):
        words = f"{before} {name}".strip()
        found |= commands(one, words) if isinstance(one, click.Group) else {words: one}
    return found


def page_text(page: str) -> str:
    """Return the page with the commands as they explain themselves now."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    entries = "\n".join(map(entry, commands(cli).items()))
    return f"{before}{BEGIN}\n\n{entries}\n{END}{after}"


def entry(named: tuple[str, click.Command]) -> str:
    words, command = named
    context = click.Context(command, info_name=f"expunge {words}", max_content_width=95)
    context.terminal_width = 95
    context.help_option_names = ["-h", "--help"]
    return f"### `expunge {words}`\n\n```text\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page_text(PAGE.read_text()))
