"""Jobs compute where the installation says, and lineage is told where that was."""

from __future__ import annotations

import pytest
import torch

from unlearning.core.session import CPU, Session
from unlearning.execution import device as device_module
from unlearning.execution.device import NoDevice, described, placed


@pytest.fixture
def installed(settings, monkeypatch):
    """Set the device and precision of the installation, on a machine with CUDA or without."""

    def install(device: str, *, cuda: bool, mixed: bool = False) -> None:
        settings.EXPUNGE_DEVICE, settings.EXPUNGE_MIXED_PRECISION = device, mixed
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
        # It would ask a CUDA device that may not be there.
        monkeypatch.setattr(device_module, "fingerprint", lambda used: {"kind": used.type})

    return install


@pytest.mark.parametrize(
    ("asked", "cuda", "used"),
    [
        ("cpu", True, "cpu"),
        ("cpu", False, "cpu"),
        ("auto", True, "cuda"),
        ("auto", False, "cpu"),
        ("cuda", True, "cuda"),
    ],
)
def test_sessions_are_placed_where_the_setting_says(installed, asked, cuda, used):
    installed(asked, cuda=cuda)
    assert Session(**placed()).device == torch.device(used)
    assert described() == {
        "device": used,
        "mixed_precision": False,
        "arithmetic": {"kind": used},
    }


def test_a_device_that_is_asked_for_and_not_there_is_named(installed):
    installed("cuda", cuda=False)
    with pytest.raises(NoDevice, match=r"^EXPUNGE_DEVICE is cuda, and torch finds no CUDA device"):
        placed()
    with pytest.raises(NoDevice):
        described()


@pytest.mark.parametrize(("device", "used"), [("cpu", False), ("cuda", True)])
def test_mixed_precision_is_used_on_cuda_alone(installed, device, used):
    installed(device, cuda=True, mixed=True)
    session = Session(**placed())
    assert session.amp
    assert session.mixed is described()["mixed_precision"] is used


def test_by_default_everything_is_done_on_the_processor(settings):
    assert settings.EXPUNGE_DEVICE == "cpu"
    assert placed() == {"device": CPU, "amp": False}
