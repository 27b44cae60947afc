"""ReMI: train against an attacker that tries to tell what was learned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, softplus
from torch.utils.data import Subset, TensorDataset

from unlearning.core.balance import losses_of
from unlearning.core.claims import Cost, Guarantee, Need
from unlearning.core.descent import Descent
from unlearning.core.examples import count
from unlearning.core.gradients import visits
from unlearning.core.knobs import Epochs, LearningRate
from unlearning.core.method import Outcome
from unlearning.core.modes import evaluating
from unlearning.core.order import Plan, permutation
from unlearning.core.ranges import Range
from unlearning.core.seeding import derive
from unlearning.core.training import Phase, descend, endless
from unlearning.core.weights import adam, frozen_copy, moved, snapshot

if TYPE_CHECKING:
    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples
    from unlearning.core.training import Objective


@dataclass(frozen=True, kw_only=True)
class Remi(Descent):
    """Train on the retain set while an attack on membership is made to fail on the forget set.

    The attacker is a small network, trained once on the original model's answers.

    **Assumption.** What an attacker cannot tell from a record never seen is forgotten.

    **Update.** With a(z, y) the logit of a network of one hidden layer for "member", on the
    sorted softmax of z and its CE with y, trained at theta_o on records of R against as many
    validation records, SGD in train mode on

        CE(R; theta) + leakage * mean over F of -log(1 - sigmoid(a(f(x; theta), y))),

    each batch of R with the next one of F, along a cosine. R is augmented, F is not. This is
    reconstructed from the abstract: the attacker, its inputs and all numbers are assumptions, and
    the form with Gaussian bounds on the answers is left out.

    **Reference.** Sula et al., "Silver linings in the shadows: harnessing membership inference
    for machine unlearning", 2024, arXiv 2407.00866.

    **Cost.** Two forward and backward passes per batch of R, and the training of the attacker.

    **Known failure.** It makes the measure its target: an audit by the same kind of attack will
    pass whatever was forgotten. The validation records are spent as unseen ones. An attacker at
    chance has nothing to teach; its accuracy is part of the reason that the run gives.

    **When.** As a study object, audited by an attack of another kind.

    **Not.** Where the audit is an attack on losses or confidences.
    """

    title: ClassVar[str] = "ReMI (reconstructed from the abstract)"
    paper: ClassVar[str] = "Sula et al., arXiv 2407.00866"
    basis: ClassVar[str] = "reconstructed from the abstract"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    needs: ClassVar[frozenset[Need]] = frozenset(
        {Need.RETAIN, Need.RECIPE, Need.VALIDATION, Need.NETWORK}
    )
    reads_forget: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(retain_passes=2)
    mixed_precision: ClassVar[bool] = True
    published: ClassVar[Published] = dict.fromkeys(
        (
            *("learning_rate", "momentum", "weight_decay", "epochs", "batch_size"),
            *("leakage", "attack_width", "attack_epochs", "attack_rate"),
        )
    )

    epochs: Epochs = 5
    leakage: Annotated[float, Range(0.01, 10, log=True, help="weight of the attack")] = 1.0
    attack_width: Annotated[int, Range(16, 256, help="hidden units of the attacker")] = 64
    attack_epochs: Annotated[int, Range(5, 100, help="passes that train the attacker")] = 20
    attack_rate: LearningRate = 0.01

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        theta_o = snapshot(model)
        attacker, accuracy = self._attacker(model, retain, context)
        recipe = context.recipe
        batches = endless(forget, self.batch_size, derive(context.seed, "forget"))

        def objective(inputs: Tensor, targets: Tensor) -> Tensor:
            gone, labels = (tensor.to(context.device) for tensor in next(batches))
            kept, going = model(torch.cat([inputs, gone])).split([len(inputs), len(gone)])
            told = attacker(_features(going, labels, recipe.loss))
            return recipe.loss(kept, targets) + self.leakage * softplus(told).mean()

        phase = replace(self.tuning(model, retain, context), objective=objective)
        descend(model, retain, phase, context)
        reason = (
            f"completed {self.epochs} epochs against an attacker that was {accuracy:.0%} right"
        )
        return Outcome(model=model, edited=moved(model, theta_o), stop_reason=reason)

    def _attacker(
        self, model: nn.Module, retain: Examples, context: Context
    ) -> tuple[nn.Module, float]:
        """Return the trained attacker, and how often it is right."""
        features, member = self._answers(model, retain, context)
        width = self.attack_width
        attacker = nn.Sequential(
            nn.Linear(features.shape[1], width), nn.ReLU(), nn.Linear(width, 1), nn.Flatten(0)
        ).to(context.device)

        def objective(inputs: Tensor, targets: Tensor) -> Tensor:
            return binary_cross_entropy_with_logits(attacker(inputs), targets)

        seed, size = derive(context.seed, "attacker"), len(member)
        plan = Plan(size=size, batch_size=self.batch_size, epochs=self.attack_epochs, seed=seed)
        optimizer = adam(attacker, learning_rate=self.attack_rate)
        phase = Phase(name="attacker", plan=plan, objective=objective, optimizer=optimizer)
        descend(attacker, TensorDataset(features, member), phase, context)
        right = (attacker(features.to(context.device)) > 0).cpu() == (member > 0)
        return frozen_copy(attacker), right.float().mean().item()

    def _answers(
        self, model: nn.Module, retain: Examples, context: Context
    ) -> tuple[Tensor, Tensor]:
        """Return what the attacker sees of records it is told about, and who is a member."""
        loss, unseen = context.recipe.loss, context.validation
        order = permutation(count(retain), derive(context.seed, "members"))[: count(unseen)]
        told = {"members": Subset(retain, order.tolist()), "others": unseen}
        with evaluating(model), torch.no_grad():
            found = {
                name: torch.cat(
                    [_features(model(x), y, loss) for x, y in visits(d, context, name)]
                )
                for name, d in told.items()
            }
        member = [torch.full((len(each),), float(n == "members")) for n, each in found.items()]
        return torch.cat([*found.values()]).cpu(), torch.cat(member)


def _features(outputs: Tensor, labels: Tensor, loss: Objective) -> Tensor:
    sure = outputs.softmax(-1).sort(descending=True).values
    return torch.cat([sure, losses_of(loss, outputs, labels)[:, None]], dim=1)
