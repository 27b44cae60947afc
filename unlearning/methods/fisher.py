"""Fisher forgetting: noise where the retained data do not mind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch

from unlearning.core.blocks import classifier
from unlearning.core.claims import Cost, Guarantee
from unlearning.core.examples import count, windows
from unlearning.core.gradients import chunk, per_record, visits
from unlearning.core.method import Method, Outcome
from unlearning.core.modes import evaluating
from unlearning.core.ranges import Range
from unlearning.core.training import check_finite
from unlearning.core.weights import moved, snapshot, trainable

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples

CAP, CAP_OF_CLASSIFIER, FLOOR, STRONGER = 1e3, 1e2, 1e-8, 10


@dataclass(frozen=True, kw_only=True)
class FisherForgetting(Method):
    """Add noise to every weight, the more the less the retain set depends on it.

    There are no steps of training, before or after.

    **Assumption.** Near theta_o the loss on R is quadratic with the diagonal of the Fisher
    information as curvature: a weight of low curvature can be randomised, and what it held of F
    drowns in the noise.

    **Update.** In eval mode, with p_y the model's own probability of label y,

        I = 1/|R| * sum over R of sum over y of p_y * (grad of CE with label y)^2
        theta_u = theta_o + N(0, alpha * min(1 / (I + 1e-8), 1e3)).

    The variance of a matrix is averaged over its inputs; for the classifier the cap is 1e2, and
    for it and for vectors the variance is ten times as large. Gradients are squared record by
    record (those of a batch are no Fisher information), and the classifier is found by its place,
    not by its width.

    **Reference.** Golatkar et al., "Eternal sunshine of the spotless net", CVPR 2020,
    arXiv 1911.04933; "FF" in Cadet et al., "Deep Unlearn", EuroS&P 2025.

    **Cost.** One pass over R forwards, and one forwards and backwards for each class: with C
    classes less than C + 1. Declared are 11, which bounds it for ten classes and fewer.

    **Known failure.** alpha decides alone: at 1e-8 nothing changes, and the values that the
    benchmark searches (0 to 1, so 0.2) destroy every network.

    **When.** R may be read but not trained on, and few classes keep the cost bearable.

    **Not.** Hundreds of classes; or where accuracy matters, as nothing repairs what is lost.
    """

    title: ClassVar[str] = "Fisher forgetting"
    paper: ClassVar[str] = "Golatkar et al., CVPR 2020, arXiv 1911.04933"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = False
    cost: ClassVar[Cost] = Cost(retain_passes=11)  # of ten classes
    published: ClassVar[Published] = {"alpha": 0.2}

    alpha: Annotated[float, Range(1e-9, 1e-3, log=True, help="size of the noise")] = 1e-6

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        theta_o = snapshot(model)
        information = self._information(model, retain, context)
        last = {id(weight) for weight in classifier(model).parameters()}
        with torch.no_grad():
            for weight, known in zip(trainable(model), information, strict=True):
                variance = self._variance(known, outermost=id(weight) in last)
                noise = torch.randn(weight.shape).to(weight.device)
                weight.add_(variance.sqrt() * noise)
        reason = "noise was added once to every trainable weight"
        return Outcome(model=model, edited=moved(model, theta_o), stop_reason=reason)

    def _information(self, model: nn.Module, retain: Examples, context: Context) -> list[Tensor]:
        """Return the diagonal of the Fisher information, a tensor per trainable parameter."""
        total = [torch.zeros_like(weight) for weight in trainable(model)]
        size = chunk(model)
        steps = len(windows(count(retain), size))
        with evaluating(model):
            gradients_of = per_record(model, context.recipe.loss)
            for step, (inputs, _) in enumerate(visits(retain, context, "fisher", size)):
                with torch.no_grad():
                    shares = model(inputs).softmax(-1)
                for label, share in enumerate(shares.unbind(-1)):
                    wanted = torch.full_like(share, label, dtype=torch.long)
                    gradients, losses = gradients_of(inputs, wanted)
                    check_finite(losses.sum().item(), "fisher", step, steps)
                    for so_far, each in zip(total, gradients, strict=True):
                        so_far.add_(torch.einsum("n,n...->...", share, each.square()))
        return [each / count(retain) for each in total]

    def _variance(self, information: Tensor, *, outermost: bool) -> Tensor:
        inverse = (1 / (information + FLOOR)).clamp(max=CAP_OF_CLASSIFIER if outermost else CAP)
        if inverse.dim() > 1:
            inverse = inverse.mean(1, keepdim=True)
        return self.alpha * inverse * (STRONGER if outermost or information.dim() == 1 else 1)
