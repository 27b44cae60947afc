"""The character U+0000, which no database keeps, in JSON before it is read."""

from __future__ import annotations

import json
import re

# JSON cannot hold it as it is, but as an escape. An even number of backslashes before that are
# backslashes of the text itself.
_ESCAPED = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def holds_nul(body: bytes) -> bool:
    """Return whether a text or a name in JSON holds U+0000, in any encoding that JSON may have."""
    try:
        text = body.decode(json.detect_encoding(body), "surrogatepass")
    except UnicodeDecodeError:
        return False  # no JSON, and refused as such
    return _ESCAPED.search(text) is not None
