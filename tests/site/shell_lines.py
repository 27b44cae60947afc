"""The commands in a block of shell, one by one: as much of a shell as documentation uses."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PUNCTUATION = "|&;()<>"
ASSIGNMENT = re.compile(r"\w+=")


def commands(text: str) -> list[list[str]]:
    """Return the words of each command, without assignments before it and redirections behind.

    A line that goes on is joined, a comment dropped; pipes, lists and ``$(...)`` give a command
    each. What is quoted stays one word.
    """
    joined = re.sub(r"\\\n\s*", " ", text)
    parts = (part for line in joined.splitlines() for part in simple_commands(words_of(line)))
    return [words for words in map(bare, parts) if words]


def words_of(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=PUNCTUATION)
    lexer.whitespace_split = True
    return list(lexer)


def simple_commands(words: list[str]) -> Iterator[list[str]]:
    """Yield what stands between the operators of a line; what follows ``<`` or ``>`` is a file."""
    found: list[str] = []
    to_file = False
    for word in words:
        if to_file:
            to_file = False
        elif set(word) & set("<>") and set(word) <= set(PUNCTUATION):
            to_file = True
        elif word and set(word) <= set(PUNCTUATION):
            yield found
            found = []
        else:
            found.append(word)
    yield found


def bare(words: list[str]) -> list[str]:
    """Return a command without ``export`` and assignments before it."""
    if words[:1] == ["export"]:
        words = words[1:]
    while words and ASSIGNMENT.match(words[0]):
        words = words[1:]
    return words
