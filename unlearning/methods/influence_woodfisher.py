"""Influence unlearning: one step of Newton, with the Fisher matrix for the curvature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch
from torch.utils.data import Subset

from unlearning.core.claims import Cost, Guarantee
from unlearning.core.curvature import Fisher, flat, shaped, solve
from unlearning.core.examples import count
from unlearning.core.gradients import summed_gradient, visits
from unlearning.core.method import Method, Outcome
from unlearning.core.modes import evaluating
from unlearning.core.order import permutation
from unlearning.core.ranges import Range
from unlearning.core.seeding import derive
from unlearning.core.weights import moved, snapshot, trainable

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class InfluenceWoodFisher(Method):
    """Take one step that undoes the influence of the forget set, scaled by the inverse curvature.

    The curvature is the empirical Fisher matrix of a sample of the retain set.

    **Assumption.** Near theta_o the loss is quadratic, its Hessian is the empirical Fisher
    matrix, and theta_o is a minimum on D.

    **Update.** In eval mode, with n = |R| + |F|,

        v = 1/n * sum over F of grad CE - |F| / (n |R|) * sum over R of grad CE
        theta_u = theta_o + alpha * (damping * I + 1/m * sum of g g^T)^-1 v,

    where g runs over the gradients of m single records of R. The system is solved by conjugate
    gradients. The released recursion (WoodFisher) does so with one vector in place of a new one
    for every record, which is the inverse of no matrix and depends on the order of the records;
    its damping is 1.

    **Reference.** Izzo et al., AISTATS 2021, and Jia et al., "Model sparsity can simplify machine
    unlearning", NeurIPS 2023; Singh and Alistarh, "WoodFisher", NeurIPS 2020.

    **Cost.** One pass over both sets, and ``iterations`` over ``records`` of R.

    **Known failure.** With much damping or a small alpha nothing measurable changes; with little
    the step leaves the region in which the loss is quadratic, and nothing repairs it.

    **When.** Models near a minimum that is well conditioned, as logistic regression.

    **Not.** Deep networks trained to zero loss: the gradients on F, which are all that it goes
    by, vanish there.
    """

    title: ClassVar[str] = "Influence unlearning (WoodFisher)"
    paper: ClassVar[str] = "Jia et al., NeurIPS 2023 (IU)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(retain_passes=2, forget_passes=1)
    published: ClassVar[Published] = {"damping": 1.0, "iterations": None}

    alpha: Annotated[float, Range(1e-3, 1, log=True, help="length of the step")] = 0.2
    damping: Annotated[float, Range(1e-6, 1, log=True, help="added to the curvature")] = 1e-2
    records: Annotated[int, Range(1, 10000, help="retained records for the curvature")] = 1000
    iterations: Annotated[int, Range(1, 200, help="most steps of the solver")] = 20

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        theta_o = snapshot(model)
        step = self.alpha * self._influence(model, retain, forget, context)
        with torch.no_grad():
            for weight, part in zip(trainable(model), shaped(step, theta_o), strict=True):
                weight.add_(part)
        length = (step.norm() / flat(theta_o).norm()).item()
        reason = f"one step was taken, as long as {length:.2g} of the weights"
        return Outcome(model=model, edited=moved(model, theta_o), stop_reason=reason)

    def _influence(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Tensor:
        loss = context.recipe.loss
        going = flat(summed_gradient(model, forget, loss, context, "gradient of what goes"))
        staying = flat(summed_gradient(model, retain, loss, context, "gradient of what stays"))
        kept, gone = count(retain), count(forget)
        chosen = permutation(kept, derive(context.seed, "curvature"))[: self.records]
        with evaluating(model):
            sample = Subset(retain, chosen.tolist())
            fisher = Fisher(
                model=model,
                loss=loss,
                batches=list(visits(sample, context, "curvature")),
                damping=self.damping,
            )
            right = (going - staying * (gone / kept)) / (kept + gone)
            return solve(fisher, right, self.iterations, context)
