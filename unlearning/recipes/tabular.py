"""Rows of a table: a perceptron, logistic regression, or naive Bayes.

Scalers are fitted on the training set and kept as buffers, so that retraining refits them and a
stored model is complete. Categories are declared, not fitted: a vocabulary that is taken from
the data is itself a trace of it. What scikit-learn fits is expressed as tensors of a module.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from torch import Tensor, nn

from unlearning.core.gradient_recipe import GradientRecipe
from unlearning.core.knobs import Smoothing
from unlearning.core.ranges import Range
from unlearning.core.recipe import Recipe
from unlearning.recipes.fitted_at_once import FittedAtOnce
from unlearning.recipes.tabular_layers import GaussianBayes, Standardise
from unlearning.recipes.tabular_rows import finite_number, one_hot, parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unlearning.core.examples import Held
    from unlearning.core.session import Session

ABSENT = -100.0  # log-odds of a class that no training record has


@dataclass(frozen=True, kw_only=True)
class Tabular(Recipe, ABC):
    """What the recipes for rows share.

    A record is a JSON object, or one line of CSV with its fields in the order of ``columns``. A
    column in ``categories`` holds one of the words listed there and becomes as many inputs; any
    other holds a number.
    """

    family: ClassVar[str] = "tabular"

    columns: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            OutOfRange: a number is outside its range.
            ValueError: a column is named twice, or has categories without being a column.
        """
        super().__post_init__()
        name = type(self).__name__
        if len(set(self.columns)) != len(self.columns) or not self.columns:
            raise ValueError(f"{name}.columns must name at least one column, and none twice.")
        if unknown := sorted(set(self.categories) - set(self.columns)):
            raise ValueError(f"{name}.categories lists {', '.join(unknown)}, not in columns.")

    @property
    def width(self) -> int:
        """Number of inputs."""
        return sum(len(self.categories.get(name, ("number",))) for name in self.columns)

    def decode(self, content: bytes, target: str) -> tuple[Tensor, Tensor]:
        """Return the inputs, (width,), and the position of the target."""
        row = parsed(content, self.columns)
        inputs = [value for name in self.columns for value in self._inputs(name, row[name])]
        return torch.tensor(inputs, dtype=torch.float32), self.label(target)

    def _inputs(self, name: str, value: Any) -> list[float]:  # noqa: ANN401  (any JSON value)
        if name in self.categories:
            return one_hot(name, value, self.categories[name])
        return [finite_number(name, value)]

    def prepare(self, model: nn.Module, examples: Held) -> None:
        """Fit every scaler of the model."""
        for layer in model.modules():
            if isinstance(layer, Standardise):
                layer.fit(examples.all()[0].to(layer.mean.device))


@dataclass(frozen=True, kw_only=True)
class TabularMLP(Tabular, GradientRecipe):
    """A perceptron with one hidden layer on standardised inputs."""

    title: ClassVar[str] = "Table, perceptron"

    hidden: Annotated[int, Range(1, 4096, help="units in the hidden layer")] = 64

    def build(self) -> nn.Module:
        """Return the untrained perceptron."""
        return nn.Sequential(
            Standardise(self.width),
            nn.Linear(self.width, self.hidden),
            nn.ReLU(),
            nn.Linear(self.hidden, len(self.targets)),
        )


@dataclass(frozen=True, kw_only=True)
class TabularLogistic(FittedAtOnce, Tabular):
    """Logistic regression on standardised inputs, fitted by scikit-learn into a linear layer."""

    title: ClassVar[str] = "Table, logistic regression"

    inverse_penalty: Annotated[
        float, Range(1e-6, 1e6, log=True, help="C: one over the L2 penalty")
    ] = 1.0
    iterations: Annotated[int, Range(1, 100000, help="most steps of the solver")] = 1000

    def build(self) -> nn.Module:
        """Return the model with weights of zero."""
        linear = nn.Linear(self.width, len(self.targets))
        nn.init.zeros_(linear.weight)
        nn.init.zeros_(linear.bias)
        return nn.Sequential(Standardise(self.width), linear)

    def _fit(self, model: nn.Module, examples: Held, session: Session) -> nn.Module:
        session.step("fit", 0, 1)
        inputs, targets = examples.all()
        linear = model.get_submodule("1")
        present = torch.from_numpy(np.unique(targets.numpy()))
        weight = torch.zeros_like(linear.get_parameter("weight"))
        bias = torch.full_like(linear.get_parameter("bias"), ABSENT)
        bias[present] = 0.0
        if len(present) > 1:
            estimator = LogisticRegression(C=self.inverse_penalty, max_iter=self.iterations)
            scaled = model.get_submodule("0")(inputs.to(session.device))
            estimator.fit(scaled.cpu().double().numpy(), targets.numpy())
            # Of two classes scikit-learn describes only the second, against the first.
            described = present[-len(estimator.coef_) :]
            weight[described] = torch.from_numpy(estimator.coef_).to(weight)
            bias[described] = torch.from_numpy(estimator.intercept_).to(bias)
        linear.load_state_dict({"weight": weight, "bias": bias})
        session.step("fit", 1, 1)
        return model


@dataclass(frozen=True, kw_only=True)
class TabularNaiveBayes(FittedAtOnce, Tabular):
    """Gaussian naive Bayes, fitted by scikit-learn into buffers."""

    title: ClassVar[str] = "Table, naive Bayes"

    smoothing: Smoothing = 1e-9

    def build(self) -> nn.Module:
        """Return the model with standard normal densities."""
        return GaussianBayes(len(self.targets), self.width)

    def _fit(self, model: nn.Module, examples: Held, session: Session) -> nn.Module:
        session.step("fit", 0, 1)
        inputs, targets = examples.all()
        estimator = GaussianNB(var_smoothing=self.smoothing)
        estimator.fit(inputs.double().numpy(), targets.numpy())
        present = torch.from_numpy(estimator.classes_)
        state = {name: tensor.cpu().clone() for name, tensor in self.build().state_dict().items()}
        state["log_prior"].fill_(ABSENT)
        state["log_prior"][present] = torch.from_numpy(estimator.class_prior_).log().float()
        state["mean"][present] = torch.from_numpy(estimator.theta_).float()
        state["variance"][present] = torch.from_numpy(estimator.var_).float().clamp_min(1e-30)
        model.load_state_dict(state)
        session.step("fit", 1, 1)
        return model
