"""docs/commands.md: what each management command says of itself.

``python -m tests.site.commands_page`` writes the page.
"""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.management.base import BaseCommand

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
BEGIN, END = "<!-- commands: begin, generated -->", "<!-- commands: end -->"
OURS = ("config", "lineage", "unlearning", "audits")
WIDTH = "95"
# Django's own, which every command has.
SHARED = frozenset(
    {
        "--version",
        "--verbosity",
        "--settings",
        "--pythonpath",
        "--traceback",
        "--no-color",
        "--force-color",
        "--skip-checks",
    }
)


def commands() -> dict[str, BaseCommand]:
    """Return our commands by their names, in the order of the alphabet."""
    from django.core.management import get_commands, load_command_class

    ours = sorted((name, app) for name, app in get_commands().items() if app in OURS)
    return {name: load_command_class(app, name) for name, app in ours}


def page_text(page: str) -> str:
    """Return the page with the commands as they explain themselves now."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    with mock.patch.dict(os.environ, {"COLUMNS": WIDTH, "NO_COLOR": "1"}):
        entries = "\n".join(entry(name, command) for name, command in commands().items())
    return f"{before}{BEGIN}\n\n{entries}\n{END}{after}"


def entry(name: str, command: BaseCommand) -> str:
    """Return the help of a command, then that of each of its verbs."""
    parser = command.create_parser("manage.py", name)
    for action in parser._actions:
        if SHARED.intersection(action.option_strings):
            action.help = argparse.SUPPRESS
    texts = [parser.format_help(), *(verb.format_help() for verb in verbs(parser))]
    helps = "\n".join(f"```text\n{plain(text)}\n```\n" for text in texts)
    return f"## `{name}`\n\n{helps}"


def verbs(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield the parser of each word that may follow, however deep."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in dict.fromkeys(action.choices.values()):
                yield below
                yield from verbs(below)


def plain(text: str) -> str:
    """Return a help text without blanks at the ends of its lines."""
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE).strip()


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    PAGE.write_text(page_text(PAGE.read_text()))
