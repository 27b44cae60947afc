"""ARU: start the filters anew that answer to what goes and not to noise against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch

from unlearning.core.claims import Cost, Guarantee, Layers
from unlearning.core.descent import Descent
from unlearning.core.filters import responses, start_anew
from unlearning.core.inputs import continuous, on_device
from unlearning.core.knobs import Epochs
from unlearning.core.layers import editable
from unlearning.core.masking import largest
from unlearning.core.method import Outcome
from unlearning.core.modes import evaluating
from unlearning.core.ranges import Range
from unlearning.core.training import check_finite, descend

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class AttackAndReset(Descent):
    """Find the filters that answer to the forget set most, start them anew, and fine-tune.

    They are told by noise that hides the forget set from the network.

    **Assumption.** Some filters are biased towards F, and noise that destroys the answers on F
    shows which.

    **Update.** In eval mode at theta_o, for each batch x of F, Adam on delta from N(0, 0.1^2) at
    ``noise_rate``, ``noise_steps`` times, on -CE(f(x + delta), y) + ``noise_l2`` * mean of
    ||delta||^2. For filter j of every spatial convolution

        r_j = mean |response to x| / (mean |response to x + delta| + 1e-8);

    in each layer the share ``filter_share`` with the largest r_j is drawn anew (normal, by
    fan-out), with bias 0, and scale 1 and shift 0 in the norm behind it. Then SGD in train mode on
    CE(R; theta), augmented, along a cosine. This is reconstructed from the abstract: the noise,
    the ratio and all numbers are assumptions.

    **Reference.** Jung et al., "Attack and reset for unlearning", 2024, arXiv 2401.08998.

    **Cost.** ``noise_steps`` gradients over F, then ``epochs`` passes over R.

    **Known failure.** F decides only which filters go. What is spread over many stays.

    **When.** Convolutional networks that know persons by their faces, as in its paper.

    **Not.** Networks without spatial convolutions (perceptrons, transformers), which are refused.
    """

    title: ClassVar[str] = "Attack and reset (reconstructed from the abstract)"
    paper: ClassVar[str] = "Jung et al., arXiv 2401.08998 (ARU)"
    basis: ClassVar[str] = "reconstructed from the abstract"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = True
    layers: ClassVar[Layers] = Layers.CONVOLUTIONS
    cost: ClassVar[Cost] = Cost(retain_passes=1, forget_passes=8)
    moves_inputs: ClassVar[bool] = True
    mixed_precision: ClassVar[bool] = True
    published: ClassVar[Published] = dict.fromkeys(
        (
            *("learning_rate", "momentum", "weight_decay", "epochs", "batch_size"),
            *("noise_steps", "noise_rate", "noise_l2", "filter_share"),
        )
    )

    epochs: Epochs = 5
    noise_steps: Annotated[int, Range(5, 200, help="steps on the noise")] = 40
    noise_rate: Annotated[float, Range(1e-2, 1, log=True, help="step on the noise")] = 0.1
    noise_l2: Annotated[float, Range(0, 1, help="weight of the size of the noise")] = 0.1
    filter_share: Annotated[float, Range(0.01, 0.5, help="share of filters started anew")] = 0.2

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        continuous(forget, self.title)
        layers = editable(self.layers, model)
        ratios = self._ratios(model, layers, forget, context)
        edited = sum(
            start_anew(model, layers[name], self._biased(ratios[name])) for name in ratios
        )
        descend(model, retain, self.tuning(model, retain, context), context)
        reason = f"started {edited} weights of {len(ratios)} convolutions anew"
        return Outcome(model=model, edited=edited, stop_reason=reason)

    def _biased(self, ratios: Tensor) -> Tensor:
        (chosen,) = largest([ratios], self.filter_share)
        return chosen

    def _ratios(
        self, model: nn.Module, layers: dict[str, nn.Module], forget: Examples, context: Context
    ) -> dict[str, Tensor]:
        """Return r of every filter, by layer; layers that are not used are left out."""
        seen: dict[str, Tensor] = {}
        blurred: dict[str, Tensor] = {}
        with evaluating(model):
            for number, (inputs, labels) in enumerate(on_device(forget, context)):
                noise = self._noise(model, inputs, labels, context, f"noise {number + 1}")
                for sums, batch in ((seen, inputs), (blurred, inputs + noise)):
                    for name, each in responses(model, layers, batch).items():
                        sums[name] = sums.get(name, 0) + each
        return {name: one / (blurred[name] + 1e-8) for name, one in seen.items()}

    def _noise(
        self, model: nn.Module, inputs: Tensor, labels: Tensor, context: Context, name: str
    ) -> Tensor:
        """Return noise that raises the loss of a batch."""
        noise = (0.1 * torch.randn(inputs.shape)).to(inputs).requires_grad_()
        optimizer = torch.optim.Adam([noise], lr=self.noise_rate)
        for step in range(self.noise_steps):
            context.step(name, step, self.noise_steps)
            size = noise.square().flatten(1).sum(1).mean()
            loss = self.noise_l2 * size - context.recipe.loss(model(inputs + noise), labels)
            check_finite(loss.item(), name, step, self.noise_steps)
            (noise.grad,) = torch.autograd.grad(loss, noise)
            optimizer.step()
        return noise.detach()
