"""Influence removal with an exact Hessian: a step of Newton's method for linear models."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch
from torch.func import functional_call, grad, jacrev

from unlearning.core import norms
from unlearning.core.blocks import classifier
from unlearning.core.claims import Cost, Guarantee, Layers
from unlearning.core.curvature import flat, shaped
from unlearning.core.examples import count, windows
from unlearning.core.gradient_recipe import GradientRecipe
from unlearning.core.gradients import visits
from unlearning.core.method import Method, Outcome, SettingRefused
from unlearning.core.ranges import Range
from unlearning.core.training import check_finite
from unlearning.core.weights import moved, snapshot

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class NewtonInfluence(Method):
    """Take a linear model to where the retain set alone would have taken it, by Newton's method.

    The Hessian is exact, and the records to forget are not read.

    **Assumption.** The model is one linear layer under a convex loss.

    **Update.** In eval mode and in double precision, with

        L(theta) = CE(R; theta) + l2 / 2 * ||theta||^2,
        theta_u = theta_o - (Hessian of L + damping * I)^-1 gradient of L,

    repeated ``newton_steps`` times. Where theta_o is the optimum on D this equals the influence
    step theta_o + H^-1 * sum over F of the gradients; where it is not, this form corrects that,
    too. For a squared loss one step is the exact solution. Without ``l2`` it is the weight decay
    of the recipe, which, as here, belongs to the mean of the losses and not to their sum.

    **Reference.** Koh and Liang, "Understanding black-box predictions via influence functions",
    ICML 2017; Guo et al., "Certified data removal from machine learning models", ICML 2020.

    **Cost.** For each of ``newton_steps`` less than P + 3 passes over R, with P weights in the
    layer, and a decomposition that is cubic in P. Declared are 1000, which bounds the passes of
    one step for P below 998.

    **Known failure.** Features fixed beforehand may hold F. With neither ``l2`` nor ``damping``
    the Hessian of a softmax is singular, and the run is refused.

    **When.** Logistic and ridge regression, also on features that never saw the forget set.

    **Not.** Anything deeper, which is refused, as is a norm before the layer that is trained; or
    thousands of features times classes.
    """

    title: ClassVar[str] = "Influence removal with an exact Hessian"
    paper: ClassVar[str] = "Koh and Liang, ICML 2017; Guo et al., ICML 2020"
    basis: ClassVar[str] = "design"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = False
    layers: ClassVar[Layers] = Layers.HEAD
    cost: ClassVar[Cost] = Cost(retain_passes=1000)  # of 997 weights
    published: ClassVar[Published] = {"newton_steps": None, "damping": None}

    newton_steps: Annotated[int, Range(1, 20, help="steps of Newton's method")] = 1
    damping: Annotated[float, Range(0, 1e-2, help="added to the Hessian")] = 0.0
    l2: Annotated[float | None, Range(0, 100, help="weight of the penalty on the weights")] = None

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        theta_o = snapshot(model)
        norms.recompute(model, retain, context, context.recipe.augment)  # the layer stands on them
        ids = {id(weight) for weight in classifier(model).parameters() if weight.requires_grad}
        head = {name: weight for name, weight in model.named_parameters() if id(weight) in ids}
        theta = flat(list(head.values())).double()
        slope = torch.zeros_like(theta)
        for step in range(self.newton_steps):
            name = f"Newton step {step + 1} of {self.newton_steps}"
            slope, curvature = self._derivatives(model, head, theta, retain, context, name)
            theta = theta - self._solved(curvature, slope)
        with torch.no_grad():
            for weight, piece in zip(head.values(), _pieces(theta, head).values(), strict=True):
                weight.copy_(piece)
        reason = f"took {self.newton_steps} steps, the last at a gradient of {slope.norm():.2g}"
        return Outcome(model=model, edited=moved(model, theta_o), stop_reason=reason)

    def _derivatives(
        self,
        model: nn.Module,
        head: dict[str, nn.Parameter],
        theta: Tensor,
        retain: Examples,
        context: Context,
        name: str,
    ) -> tuple[Tensor, Tensor]:
        """Return the gradient and the Hessian of L, plus the damping, at ``theta``."""
        exact = deepcopy(model).double().eval()

        def loss(at: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
            outputs = functional_call(exact, _pieces(at, head), (inputs,))
            return context.recipe.loss(outputs, targets)

        decay = self._l2(context)
        slope = decay * theta
        curvature = (decay + self.damping) * torch.eye(len(theta)).to(theta)
        for step, pair in enumerate(visits(retain, context, name)):
            batch = tuple(each.double() if each.is_floating_point() else each for each in pair)
            check_finite(loss(theta, *batch).item(), name, step, len(windows(count(retain))))
            share = len(batch[1]) / count(retain)
            slope = slope + share * grad(loss)(theta, *batch)
            curvature = curvature + share * jacrev(grad(loss))(theta, *batch)
        return slope, curvature

    def _l2(self, context: Context) -> float:
        if self.l2 is not None:
            return self.l2
        recipe = context.recipe
        return recipe.weight_decay if isinstance(recipe, GradientRecipe) else 0.0

    def _solved(self, curvature: Tensor, slope: Tensor) -> Tensor:
        factor, failed = torch.linalg.cholesky_ex(curvature)
        if failed:
            raise SettingRefused(
                "The Hessian is singular, so there is no step; set NewtonInfluence.l2 or raise "
                "NewtonInfluence.damping."
            )
        return torch.cholesky_solve(slope[:, None], factor)[:, 0]


def _pieces(theta: Tensor, head: dict[str, nn.Parameter]) -> dict[str, Tensor]:
    return dict(zip(head, shaped(theta, list(head.values())), strict=True))
