"""The only module that imports torchvision; everything else takes ``torchvision`` from here.

The wheel on the package index is linked against GPU libraries. Next to a build of torch without
them its compiled operators do not load, and the import fails at the first operator that Python
code registers a rule for. Declaring the two operators concerned lets all of torchvision that is
written in Python work: models, transforms, data sets. What needs the compiled parts (nms,
deformable convolution, its image decoders) stays unavailable; images are decoded with Pillow.
On a complete installation this module is a plain import.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from types import ModuleType

MISSING = "operator torchvision::nms does not exist"
SCHEMAS = tuple(
    f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
    for name in ("nms", "qnms")
)
_declared: list[torch.library.Library] = []  # declarations last as long as their library object


def _import() -> ModuleType:
    try:
        return import_module("torchvision")
    except RuntimeError as problem:
        if MISSING not in str(problem):
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # half imported
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]  # torch
    for schema in SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    _declared.append(library)
    return import_module("torchvision")


torchvision = _import()
