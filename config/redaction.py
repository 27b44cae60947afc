"""Keep the secret links of the people out of the logs.

Whoever reads a log could otherwise open somebody's status page, or answer in their name. Django
names the address of every request that it refuses or that fails. ``tests/attackers`` holds the
list against the map of the site: each address that ends in a token is in it.
"""

from __future__ import annotations

import logging
import re

SECRET = re.compile(r"(/(?:erasure/(?:status|confirm|answer)|told|data/pictures)/)[^/\s?#]+")


class RedactSecretLinks(logging.Filter):
    """Replace the token in every address of a status page, confirmation link or notice."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place, and let it pass."""
        message = record.getMessage()
        redacted = SECRET.sub(r"\1[secret]", message)
        if redacted != message:
            record.msg, record.args = redacted, ()
        return True
