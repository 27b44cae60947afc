"""Inputs as the bytes that libFuzzer keeps and changes, and back."""

from __future__ import annotations

import copy
import json
import random
from typing import TYPE_CHECKING, Any

from tests.fuzzing.making import WORDS, spoil

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fuzzing.parser import Parser

LONGEST_WORD = 64  # of libFuzzer's dictionary
GROWTH = 64


class NoInput(ValueError):
    """These bytes are no JSON, and a parser of JSON values is never given them."""


def to_bytes(kind: str, value: Any) -> bytes:  # noqa: ANN401  (bytes, text or JSON)
    """Return an input as bytes. Raises NoInput for what is nested too deeply for JSON."""
    if kind == "bytes":
        return bytes(value)
    if kind == "text":
        return str(value).encode("utf-8", "surrogatepass")
    try:
        return json.dumps(value).encode()
    except (RecursionError, ValueError) as error:
        raise NoInput(str(error)) from error


def from_bytes(kind: str, data: bytes) -> Any:  # noqa: ANN401  (bytes, text or JSON)
    """Return the input that bytes stand for. Raises NoInput."""
    if kind == "bytes":
        return data
    if kind == "text":
        return _text(data)
    try:
        return json.loads(data)
    except (RecursionError, ValueError) as error:
        raise NoInput(str(error)) from error


def _text(data: bytes) -> str:
    """Return a text for any bytes: those that are no UTF-8 become halves of pairs."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape")


def changed(
    parser: Parser, data: bytes, longest: int, seed: int, mutate: Callable[[bytes, int], bytes]
) -> bytes:
    """Return other bytes for an input of a parser, at most ``longest``.

    One half is ``mutate``, which knows what the parser compared with; of JSON it changes one text,
    so that the rest stays JSON. The other half is what `spoil` does. Bytes that stand for no input
    are put aside for a good one.
    """
    draw = random.Random(seed)
    guided = draw.random() < 0.5
    if parser.kind == "JSON":
        return _json_changed(parser, data, longest, draw, mutate if guided else None)
    if guided:
        return mutate(data, longest)
    return to_bytes(parser.kind, spoil(parser.kind, from_bytes(parser.kind, data), draw))[:longest]


def _json_changed(
    parser: Parser,
    data: bytes,
    longest: int,
    draw: random.Random,
    mutate: Callable[[bytes, int], bytes] | None,
) -> bytes:
    try:
        value = from_bytes("JSON", data)
    except NoInput:
        value = copy.deepcopy(draw.choice(parser.seeds))
    try:
        value = (
            _with_one_text_changed(value, draw, mutate) if mutate else spoil("JSON", value, draw)
        )
        made = to_bytes("JSON", value)
    except NoInput:
        return data
    return made if len(made) <= longest else data


def _with_one_text_changed(
    value: Any,  # noqa: ANN401  (any JSON)
    draw: random.Random,
    mutate: Callable[[bytes, int], bytes],
) -> Any:  # noqa: ANN401  (any JSON)
    """Walk down to a node; a text is changed by ``mutate``, and whatever else by `spoil`."""
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        return _text(mutate(data, len(data) + GROWTH))
    if not isinstance(value, dict | list) or not value:
        return spoil("JSON", value, draw)
    key = draw.choice(sorted(value) if isinstance(value, dict) else range(len(value)))
    value[key] = _with_one_text_changed(value[key], draw, mutate)
    return value


def dictionary() -> str:
    """Return the words that readers have tripped over, as a dictionary of libFuzzer."""
    words = (word.encode("utf-8", "surrogatepass") for word in WORDS)
    return "".join(
        '"{}"\n'.format("".join(f"\\x{byte:02x}" for byte in word))
        for word in words
        if 0 < len(word) <= LONGEST_WORD
    )
