"""UNSIR: noise that stands for a class impairs the network, what stays repairs it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch
from torch.utils.data import ConcatDataset, Subset, TensorDataset

from unlearning.core.claims import Cost, Granularity, Guarantee
from unlearning.core.classes import forgotten_classes
from unlearning.core.examples import count, labels_of
from unlearning.core.inputs import continuous
from unlearning.core.knobs import BatchSize, LearningRate
from unlearning.core.method import Method, Outcome
from unlearning.core.modes import evaluating
from unlearning.core.order import Plan, permutation
from unlearning.core.ranges import Range
from unlearning.core.seeding import derive
from unlearning.core.training import Objective, Phase, check_finite, descend
from unlearning.core.union import Union, on_union
from unlearning.core.weights import adam, moved, snapshot

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class Unsir(Method):
    """Learn noise on which the class to go has a high loss, train on it, and repair.

    The records of the class are not read: its label is enough.

    **Assumption.** Noise that maximises the loss of a class is the opposite of what the network
    learned of it, and learning to call it by that name overwrites the class.

    **Update.** For each class c that the request names, in eval mode, Adam on the inputs N of
    ``noise_records`` records, ``noise_steps`` times at ``noise_rate``, on

        -CE(f(N), c) + noise_l2 * mean over records of ||N||^2.

    Then, in train mode, one epoch of Adam at ``impair_rate`` over ``per_class`` records of every
    class of R together with N, ``copies`` times, as records of c; then one at ``repair_rate``
    over those of R alone. R is augmented, N is not. The released notebook uses three of its noise
    records only, and one label for several classes.

    **Reference.** Tarun et al., "Fast yet effective machine unlearning", IEEE TNNLS 2023,
    arXiv 2111.08947.

    **Cost.** Two passes over a part of R, and ``noise_steps`` over the noise of each class.

    **Known failure.** A class of which the part of R has few records is not protected. The rates
    are large, and one epoch repairs little where batches are few.

    **When.** A whole class must go, and its records are gone already.

    **Not.** Single records, for which it is not defined: a request that names no class, or one
    of which R has records, is refused. Inputs that are no continuous numbers.
    """

    title: ClassVar[str] = "UNSIR"
    paper: ClassVar[str] = "Tarun et al., arXiv 2111.08947"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    granularity: ClassVar[Granularity] = Granularity.CLASS
    reads_forget: ClassVar[bool] = False
    cost: ClassVar[Cost] = Cost(retain_passes=2)
    moves_inputs: ClassVar[bool] = True
    mixed_precision: ClassVar[bool] = True

    batch_size: BatchSize = 256
    noise_records: Annotated[int, Range(8, 256, help="noise records of a class")] = 256
    noise_rate: Annotated[float, Range(1e-2, 1, log=True, help="step on the noise")] = 0.1
    noise_steps: Annotated[int, Range(5, 200, help="steps on the noise")] = 40
    noise_l2: Annotated[float, Range(0, 1, help="weight of the size of the noise")] = 0.1
    copies: Annotated[int, Range(1, 100, help="times that the noise is trained on")] = 20
    per_class: Annotated[int, Range(1, 1000, help="retained records of a class")] = 1000
    impair_rate: LearningRate = 0.02
    repair_rate: LearningRate = 0.01

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        theta_o = snapshot(model)
        recipe = context.recipe
        like = continuous(retain, self.title)
        gone = forgotten_classes(recipe, retain, None, context.classes)
        noise = torch.cat([self._noise(model, like, label, context) for label in gone])
        names = torch.tensor(gone).repeat_interleave(self.noise_records)
        impairing: Examples = ConcatDataset([TensorDataset(noise, names)] * self.copies)
        part = self._part(retain, context)

        def loss(inputs: Tensor, labels: Tensor, _places: Tensor | None = None) -> Tensor:
            return recipe.loss(model(inputs), labels)

        both = Union(part, impairing)
        optimizer = adam(model, learning_rate=self.impair_rate)
        phase = self._phase("impair", both, on_union(recipe, loss), optimizer, context)
        descend(model, both, phase, context)
        edited = moved(model, theta_o)
        optimizer = adam(model, learning_rate=self.repair_rate)
        phase = self._phase("repair", part, loss, optimizer, context)
        descend(model, part, replace(phase, augment=recipe.augment), context)
        reason = f"impaired {len(gone)} classes and repaired the others"
        return Outcome(model=model, edited=edited, stop_reason=reason)

    def _noise(self, model: nn.Module, like: Tensor, label: int, context: Context) -> Tensor:
        """Return noise on which the loss of a class is as high as it gets."""
        noise = torch.randn(self.noise_records, *like.shape).to(context.device).requires_grad_()
        labels = torch.full((self.noise_records,), label, device=context.device)
        optimizer = torch.optim.Adam([noise], lr=self.noise_rate)
        name = f"noise against {context.recipe.targets[label]}"
        with evaluating(model):
            for step in range(self.noise_steps):
                context.step(name, step, self.noise_steps)
                size = noise.square().flatten(1).sum(1).mean()
                loss = self.noise_l2 * size - context.recipe.loss(model(noise), labels)
                check_finite(loss.item(), name, step, self.noise_steps)
                (noise.grad,) = torch.autograd.grad(loss, noise)
                optimizer.step()
        return noise.detach().cpu()

    def _part(self, retain: Examples, context: Context) -> Examples:
        """Return so many random records of every class of the retain set."""
        labels = labels_of(retain)
        order = torch.from_numpy(permutation(len(labels), derive(context.seed, "part")))
        chosen = [
            order[labels[order] == label][: self.per_class] for label in set(labels.tolist())
        ]
        return Subset(retain, torch.cat(chosen).tolist())

    def _phase(
        self,
        name: str,
        examples: Examples,
        objective: Objective,
        optimizer: torch.optim.Optimizer,
        context: Context,
    ) -> Phase:
        """Return the phase of one epoch over a set."""
        seed = derive(context.seed, name)
        plan = Plan(size=count(examples), batch_size=self.batch_size, epochs=1, seed=seed)
        return Phase(name=name, plan=plan, objective=objective, optimizer=optimizer)
