"""What is known of one parser: what it reads, how it refuses, and input that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class NoObject(TypeError):
    """A caller hands over objects alone; whatever else was made is refused before it."""


def an_object(value: object) -> dict[str, Any]:
    """Return a JSON object, as the caller of a parser has it. Raises NoObject."""
    if not isinstance(value, dict):
        raise NoObject
    return value


@dataclass(frozen=True, kw_only=True)
class Parser:
    """One parser; ``seeds`` are bytes, texts or JSON values, and all inputs are of their kind.

    ``refuses`` are all errors that it may raise. ``seconds`` of processor time and ``megabytes``
    are the most that one input may cost.
    """

    name: str
    reads: str
    call: Callable[[Any], object]
    refuses: tuple[type[BaseException], ...]
    seeds: tuple[Any, ...]
    seconds: float = 1.0
    megabytes: int = 512

    @property
    def kind(self) -> str:
        """Return bytes, text or JSON."""
        first = self.seeds[0]
        return (
            "bytes" if isinstance(first, bytes) else "text" if isinstance(first, str) else "JSON"
        )
