"""How far the answers of a student are from those of its teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn.functional import kl_div, log_softmax

if TYPE_CHECKING:
    from torch import Tensor


def divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Return the mean over a batch of KL(softmax(teacher / T) || softmax(student / T)).

    Both are logits (n, classes). The sum over classes is not divided by their number, so that a
    learning rate means the same for two classes and for a thousand.
    """
    return kl_div(
        log_softmax(student / temperature, dim=-1),
        log_softmax(teacher / temperature, dim=-1),
        log_target=True,
        reduction="batchmean",
    )
