"""Keep the secret links of the people out of the logs, and addresses out of what errors say.

Whoever reads a log could otherwise open somebody's status page, or answer in their name. Django
names the address of every request that it refuses or that fails. ``tests/attackers`` holds the
list against the map of the site: each address that ends in a token is in it.
"""

from __future__ import annotations

import re

SECRET = re.compile(r"(/(?:erasure/(?:status|confirm|answer)|told|data/pictures)/)[^/\s?#'\"]+")
# From the first letter of a word on, so that a long text takes no time; a quote before it stays.
_WORD = r"[^\s@<>\"(),;:\[\]]"
ADDRESS = re.compile(rf"(?<!{_WORD})('?){_WORD}+(?:@|%40)[\w-]+(?:\.[\w-]+)+")


def without_links(text: str) -> str:
    """Return a text without the token of any status page, confirmation link or notice."""
    return SECRET.sub(r"\1[secret]", text)


def without_addresses(text: str) -> str:
    """Return a text without addresses of e-mail."""
    return ADDRESS.sub(r"\1[address]", text)
