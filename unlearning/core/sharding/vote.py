"""Several models as one: the mean of what they think likely."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Iterable


class NobodyVotes(ValueError):
    """No shard is left to vote."""


class SoftVote(nn.Module):
    """The mean of the members' softmax, as logits; nothing in it is trained on anyone.

    A vote that was itself fitted would owe something to every record of every shard.
    """

    def __init__(self, members: Iterable[nn.Module]) -> None:
        """Vote with these models, which give logits of shape (n, classes).

        Raises:
            NobodyVotes: there are none.
        """
        super().__init__()
        self.members = nn.ModuleList(members)
        if not self.members:
            raise NobodyVotes("A vote needs at least one model, and every shard has left it.")

    def forward(self, inputs: Tensor) -> Tensor:
        """Return log(mean over members of softmax), (n, classes)."""
        votes = torch.stack([member(inputs).log_softmax(dim=1) for member in self.members])
        return votes.logsumexp(dim=0) - math.log(len(self.members))
