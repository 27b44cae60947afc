from __future__ import annotations

import pytest
import torch

from lineage.core.weights import WeightsUnreadable, from_bytes, to_bytes


def test_weights_come_back_bit_for_bit():
    state = {
        "b": torch.randn(3, 4),
        "a": torch.arange(5),
        "half": torch.randn(2).bfloat16(),
        "nan": torch.tensor([float("nan"), -0.0]),
        "scalar": torch.tensor(1.5),
        "empty": torch.empty(0, 3),
    }
    back = from_bytes(to_bytes(state))
    assert back.keys() == state.keys()
    for name, tensor in state.items():
        assert back[name].dtype == tensor.dtype
        assert back[name].shape == tensor.shape
        assert bytes(back[name].reshape(-1).view(torch.uint8).tolist()) == bytes(
            tensor.contiguous().reshape(-1).view(torch.uint8).tolist()
        )


def test_equal_tensors_have_equal_bytes_whatever_their_layout():
    tensor = torch.randn(4, 6)
    plain = to_bytes({"x": tensor, "y": tensor.clone()})
    shared = to_bytes({"y": tensor, "x": tensor})
    strided = to_bytes({"x": tensor.t().contiguous().t(), "y": tensor.requires_grad_()})
    assert plain == shared == strided


@pytest.mark.parametrize("payload", [b"", b"not weights", b"\x80\x04K\x01.", b"\xff" * 64])
def test_it_refuses_other_bytes(payload):
    with pytest.raises(WeightsUnreadable, match="are not safetensors"):
        from_bytes(payload)
