"""Make the bundle that later verifiers have to accept, once for each version of the format.

    python -m tests.audits.core_trail.make_golden_bundle

It refuses to overwrite one: what was exported once stays what it is, its own verify.py included.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.audits.core_trail.bundles import packed
from tests.audits.core_trail.sealing import VKEY

GOLDEN = Path(__file__).parent / "golden"
BUNDLE, KEY = GOLDEN / "bundle-v1.zip", GOLDEN / "bundle-v1.vkey"


def main() -> None:
    """Write the bundle and its key, unless they are there."""
    if BUNDLE.exists():
        sys.exit(f"{BUNDLE} is there already. A new format gets a new name.")
    BUNDLE.write_bytes(packed())
    KEY.write_text(VKEY + "\n")


if __name__ == "__main__":
    main()
