"""KDE: start both ends of the network anew, and let the old model teach them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from unlearning.core.blocks import classifier
from unlearning.core.claims import Cost, Guarantee, Layers, Need
from unlearning.core.descent import Descent
from unlearning.core.distillation import divergence
from unlearning.core.examples import count
from unlearning.core.knobs import BatchSize, Epochs, LearningRate, Temperature
from unlearning.core.layers import editable
from unlearning.core.method import Outcome
from unlearning.core.order import Plan
from unlearning.core.renewal import renew
from unlearning.core.seeding import derive
from unlearning.core.training import Phase, descend
from unlearning.core.weights import frozen_copy, sgd

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples
    from unlearning.core.training import Objective


@dataclass(frozen=True, kw_only=True)
class KnowledgeDistillation(Descent):
    """Set back the first convolution and the classifier, and distil the original model into them.

    It is taught on records never trained on first, and then on the retain set.

    **Assumption.** On records that it never saw, the original model shows what it knows in
    general, and not what it kept of single records.

    **Update.** The first spatial convolution, if there is one, and the classifier take the
    weights with which the recipe begins. With t the original model, SGD in train mode first on

        KL(softmax(t(x) / T) || softmax(f(x; theta) / T))

    over the validation records for ``warmup_epochs``, then for ``epochs`` over R, augmented, with
    a cosine schedule, on the sum of CE, of that KL and of the cross-entropy of the same two
    distributions, which differs from KL by a constant. There is no factor T^2.

    **Reference.** The sixth entry of the NeurIPS 2023 unlearning competition; "KDE" in Cadet et
    al., "Deep Unlearn", EuroS&P 2025.

    **Cost.** ``epochs`` passes over R and ``warmup_epochs`` over the validation records.

    **Known failure.** The validation records become training data: an audit that takes them for
    unseen is void, as the benchmark's is for this method. The middle of the network is hardly
    touched, and the teacher hands down what it knows of F.

    **When.** A split was kept that was never trained on and that no audit will use.

    **Not.** Without such a split.
    """

    title: ClassVar[str] = "Distillation into renewed ends"
    paper: ClassVar[str] = "NeurIPS 2023 competition, 6th (KDE)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    needs: ClassVar[frozenset[Need]] = frozenset({Need.RETAIN, Need.RECIPE, Need.VALIDATION})
    reads_forget: ClassVar[bool] = False
    cost: ClassVar[Cost] = Cost(retain_passes=4 / 3)
    mixed_precision: ClassVar[bool] = True
    published: ClassVar[Published] = {"learning_rate": 1e-3, "warmup_rate": 9e-4}

    epochs: Epochs = 3
    batch_size: BatchSize = 64
    temperature: Temperature = 5.0
    warmup_rate: LearningRate = 0.01
    warmup_epochs: Epochs = 3

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        teacher = frozen_copy(model)
        first = list(editable(Layers.CONVOLUTIONS, model).values())[:1]
        edited = renew(model, [*first, classifier(model)], context)

        def apart(inputs: Tensor, _targets: Tensor) -> Tensor:
            return divergence(model(inputs), teacher(inputs), self.temperature)

        def taught(inputs: Tensor, targets: Tensor) -> Tensor:
            outputs = model(inputs)
            labels = context.recipe.loss(outputs, targets)
            return labels + 2 * divergence(outputs, teacher(inputs), self.temperature)

        descend(model, context.validation, self._warm_up(model, apart, context), context)
        phase = replace(self.tuning(model, retain, context), objective=taught)
        descend(model, retain, phase, context)
        reason = f"trained {self.warmup_epochs} epochs on unseen records and {self.epochs} more"
        return Outcome(model=model, edited=edited, stop_reason=reason)

    def _warm_up(self, model: nn.Module, objective: Objective, context: Context) -> Phase:
        return Phase(
            name="warm up",
            plan=Plan(
                size=count(context.validation),
                batch_size=self.batch_size,
                epochs=self.warmup_epochs,
                seed=derive(context.seed, "warm up"),
            ),
            objective=objective,
            optimizer=sgd(
                model,
                learning_rate=self.warmup_rate,
                momentum=self.momentum,
                weight_decay=self.weight_decay,
            ),
        )
