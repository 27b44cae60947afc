"""SVD projection: take out of every layer the directions that only the class to go uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch
from torch.utils.data import Subset

from unlearning.core.activations import check_layout, moments
from unlearning.core.claims import Cost, Granularity, Guarantee, Layers
from unlearning.core.examples import count
from unlearning.core.layers import editable
from unlearning.core.method import Method, Outcome
from unlearning.core.order import permutation
from unlearning.core.ranges import Range
from unlearning.core.seeding import derive
from unlearning.core.weights import moved, snapshot

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.context import Context, Examples

SAME = 1e-6  # a projection no further from the identity leaves its layer alone


@dataclass(frozen=True, kw_only=True)
class SvdProjection(Method):
    """Project the weights of each layer off the activations that only the forgotten class has.

    It is done in one step, without a gradient.

    **Assumption.** The activations of a class span a space of their own, and what they share
    with the other classes is worth keeping.

    **Update.** In eval mode at theta_o, with A the inputs of a layer as columns (of a
    convolution, its patches), A A^T = U S^2 U^T and p_i = s_i^2 / sum of s^2, let

        M = U diag(a p_i / ((a - 1) p_i + 1)) U^T,

    M_r from R with a = ``alpha_r`` and M_f from F with a = ``alpha_f``. Then, in every layer,
    W <- W (I - (M_f - M_f M_r))^T on the flattened inputs. All patches count, not a sample of
    them. Biases, norms and embeddings stay, as do grouped convolutions and the four projections
    of ``nn.MultiheadAttention``, which are no layers that are called: of torchvision's
    transformers it edits the embedding of patches, both layers of each perceptron and the head.

    **Reference.** Kodge et al., "Deep unlearning: fast and efficient gradient-free class
    forgetting", TMLR 2024, arXiv 2312.00761.

    **Cost.** A forward pass over ``records`` of each set, and for each layer a decomposition that
    is cubic in the size of its inputs.

    **Known failure.** Where the class shares its activations with others, either nothing changes
    or they suffer, too; nothing repairs that.

    **When.** A whole class must go from a convolutional network or a perceptron, at once.

    **Not.** Single records: both sets have the same activations then, so it is refused. So is
    padding other than by a stated number of zeros. A transformer, whose attention stays.
    """

    title: ClassVar[str] = "SVD projection"
    paper: ClassVar[str] = "Kodge et al., TMLR 2024, arXiv 2312.00761"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    granularity: ClassVar[Granularity] = Granularity.CLASS
    reads_forget: ClassVar[bool] = True
    layers: ClassVar[Layers] = Layers.PROJECTED
    cost: ClassVar[Cost] = Cost(retain_passes=1 / 3, forget_passes=1 / 3)

    alpha_r: Annotated[float, Range(1, 1000, log=True, help="how much of R is kept")] = 100.0
    alpha_f: Annotated[float, Range(0.25, 1000, log=True, help="how much of F is taken")] = 3.0
    records: Annotated[int, Range(1, 10000, help="most records of each set")] = 900

    def eligible(self, model: nn.Module) -> None:
        """Say, before anything is run, whether the inputs of every layer can be laid out.

        Raises:
            NotEligible: the model has none of its layers, or one that pads by more than zeros.
        """
        super().eligible(model)
        check_layout(editable(self.layers, model), self.title)

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        theta_o = snapshot(model)
        layers = editable(self.layers, model)
        kept, gone = (
            moments(model, layers, self._sample(each, context, name), context, name)
            for each, name in ((retain, "what stays"), (forget, "what goes"))
        )
        projected = 0
        used = [name for name in layers if name in kept and name in gone]
        for step, name in enumerate(used):
            context.step("project", step, len(used))
            stays, goes = _space(kept[name], self.alpha_r), _space(gone[name], self.alpha_f)
            projected += _project(layers[name], goes - goes @ stays)
        reason = f"projected {projected} of {len(layers)} layers"
        return Outcome(model=model, edited=moved(model, theta_o), stop_reason=reason)

    def _sample(self, examples: Examples, context: Context, name: str) -> Examples:
        order = permutation(count(examples), derive(context.seed, name))[: self.records]
        return Subset(examples, order.tolist())


def _space(moments: Tensor, scale: float) -> Tensor:
    """Return M, the scaled projection onto the directions of the activations."""
    squares, directions = torch.linalg.eigh(moments)
    shares = squares.clamp(min=0) / squares.sum().clamp(min=torch.finfo(squares.dtype).tiny)
    weighed: Tensor = directions * (scale * shares / ((scale - 1) * shares + 1))
    space: Tensor = weighed @ directions.T
    return space


@torch.no_grad()
def _project(layer: nn.Module, taken: Tensor) -> bool:
    """Apply I - taken to the inputs of a layer; return whether that changes anything."""
    if taken.norm() < SAME:
        return False
    weight = layer.get_parameter("weight")
    flat = weight.flatten(1).double()
    weight.copy_((flat - flat @ taken.T).view_as(weight))
    return True
