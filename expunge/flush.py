"""``python -m expunge.flush FOLDER --url URL``: send what a training left in its spool.

The key is read from the variable EXPUNGE_API_KEY, so that it stands in no list of processes. Exit
code 0: everything was taken; 1: something waits or was refused, and the sentences say why.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from expunge.addresses import INSECURE, NotConfigured
from expunge.connection import Connection
from expunge.delivery import flush

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Send, print what became of it, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m expunge.flush", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default=environ.get("EXPUNGE_URL", ""))
    parser.add_argument("--insecure", action="store_true", help="allow http to another machine")
    given = parser.parse_args(argv)
    key = environ.get("EXPUNGE_API_KEY", "")
    if not given.url or not key or not given.folder.is_dir():
        print(
            "Needed are a folder, --url (or EXPUNGE_URL) and EXPUNGE_API_KEY; one is missing.",
            file=sys.stderr,
        )
        return 2
    insecure = given.insecure or environ.get(INSECURE) == "1"
    try:
        connection = Connection(url=given.url, api_key=key, insecure=insecure)
    except NotConfigured as error:
        print(error, file=sys.stderr)
        return 2
    made = flush(given.folder, connection)
    print(f"{made.sent} sent, {len(made.refused)} refused, {len(made.waiting)} waiting")
    for sentence in [*made.refused, *made.waiting]:
        print(sentence, file=sys.stderr)
    return 1 if made.refused or made.waiting else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
