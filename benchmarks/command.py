"""The command line that every benchmark has."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.machine import machine

if TYPE_CHECKING:
    from collections.abc import Callable


def run(
    measure: Callable[..., dict[str, Any]],
    description: str,
    more: Callable[[argparse.ArgumentParser], None] | None = None,
) -> None:
    """Measure and print: JSON with ``--json``, on one line; else spread over many.

    Ends the process with 1 where the result names goals that were missed, as ``missed``.

    Args:
        measure: called with ``quick`` and whatever ``more`` adds.
        description: for ``--help``.
        more: adds options of its own.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    parser.add_argument("--out", type=Path, help="also write the JSON to this file")
    if more is not None:
        more(parser)
    chosen = vars(parser.parse_args())
    on_one_line, out = chosen.pop("json"), chosen.pop("out")
    found = {"machine": machine(), **measure(**chosen)}
    text = json.dumps(found, indent=2)
    if out:
        out.write_text(text + "\n", encoding="utf-8")
    print(json.dumps(found) if on_one_line else text)
    if _missed(found.get("missed")):
        sys.exit(1)


def _missed(told: Any) -> bool:  # noqa: ANN401  (a list, or one for each engine)
    return any(map(_missed, told.values())) if isinstance(told, dict) else bool(told)
