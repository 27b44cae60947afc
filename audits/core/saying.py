"""How a module without Django lets others choose the language of its sentences.

A function that builds sentences takes a ``Say``: English where a command prints or a record keeps
them, a catalogue where a page shows them. ``tests.words`` finds the calls of ``say``.
"""

from __future__ import annotations

from typing import Protocol


class Say(Protocol):
    """Return a sentence with ``%(name)s`` filled in."""

    def __call__(self, words: str, /, **values: object) -> str:
        """Return the sentence; without values nothing in it is filled in."""
        ...


def english(words: str, /, **values: object) -> str:
    """Return the sentence as it is written in the module."""
    return words % values if values else words
