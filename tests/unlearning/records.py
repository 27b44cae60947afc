"""Small records of each family, as they would be stored."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import TensorDataset

from unlearning.recipes.digits import digit_records
from unlearning.recipes.images import ImageClassifier

if TYPE_CHECKING:
    from unlearning.core.recipe import Recipe

TWO = ("no", "yes")

COLUMNS = ("age", "income", "colour")

TABLE: dict[str, Any] = {
    "columns": COLUMNS,
    "categories": {"colour": ("red", "blue")},
    "targets": TWO,
}

IMAGES = ImageClassifier(
    targets=TWO, architecture="resnet18", size=16, epochs=1, batch_size=4, shift=2
)


def png(width: int, height: int, mode: str = "RGB", shade: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (width, height), shade).save(buffer, format="PNG")
    return buffer.getvalue()


def rows(number: int) -> list[tuple[bytes, str]]:
    generator = np.random.default_rng(3)
    found = []
    for age, income in generator.normal(40, 10, (number, 2)):
        row = {"age": round(age), "income": income, "colour": "red" if age > 41 else "blue"}
        found.append((json.dumps(row).encode(), "yes" if age + income > 80 else "no"))
    return found


def records_of(recipe: Recipe) -> list[tuple[bytes, str]]:
    if recipe.family == "digits":
        return [record for record, _ in zip(digit_records(), range(40), strict=False)]
    if recipe.family == "images":
        return [(png(20, 30, shade=shade), TWO[shade % 2]) for shade in range(8)]
    return rows(40)


def decoded(recipe: Recipe) -> TensorDataset:
    pairs = [recipe.decode(content, target) for content, target in records_of(recipe)]
    inputs, targets = zip(*pairs, strict=True)
    return TensorDataset(torch.stack(inputs), torch.stack(targets))
