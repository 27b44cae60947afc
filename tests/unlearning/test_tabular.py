"""Rows are read by column, and closed forms agree with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from torch.utils.data import TensorDataset

from tests.unlearning.records import TABLE, TWO, decoded
from unlearning.core.context import Context
from unlearning.core.recipe import UnreadableRecord
from unlearning.recipes.fitted_at_once import BaseModelUnused
from unlearning.recipes.tabular import (
    ABSENT,
    TabularLogistic,
    TabularMLP,
    TabularNaiveBayes,
)


def test_a_row_is_read_alike_from_json_and_csv():
    recipe = TabularMLP(**TABLE)
    from_json = recipe.decode(b'{"colour": "blue", "age": 30, "income": 1.5, "x": 0}', "yes")
    from_csv = recipe.decode(b'30,"1.5",blue\n', "yes")
    assert from_json[0].tolist() == from_csv[0].tolist() == [30.0, 1.5, 0.0, 1.0]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{"age": 1, "income": 2}', "The row has no column colour"),
        (b'{"age": "x9", "income": 2, "colour": "red"}', "column age must hold a finite number"),
        (b'{"age": NaN, "income": 2, "colour": "red"}', "column age must hold a finite number"),
        (b'{"age": [1], "income": 2, "colour": "red"}', "column age must hold a finite number"),
        (b'{"age": 1, "income": 1e999, "colour": "red"}', "column income must hold a finite"),
        (b'{"age": 1, "income": 2, "colour": "x9"}', "column colour must hold one of: red, blue"),
        (b"1,2", "one line of CSV with 3 fields: age, income, colour"),
        (b"{" * 100_000, "no JSON object"),
        (b'{"a":' * 100_000, "no JSON object"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_by_column(content, sentence):
    with pytest.raises(UnreadableRecord, match=sentence) as caught:
        TabularMLP(**TABLE).decode(content, "yes")
    assert "x9" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"columns": ()}, "TabularMLP.columns must name at least one column, and none twice"),
        ({"columns": ("a", "a")}, "none twice"),
        ({"columns": ("a",), "categories": {"b": ("x",)}}, "categories lists b, not in columns"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        TabularMLP(targets=TWO, **fields)


def test_the_scaler_is_fitted_on_what_is_trained_on():
    recipe = TabularMLP(epochs=1, **TABLE)
    data = decoded(recipe)
    few = TensorDataset(*(tensor[:10] for tensor in data.tensors))
    model = recipe.train(few, Context(recipe=recipe))
    expected = data.tensors[0][:10].double()
    assert torch.allclose(model.get_buffer("0.mean").double(), expected.mean(0))
    assert torch.allclose(model.get_buffer("0.deviation").double(), expected.std(0, correction=0))


def test_a_constant_column_becomes_zero():
    recipe = TabularMLP(columns=("a", "b"), targets=TWO, epochs=1)
    data = TensorDataset(torch.tensor([[7.0, 1.0], [7.0, 2.0]]), torch.tensor([0, 1]))
    model = recipe.train(data, Context(recipe=recipe))
    assert model.get_submodule("0")(data.tensors[0]).tolist() == [[0.0, -1.0], [0.0, 1.0]]


@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_regression_gives_the_probabilities_of_scikit_learn(classes):
    data = _iris_like(classes)
    recipe = TabularLogistic(columns=("a", "b", "c"), targets=tuple("xyz"[:classes]))
    model = recipe.train(data, Context(recipe=recipe))
    inputs, targets = (tensor.numpy() for tensor in data.tensors)
    scaled = (inputs - inputs.mean(0)) / inputs.std(0)
    estimator = LogisticRegression(max_iter=1000).fit(scaled, targets)
    found = recipe.predict(model, data.tensors[0]).softmax(1).numpy()
    assert np.allclose(found, estimator.predict_proba(scaled), atol=1e-4)


def test_naive_bayes_gives_the_probabilities_of_scikit_learn():
    data = _iris_like(3)
    recipe = TabularNaiveBayes(columns=("a", "b", "c"), targets=tuple("xyz"))
    model = recipe.train(data, Context(recipe=recipe))
    inputs, targets = (tensor.numpy() for tensor in data.tensors)
    estimator = GaussianNB().fit(inputs.astype(np.float64), targets)
    found = recipe.predict(model, data.tensors[0]).softmax(1).numpy()
    assert np.allclose(found, estimator.predict_proba(inputs), atol=1e-4)


@pytest.mark.parametrize("cls", [TabularLogistic, TabularNaiveBayes])
@pytest.mark.parametrize("present", [[0], [0, 2]], ids=["one class", "two of three"])
def test_a_class_without_records_is_never_predicted(cls, present):
    data = _iris_like(3)
    kept = torch.isin(data.tensors[1], torch.tensor(present))
    few = TensorDataset(*(tensor[kept] for tensor in data.tensors))
    recipe = cls(columns=("a", "b", "c"), targets=tuple("xyz"))
    model = recipe.train(few, Context(recipe=recipe))
    guesses = recipe.predict(model, few.tensors[0]).argmax(1)
    assert set(guesses.tolist()) <= set(present)
    assert (guesses == few.tensors[1]).float().mean() > 0.9
    assert ABSENT in {tensor.min().item() for tensor in model.state_dict().values()}


@pytest.mark.parametrize("cls", [TabularLogistic, TabularNaiveBayes])
def test_what_is_fitted_at_once_takes_no_base_model(cls):
    recipe = cls(**TABLE)
    with pytest.raises(BaseModelUnused, match="is fitted at once and starts from no base model"):
        recipe.train(decoded(recipe), Context(recipe=recipe, base=recipe.build()))


def _iris_like(classes: int) -> TensorDataset:
    generator = torch.Generator().manual_seed(0)
    targets = torch.arange(60) % classes
    return TensorDataset(torch.randn(60, 3, generator=generator) + 3 * targets[:, None], targets)
