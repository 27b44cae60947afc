"""One text for several names, such that no two of them ever give the same text."""

from __future__ import annotations

import hashlib

import rfc8785

LONGEST = 200  # our columns
MARK = "$sha256:"
_ESCAPED = str.maketrans({"%": "%25", "/": "%2F", "#": "%23"})


def escaped(name: str) -> str:
    """Return a name without the characters that part names."""
    return name.translate(_ESCAPED)


def joined(namespace: str, name: str, version: str | None = None) -> str:
    """Return ``namespace/name`` or ``namespace/name#version``, as long as it may get."""
    text = f"{escaped(namespace)}/{escaped(name)}"
    return text if version is None else f"{text}#{escaped(version)}"


def fitted(prefix: str, text: str) -> str:
    """Return ``prefix`` and ``text``, which is a digest where the whole would be too long.

    A text that itself begins as such a digest is replaced as well, so it stands for itself only.
    """
    if len(prefix) + len(text) <= LONGEST and not text.startswith(MARK):
        return prefix + text
    return f"{prefix}{MARK}{hashlib.sha256(rfc8785.dumps([text])).hexdigest()}"
