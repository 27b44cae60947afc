"""Inputs: made up by hypothesis, at random, and from good ones that are spoiled step by step."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

    from tests.fuzzing.parser import Parser

LONGEST = 200_000
# What readers of numbers, names and lines have tripped over.
WORDS = (
    *("", "0", "-1", "1e999", "NaN", "Infinity", "null", "true", "9" * 25, "1" * 5000, "0x10"),
    *("\0", "\r\n", "\x85", "\u2028", "\ud800", "\u202e", "\ufeff", "\u0660\u0661", "\u00b2"),
    *(
        "\u0130",
        "\u00df",
        "e\u0301",
        "\U0001f9ff",
        "../../etc/passwd",
        "%00",
        "%",
        "[",
        "]",
        "://",
    ),
    *("@", ":", "@@", "xn--", "http://[::1", "{{", "{%", "'", '"', "\\", ";--", "+", "=", "==="),
    *("0000-00-00", "9999-12-31T23:59:59+23:59", "2026-02-30", "0001-01-01T00:00:00+14:00"),
)
PLAIN = (*WORDS, None, True, False, 0, -1, 2**31, 2**53, 2**64, 10**400, 0.5, -0.0, 1e308)
ODD: tuple[Any, ...] = (
    *PLAIN,
    float("nan"),
    float("inf"),
    [],
    {},
    [[]],
    {"": None},
    [None],
    {"\0": "\0"},
)
BYTES = (
    b"",
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x80",
    b"PK\x03\x04",
    b"\xef\xbb\xbf",
)

_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
JSON = st.recursive(
    _LEAVES,
    lambda one: st.lists(one, max_size=4) | st.dictionaries(st.text(max_size=8), one, max_size=4),
    max_leaves=12,
)


def strategy(parser: Parser) -> SearchStrategy[Any]:
    """Return what hypothesis makes up for a parser, by itself or out of names that it knows."""
    if parser.kind == "bytes":
        return st.binary(max_size=600) | st.tuples(
            st.sampled_from(parser.seeds), st.binary(max_size=30), st.integers(0, 400)
        ).map(lambda one: one[0][: one[2]] + one[1])
    if parser.kind == "text":
        any_text = st.text(max_size=200) | st.text("0123456789-+.:/@ ,TZ[]%", max_size=60)
        return any_text | st.tuples(st.sampled_from(parser.seeds), st.text(max_size=10)).map(
            "".join
        )
    names = sorted({name for seed in parser.seeds if isinstance(seed, dict) for name in seed})
    if not names:
        return JSON
    known = st.dictionaries(st.sampled_from(names), JSON, max_size=len(names))
    told = st.tuples(st.sampled_from(parser.seeds), known).map(lambda one: {**one[0], **one[1]})
    return JSON | known | told


def spoiled(parser: Parser, draw: random.Random) -> Any:  # noqa: ANN401  (bytes, text or JSON)
    """Return a good input with one to eight things changed."""
    return spoil(parser.kind, copy.deepcopy(draw.choice(parser.seeds)), draw)


def spoil(kind: str, value: Any, draw: random.Random) -> Any:  # noqa: ANN401  (bytes, text or JSON)
    """Return a value of a kind with one to eight things changed; JSON is changed in place."""
    ways: dict[str, Callable[[Any, random.Random], Any]]
    ways = {"bytes": _bytes, "text": _text, "JSON": _tree}
    change = ways[kind]
    # One may be nested too deeply, or be too large, to be spoiled any more.
    with suppress(RecursionError, OverflowError):
        for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
            value = change(value, draw)
    return value


def _bytes(data: bytes, draw: random.Random) -> bytes:
    at, end = sorted(draw.randrange(len(data) + 1) for _ in range(2))
    put = draw.choice(
        (
            *BYTES,
            draw.randbytes(draw.randrange(9)),
            draw.choice(WORDS).encode("utf-8", "surrogatepass"),
        )
    )
    way = draw.randrange(6)
    if way == 0 and data:  # one bit
        at = min(at, len(data) - 1)
        return data[:at] + bytes((data[at] ^ 1 << draw.randrange(8),)) + data[at + 1 :]
    if way == 1:
        return data[:at]
    if way == 2:
        return data[:at] + data[end:]
    if way == 3:
        return (data[:end] + data[at:end] * draw.choice((1, 3, 40)) + data[end:])[:LONGEST]
    if way == 4:
        return data[:at] + put + data[at + len(put) :]
    return data[:at] + put + data[at:]


def _text(text: str, draw: random.Random) -> str:
    at, end = sorted(draw.randrange(len(text) + 1) for _ in range(2))
    put = draw.choice((draw.choice(WORDS), chr(draw.randrange(0x3000)), chr(draw.randrange(128))))
    way = draw.randrange(5)
    if way == 0:
        return text[:at] + put + text[at:]
    if way == 1:
        return text[:at] + put + text[at + 1 :]
    if way == 2:
        return text[:at] + text[end:]
    if way == 3:
        return (text[:end] + text[at:end] * draw.choice((1, 3, 40)) + text[end:])[:LONGEST]
    return text.swapcase() if put else text[::-1]


def _tree(value: Any, draw: random.Random) -> Any:  # noqa: ANN401  (any JSON)
    """Change one node, chosen by walking down from the root."""
    inner = isinstance(value, dict | list) and len(value) > 0
    if not inner or draw.random() < 0.08:
        return _other(value, draw)
    key = draw.choice(sorted(value) if isinstance(value, dict) else range(len(value)))
    way = draw.randrange(10)
    if way == 0:
        del value[key]
    elif way == 1 and isinstance(value, dict):
        value[draw.choice(WORDS)] = draw.choice(ODD)
    elif way == 2 and isinstance(value, list):
        value.extend(copy.deepcopy(value) * draw.choice((1, 20)))
        del value[100:]
    else:
        value[key] = _tree(value[key], draw)
    return value


def _other(value: Any, draw: random.Random) -> Any:  # noqa: ANN401  (any JSON)
    way = draw.randrange(6)
    if way == 0 and isinstance(value, str):
        return _text(value, draw)
    if way == 1 and isinstance(value, int | float):
        return draw.choice((-value, value + 1, value * 1e300, str(value), value - 1))
    if way == 2:
        return [value]
    if way == 3 and draw.random() < 0.2:
        deep: Any = value
        for _ in range(draw.choice((30, 700))):
            deep = [deep]
        return deep
    return copy.deepcopy(draw.choice(ODD))
