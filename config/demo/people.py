"""The demo's data: scikit-learn's digits, owned by made-up people, as a manifest with files."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unlearning.recipes.digits import digit_records

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = 100
SEED = 20_161_004
DEFAULT_RECORDS = 36
SMALL_RECORDS = 6


@dataclass(frozen=True, kw_only=True)
class Person:
    """A made-up data subject; every fifth never takes part in training."""

    number: int
    records: int

    @property
    def email(self) -> str:
        """The address the person would write from."""
        return f"person{self.number:03d}@example.org"

    @property
    def trains(self) -> bool:
        """Whether the person's records are ever trained on."""
        return self.number % 5 != 0


DEFAULT_SUBJECT = "person001@example.org"


def people(total: int) -> list[Person]:
    """Return the people with uneven numbers of records that add up to ``total``.

    The first owns 36 and the second 6, so that both a full and a limited audit can be shown.
    """
    rng = np.random.default_rng(SEED)
    weights = rng.lognormal(0.0, 0.6, PEOPLE - 2)
    rest = total - DEFAULT_RECORDS - SMALL_RECORDS
    counts = np.maximum(1, np.floor(weights / weights.sum() * rest)).astype(int)
    counts[: rest - int(counts.sum())] += 1
    numbers = [DEFAULT_RECORDS, SMALL_RECORDS, *(int(count) for count in counts)]
    return [Person(number=at + 1, records=count) for at, count in enumerate(numbers)]


def write_manifest(folder: Path) -> Path:
    """Write one PNG per digit and a manifest that says whose it is; return the manifest."""
    records = list(digit_records())
    order = np.random.default_rng(SEED).permutation(len(records))
    owners = [one.email for one in people(len(records)) for _ in range(one.records)]
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["key", "subject", "path", "target", "media_type"])
        for owner, place in zip(owners, order, strict=True):
            content, target = records[int(place)]
            name = f"{int(place):04d}.png"
            (folder / name).write_bytes(content)
            rows.writerow([f"digit-{int(place):04d}", owner, name, target, "image/png"])
    return manifest
