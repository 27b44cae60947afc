"""Whether a command of the documentation would be taken by the program that it names.

Nothing is run. ``manage.py`` and ``expunge`` parse all that stands behind them, so an option that
is gone, a verb that was renamed and a value that is not allowed are found.
"""

from __future__ import annotations

import importlib.util
import json
import re
from typing import TYPE_CHECKING

import click
from django.core.management import CommandError, get_commands, load_command_class

from expunge.cli.main import cli
from tests.expunge import cli_page
from tests.site.code_blocks import ROOT
from tests.site.commands_page import verbs
from tests.site.shell_lines import commands

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Programs of the system; what they take is not ours to say.
OF_THE_SYSTEM = frozenset(
    {
        ".",
        "cd",
        "echo",
        "go",
        "grep",
        "jupyter",
        "kill",
        "mkdir",
        "model_signing",
        "openssl",
        "pip",
    }
    | {"sleep", "timeout", "uniq", "unzip"}
)
# What stands where a reader writes a value of theirs, and such a value.
SAMPLES = {
    "DAY": "2026-03-02",
    "ID": "00000000-0000-4000-8000-000000000001",
    "MODEL:VERSION": "faces:3",
    "NUMBER": "1",
}


class NotTaken(Exception):
    """A program would refuse the command; the sentence says why."""


def check_all(text: str) -> None:
    """Raise where a command of a block would not be taken.

    Raises:
        NotTaken: a program would not take one of them, or we know no such program.
    """
    for words in commands(text):
        check(words)


def check(words: Sequence[str]) -> None:
    """Raise where the program named first would not take the rest.

    Raises:
        NotTaken: it would not, or we know no such program.
    """
    program, *rest = [SAMPLES.get(word, word) for word in words]
    program = program.removeprefix(".venv/bin/").removesuffix("3.11")
    if program in PROGRAMS:
        PROGRAMS[program](rest)
    elif program not in OF_THE_SYSTEM and not program.startswith("./"):
        raise NotTaken(f"{program} is no program that the documentation may use")


def python(words: Sequence[str]) -> None:
    if words[0] == "-c":
        compile(words[1], "-c", "exec")
    elif words[0] == "-m":
        if importlib.util.find_spec(words[1]) is None:
            raise NotTaken(f"there is no module {words[1]}")
    elif words[0] == "manage.py":
        manage(words[1:])
    elif not any(word.endswith("verify.py") or "/" in word for word in words[:2]):
        raise NotTaken(f"python {words[0]} is no file that the documentation has")


def manage(words: Sequence[str]) -> None:
    apps = get_commands()
    if words[0] not in apps:
        raise NotTaken(f"there is no command {words[0]}")
    parser = load_command_class(str(apps[words[0]]), words[0]).create_parser("manage.py", words[0])
    try:
        parser.parse_args(list(words[1:]))
    except CommandError as why:
        raise NotTaken(f"{words[0]}: {why}") from why


def expunge(words: Sequence[str]) -> None:
    found: click.Command = cli
    rest = list(words)
    try:
        while isinstance(found, click.Group):
            # Click keeps the option of the first context, and docs/cli.md is compared with it.
            context = click.Context(found, help_option_names=["-h", "--help"])
            _, rest, _ = found.make_parser(context).parse_args(rest)
            name, *rest = rest or [""]
            if name not in found.commands:
                raise NotTaken(f"expunge has no {' '.join(words)}")
            found = found.commands[name]
        verb(found, rest)
    except click.UsageError as why:
        raise NotTaken(why.format_message()) from why


def verb(command: click.Command, words: list[str]) -> None:
    """Hold words against what a verb takes, without its callbacks, which may ask for a secret."""
    context = click.Context(command, help_option_names=["-h", "--help"])
    given, _, _ = command.make_parser(context).parse_args(words)
    for param in command.params:
        value = given.get(str(param.name))
        if param.required and param.value_is_missing(value):
            raise click.MissingParameter(ctx=context, param=param)
        if given.get(str(param.name)) and not isinstance(param.type, click.Path | click.File):
            param.type_cast_value(context, value)


def make(words: Sequence[str]) -> None:
    text = (ROOT / "Makefile").read_text()
    for word in words:
        name, is_variable, _ = word.partition("=")
        known = rf"\b{name}\b\)|\$\({name}\)" if is_variable else rf"^{name}:.*## "
        if not re.search(known, text, re.MULTILINE):
            raise NotTaken(f"the Makefile has no {word}")


def curl(words: Sequence[str]) -> None:
    """Hold the address of a call against the document of the API."""
    address = next(word for word in words if "/api/v1" in word)
    called(("POST" if "-d" in words else "GET"), address)


def called(verb: str, address: str) -> None:
    """Raise where the API has no such call.

    Raises:
        NotTaken: no address of the document fits, or this verb is not at it.
    """
    path = "/api/v1" + address.partition("/api/v1")[2].partition("?")[0]
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())
    for known, there in document["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path) and verb.lower() in there:
            return
    raise NotTaken(f"the API has no {verb} {path}")


PROGRAMS: dict[str, Callable[[Sequence[str]], None]] = {
    "curl": curl,
    "expunge": expunge,
    "make": make,
    "manage.py": manage,
    "python": python,
}


def mention(text: str) -> None:
    """Hold what a sentence says of a command against the command: its name, verb and options.

    A sentence leaves out what it does not speak of, so nothing is missed here.

    Raises:
        NotTaken: there is no such command, verb or option.
    """
    words = re.sub(r"[\[\]]", "", text.removeprefix("python ")).split()
    if words[0] == "manage.py" and words[1] not in {"COMMAND", "..."}:
        mentioned(words[1:])
    elif words[0] == "make":
        make([word for word in words[1:] if word != "help"])
    elif words[0] == "-m":
        python(words)
    elif words[0] == "expunge":
        spoken(words[1:])


def mentioned(words: Sequence[str]) -> None:
    name, *rest = words
    apps = get_commands()
    if name not in apps:
        raise NotTaken(f"there is no command {name}")
    parser = load_command_class(str(apps[name]), name).create_parser("manage.py", name)
    parsers = [parser, *verbs(parser)]
    options = {one for each in parsers for one in each._option_string_actions}
    known = {each.prog.rpartition(" ")[2] for each in parsers[1:]}
    if unknown := {word for word in rest if word.startswith("--")} - options:
        raise NotTaken(f"{name} has no {', '.join(sorted(unknown))}")
    if known and rest and rest[0].islower() and not set(rest[0].rstrip(",").split("|")) <= known:
        raise NotTaken(f"{name} has no {rest[0]}")


def spoken(words: Sequence[str]) -> None:
    verbs_of_all = cli_page.commands(cli)
    known = {*verbs_of_all, *(name.partition(" ")[0] for name in verbs_of_all if len(words) == 1)}
    if not {words[0], " ".join(words[:2])} & known:
        raise NotTaken(f"expunge has no {' '.join(words)}")
