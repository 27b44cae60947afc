"""Where jobs compute, as the installation is set: on the processor or on a CUDA device."""

from __future__ import annotations

from typing import Any

import torch
from django.conf import settings

from unlearning.core.session import CPU, Session


class NoDevice(RuntimeError):
    """The device that the installation asks for is not on this machine."""


def placed() -> dict[str, Any]:
    """Return ``device`` and ``amp`` of every session of this installation.

    Raises:
        NoDevice: EXPUNGE_DEVICE is cuda, and there is none.
    """
    return {"device": _device(), "amp": settings.EXPUNGE_MIXED_PRECISION}


def described() -> dict[str, Any]:
    """Return the same as lineage keeps it of a run, with what is really used. Raises as above."""
    session = Session(**placed())
    return {"device": session.device.type, "mixed_precision": session.mixed}


def _device() -> torch.device:
    asked = settings.EXPUNGE_DEVICE
    if asked == "cpu":
        return CPU
    if torch.cuda.is_available():
        return torch.device("cuda")
    if asked == "auto":
        return CPU
    raise NoDevice(
        "EXPUNGE_DEVICE is cuda, and torch finds no CUDA device on this machine; set it to auto "
        "or cpu, or start the workers where there is one."
    )
