"""Where jobs compute, as the installation is set: on the processor or on a CUDA device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from django.conf import settings

from unlearning.core.replay.fingerprint import fingerprint
from unlearning.core.session import CPU, Session

if TYPE_CHECKING:
    from lineage.models import Run
    from unlearning.core.replay.fingerprint import Fingerprint

ARITHMETIC = "arithmetic"


class NoDevice(RuntimeError):
    """The device that the installation asks for is not on this machine."""


def placed() -> dict[str, Any]:
    """Return ``device`` and ``amp`` of every session of this installation.

    Raises:
        NoDevice: EXPUNGE_DEVICE is cuda, and there is none.
    """
    return {"device": _device(), "amp": settings.EXPUNGE_MIXED_PRECISION}


def described() -> dict[str, Any]:
    """Return the same as lineage keeps it of a run, with what is really used. Raises as above.

    ``arithmetic`` is all that is known to change bits.
    """
    session = Session(**placed())
    return {
        "device": session.device.type,
        "mixed_precision": session.mixed,
        ARITHMETIC: fingerprint(session.device),
    }


def arithmetic_of(run: Run) -> Fingerprint:
    """Return what was known to change bits when a run began; empty where nobody kept it."""
    return dict(run.environment.get(ARITHMETIC, {}))


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
