"""The files of README's reader: eight pictures of two kinds, and a table of five people."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow import parquet


def write(folder: Path) -> None:
    """Write ``manifest.csv`` with its pictures, and ``people.parquet``."""
    draw = np.random.default_rng(0)
    with (folder / "manifest.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["key", "subject", "path", "target"])
        for number in range(8):
            path = folder / f"{number}.png"
            Image.fromarray(draw.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(path)
            kind = "cat" if number % 2 else "dog"
            rows.writerow([number, f"owner{number // 2}@example.org", path.name, kind])
    path = folder / "people.parquet"
    people = [f"person{number}@example.org" for number in range(5)]
    columns = {"key": range(5), "subject": people, "label": list("ababa"), "age": range(30, 35)}
    parquet.write_table(pa.table({name: list(each) for name, each in columns.items()}), path)


if __name__ == "__main__":
    write(Path.cwd())
