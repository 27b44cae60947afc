"""A table of numbers: in words on a page, as numbers in a file."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from lineage.core.plain_cell import plain_cell

Cell = str | int | float | None


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """One table: ``shown`` in words for the page, ``rows`` as numbers for the file."""

    slug: str
    title: str
    about: str
    head: tuple[str, ...]
    shown: tuple[tuple[str, ...], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def as_csv(self) -> str:
        """Return the numbers as a table; no text of it is read as a formula by a spreadsheet."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(self.columns)
        table.writerows(
            [plain_cell(one) if isinstance(one, str) else one for one in row] for row in self.rows
        )
        return text.getvalue()
