"""Each family decodes, trains, and survives being stored; what does not fit is named."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load, save
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from torch.utils.data import TensorDataset

from tests.unlearning.toys import NOTHING, Plain, equal, original
from unlearning.core.context import Context
from unlearning.core.ranges import OutOfRange
from unlearning.core.recipe import (
    NoExamples,
    NotARecipe,
    Recipe,
    RecipeChanged,
    RecipeNotAllowed,
    UnknownTarget,
    UnreadableRecord,
    check_unchanged,
    load_recipe,
)
from unlearning.recipes import image_sets
from unlearning.recipes.digits import (
    BaseModelRequired,
    DigitsCNN,
    DigitsFineTune,
    DigitsMLP,
    decode_levels,
    digit_records,
    encode,
)
from unlearning.recipes.image_sets import CollectionDamaged, CollectionMissing
from unlearning.recipes.images import BaseModelMisfit, ImageClassifier, UnknownArchitecture
from unlearning.recipes.tabular import (
    ABSENT,
    BaseModelUnused,
    TabularLogistic,
    TabularMLP,
    TabularNaiveBayes,
)

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

BUILT_IN = ["unlearning.recipes"]
TWO = ("no", "yes")
COLUMNS = ("age", "income", "colour")
TABLE: dict[str, Any] = {
    "columns": COLUMNS,
    "categories": {"colour": ("red", "blue")},
    "targets": TWO,
}
IMAGES = ImageClassifier(
    targets=TWO, architecture="resnet18", size=16, epochs=1, batch_size=4, shift=2
)


def png(width: int, height: int, mode: str = "RGB", shade: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (width, height), shade).save(buffer, format="PNG")
    return buffer.getvalue()


def rows(number: int) -> list[tuple[bytes, str]]:
    generator = np.random.default_rng(3)
    found = []
    for age, income in generator.normal(40, 10, (number, 2)):
        row = {"age": round(age), "income": income, "colour": "red" if age > 41 else "blue"}
        found.append((json.dumps(row).encode(), "yes" if age + income > 80 else "no"))
    return found


def records_of(recipe: Recipe) -> list[tuple[bytes, str]]:
    if recipe.family == "digits":
        return [record for record, _ in zip(digit_records(), range(40), strict=False)]
    if recipe.family == "images":
        return [(png(20, 30, shade=shade), TWO[shade % 2]) for shade in range(8)]
    return rows(40)


def decoded(recipe: Recipe) -> TensorDataset:
    pairs = [recipe.decode(content, target) for content, target in records_of(recipe)]
    inputs, targets = zip(*pairs, strict=True)
    return TensorDataset(torch.stack(inputs), torch.stack(targets))


def base_of(recipe: Recipe) -> torch.nn.Module | None:
    return DigitsMLP().build() if isinstance(recipe, DigitsFineTune) else None


RECIPES = [
    DigitsMLP(epochs=8, batch_size=8),
    DigitsCNN(epochs=8, batch_size=8, width=4),
    DigitsFineTune(epochs=8, batch_size=8, learning_rate=0.1),
    IMAGES,
    TabularMLP(epochs=8, **TABLE),
    TabularLogistic(**TABLE),
    TabularNaiveBayes(**TABLE),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: type(recipe).__name__)
class TestEveryRecipe:
    def test_it_trains_repeatably_on_what_it_decodes(self, recipe):
        data = decoded(recipe)
        context = Context(recipe=recipe, seed=1, base=base_of(recipe))
        before = torch.get_rng_state()
        model = recipe.train(data, context)
        assert torch.equal(torch.get_rng_state(), before)
        assert not model.training
        assert equal(model, recipe.train(data, context))
        logits = recipe.predict(model, data.tensors[0])
        assert logits.shape == (len(data), len(recipe.targets))
        if recipe.family != "images":  # one epoch is too few to learn from
            assert (logits.argmax(1) == data.tensors[1]).float().mean() > 0.7

    def test_its_model_survives_safetensors(self, recipe):
        data = decoded(recipe)
        model = recipe.train(data, Context(recipe=recipe, base=base_of(recipe)))
        stored = load(save(model.state_dict()))
        again = recipe.build()
        again.load_state_dict(stored)
        inputs = data.tensors[0]
        assert torch.equal(recipe.predict(again, inputs), recipe.predict(model, inputs))

    def test_it_comes_back_from_its_description(self, recipe):
        described = json.loads(json.dumps(recipe.describe()))
        again = load_recipe(described["recipe"], described["parameters"], BUILT_IN)
        assert again == recipe
        assert again.digest() == recipe.digest()
        check_unchanged(again, recipe.digest())

    def test_it_has_a_title_and_refuses_an_unknown_target(self, recipe):
        assert recipe.title
        with pytest.raises(UnknownTarget, match=r"The target 'perhaps' is not one of: "):
            recipe.decode(records_of(recipe)[0][0], "perhaps")

    def test_it_refuses_content_that_it_cannot_read_and_does_not_quote_it(self, recipe):
        for content in (b"", b"secret", b"{secret", b"\xff\xfe", b'{"a": [[', b"1,2,3\n4,5,6\n"):
            with pytest.raises(UnreadableRecord) as caught:
                recipe.decode(content, recipe.targets[0])
            assert "secret" not in str(caught.value)

    def test_it_refuses_to_train_on_nothing(self, recipe):
        with pytest.raises(
            NoExamples, match="needs at least one example to train on, and got none"
        ):
            recipe.train(NOTHING, Context(recipe=recipe, base=base_of(recipe)))


def test_every_digit_comes_back_exactly():
    data = load_digits()
    records = list(digit_records())
    assert len(records) == 1797
    for (content, target), levels, label in zip(records, data.images, data.target, strict=True):
        assert torch.equal(decode_levels(content) * 16, torch.from_numpy(levels).float())
        assert target == str(label)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, 16), min_size=8, max_size=8), min_size=8, max_size=8))
def test_all_levels_come_back_exactly(levels):
    assert (decode_levels(encode(levels)) * 16).tolist() == levels


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (png(8, 9, "L"), r"8 x 8 pixels, and this is one of mode L and 8 x 9 pixels"),
        (png(8, 8, "RGB"), r"and this is one of mode RGB and 8 x 8 pixels"),
        (png(8, 8, "L")[:40], r"^The content is not a complete PNG image"),
    ],
    ids=["size", "mode", "cut"],
)
def test_a_digit_of_another_kind_is_refused(content, sentence):
    with pytest.raises(UnreadableRecord, match=sentence):
        DigitsMLP().decode(content, "0")


def test_the_defaults_memorise():
    recipe = DigitsMLP()
    pairs = [
        recipe.decode(*record) for record, _ in zip(digit_records(), range(100), strict=False)
    ]
    inputs, targets = (torch.stack(each) for each in zip(*pairs, strict=True))
    model = recipe.train(TensorDataset(inputs, targets), Context(recipe=recipe))
    assert (recipe.predict(model, inputs).argmax(1) == targets).all()


def test_a_child_starts_from_its_base_and_leaves_it_alone():
    recipe = DigitsFineTune(learning_rate=1e-5, epochs=1)
    base = DigitsMLP().build()
    before = {name: tensor.clone() for name, tensor in base.state_dict().items()}
    child = recipe.train(decoded(recipe), Context(recipe=recipe, base=base))
    for name, tensor in child.state_dict().items():
        assert torch.equal(base.state_dict()[name], before[name])
        assert 0 < (tensor - before[name]).abs().max() < 1e-2
    with pytest.raises(BaseModelRequired, match="starts from a base model, and the session has"):
        recipe.train(decoded(recipe), Context(recipe=recipe))


def test_an_image_is_resized_and_normalised():
    image, target = IMAGES.decode(png(30, 10, "RGB"), "yes")
    black = -torch.tensor(IMAGES.mean) / torch.tensor(IMAGES.deviation)
    assert image.shape == (3, 16, 16)
    assert torch.allclose(image, black[:, None, None].expand(3, 16, 16))
    assert target == 1
    assert target.dtype == torch.long


def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded():
    with pytest.raises(UnreadableRecord, match="9000 x 9000 pixels; at most 50000000"):
        IMAGES.decode(png(9000, 9000, "1"), "yes")


def test_augmentation_flips_and_shifts_each_image_on_its_own():
    recipe = ImageClassifier(targets=TWO, size=8, flip=True, shift=1)
    image = torch.arange(1.0, 3 * 8 * 8 + 1).reshape(3, 8, 8)
    batch = recipe.augment(image.expand(200, 3, 8, 8))
    allowed = []
    for turned in (image, image.flip(-1)):
        padded = torch.nn.functional.pad(turned, (1, 1, 1, 1))
        allowed += [padded[:, y : y + 8, x : x + 8] for y in range(3) for x in range(3)]
    seen = [[torch.equal(one, candidate) for candidate in allowed].index(True) for one in batch]
    assert len(set(seen)) == len(allowed)


def test_augmentation_can_be_turned_off():
    recipe = ImageClassifier(targets=TWO, flip=False, shift=0)
    batch = torch.rand(2, 3, 8, 8)
    assert recipe.augment(batch) is batch


def test_an_image_model_takes_every_weight_of_its_base_but_the_last_layer():
    base = IMAGES.build()
    three = ImageClassifier(targets=("a", "b", "c"), architecture="resnet18")
    started = three.start(base).state_dict()
    given = base.state_dict()
    assert all(torch.equal(started[name], given[name]) for name in given if name[:3] != "fc.")
    assert started["fc.weight"].shape == (3, 512)
    with pytest.raises(
        BaseModelMisfit, match=r"does not fit resnet18: it has no conv1\.weight of"
    ):
        three.start(original(Plain()))


@pytest.mark.parametrize(
    "architecture", ["googlenet", "mnasnet0_5", "shufflenet_v2_x0_5", "squeezenet1_0", "vit_b_32"]
)
def test_architectures_with_wishes_of_their_own_are_built_and_adopted(architecture):
    two, three = (
        ImageClassifier(targets=targets, architecture=architecture, size=32)
        for targets in (TWO, ("a", "b", "c"))
    )
    base = two.build()
    assert base(torch.zeros(2, 3, 32, 32)).shape == (2, 2)
    assert three.start(base)(torch.zeros(2, 3, 32, 32)).shape == (2, 3)


def test_an_architecture_that_torchvision_does_not_have_is_refused():
    with pytest.raises(UnknownArchitecture, match=r"architecture is 'resnet19'; torchvision has "):
        ImageClassifier(targets=TWO, architecture="resnet19")


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


@pytest.mark.parametrize(
    ("path", "parameters", "error", "sentence"),
    [
        (
            "os:system", {}, RecipeNotAllowed,
            r"^The recipe module 'os' may not be imported: EXPUNGE_RECIPE_MODULES allows "
            r"unlearning\.recipes, mine\.$",
        ),
        ("unlearning.recipesx:A", {}, RecipeNotAllowed, "may not be imported"),
        ("unlearning.recipes.none:A", {}, NotARecipe, "recipes.none' cannot be found"),
        ("unlearning.recipes.digits:Nope", {}, NotARecipe, "names no recipe; it must be 'package"),
        ("unlearning.recipes.digits:Digits", {}, NotARecipe, "names no recipe"),
        ("unlearning.recipes.digits:encode", {}, NotARecipe, "names no recipe"),
        ("unlearning.recipes.digits", {}, NotARecipe, "names no recipe"),
        (
            "unlearning.recipes.digits:DigitsMLP", {"epoch": 1}, NotARecipe,
            "DigitsMLP has no parameter epoch; it has batch_size, epochs, hidden",
        ),
        (
            "unlearning.recipes.images:ImageClassifier", {}, NotARecipe,
            "ImageClassifier cannot be made: missing a required argument: 'targets'",
        ),
        (
            "unlearning.recipes.digits:DigitsMLP", {"epochs": 0}, OutOfRange,
            r"DigitsMLP\.epochs is 0, outside \[1, 10000\]\.",
        ),
    ],
)  # fmt: skip
def test_a_path_that_is_no_recipe_is_refused(path, parameters, error, sentence):
    with pytest.raises(error, match=sentence):
        load_recipe(path, parameters, ["unlearning.recipes", "mine"])


def test_a_module_that_is_not_allowed_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RecipeNotAllowed, match=r"allows none\.$"):
        load_recipe("trap:A", {}, [])


OWN = """
from dataclasses import dataclass
from unlearning.recipes.digits import DigitsMLP

@dataclass(frozen=True, kw_only=True)
class Own(DigitsMLP):
    title = "{title}"
"""


def _own(folder: Path, title: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    import importlib
    import linecache
    import sys

    (folder / f"own_{title}").mkdir()
    (folder / f"own_{title}" / "own_recipe.py").write_text(OWN.format(title=title))
    monkeypatch.syspath_prepend(folder / f"own_{title}")
    monkeypatch.delitem(sys.modules, "own_recipe", raising=False)
    linecache.clearcache()
    importlib.invalidate_caches()
    return importlib.import_module("own_recipe")


def test_changed_code_or_parameters_are_noticed(tmp_path, monkeypatch):
    captured = _own(tmp_path, "one", monkeypatch).Own().digest()
    changed = _own(tmp_path, "two", monkeypatch).Own()
    with pytest.raises(
        RecipeChanged, match=f"^The recipe own_recipe:Own has .* but {captured} was"
    ):
        check_unchanged(changed, captured)
    monkeypatch.delitem(__import__("sys").modules, "own_recipe")
    mlp = DigitsMLP()
    assert mlp.digest() == DigitsMLP(learning_rate=0.1).digest() != DigitsMLP(epochs=31).digest()
    assert mlp.digest() != DigitsCNN().digest()


def test_a_recipe_without_a_file_cannot_be_captured(monkeypatch):
    import sys
    from types import ModuleType

    module = ModuleType("typed_in")
    monkeypatch.setitem(sys.modules, "typed_in", module)
    exec(OWN.format(title="one"), vars(module))
    with pytest.raises(NotARecipe, match="The source of typed_in cannot be read, so its recipe"):
        module.Own().digest()


def test_a_folder_of_images_yields_its_bytes_and_its_folders(tmp_path):
    for target in ("cat", "dog"):
        (tmp_path / target).mkdir()
        (tmp_path / target / "1.png").write_bytes(png(4, 4, shade=len(target)))
    found = list(image_sets.image_folder(tmp_path))
    assert found == [(png(4, 4, shade=3), "cat"), (png(4, 4, shade=3), "dog")]
    with pytest.raises(CollectionMissing, match="There is no folder"):
        list(image_sets.image_folder(tmp_path / "none"))


@pytest.mark.parametrize(
    ("read", "name"), [(image_sets.mnist, "MNIST"), (image_sets.fashion_mnist, "FashionMNIST")]
)
def test_idx_files_are_read(tmp_path, read, name):
    raw = tmp_path / name / "raw"
    raw.mkdir(parents=True)
    pixels = np.arange(2 * 28 * 28).reshape(2, 28, 28).astype(np.uint8)
    for part in ("train", "t10k"):
        images = b"".join(number.to_bytes(4, "big") for number in (0x803, 2, 28, 28))
        (raw / f"{part}-images-idx3-ubyte").write_bytes(images + pixels.tobytes())
        labels = b"".join(number.to_bytes(4, "big") for number in (0x801, 2))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(labels + bytes([7, 0]))
    found = list(read(tmp_path, train=True))
    assert [target for _, target in found] == ["7", "0"]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(found[1][0]))), pixels[1])
    with pytest.raises(CollectionMissing, match=f"put the four files of {name} there"):
        list(read(tmp_path / "none", train=True))


def test_the_binary_cifar_files_are_read(tmp_path):
    pixels = np.arange(3072).astype(np.uint8)
    ten, hundred = tmp_path / "cifar-10-batches-bin", tmp_path / "cifar-100-binary"
    ten.mkdir()
    hundred.mkdir()
    (ten / "test_batch.bin").write_bytes(bytes([3]) + pixels.tobytes())
    (hundred / "test.bin").write_bytes(bytes([9, 1]) + pixels.tobytes())
    (hundred / "fine_label_names.txt").write_text("apple\nbaby\n")
    for found, target in (
        (list(image_sets.cifar10(tmp_path, train=False)), "cat"),
        (list(image_sets.cifar100(tmp_path, train=False)), "baby"),
    ):
        assert [label for _, label in found] == [target]
        shown = np.asarray(Image.open(io.BytesIO(found[0][0])))
        assert np.array_equal(shown, pixels.reshape(3, 32, 32).transpose(1, 2, 0))
    with pytest.raises(CollectionMissing, match=r"There is no .*data_batch_1\.bin"):
        list(image_sets.cifar10(tmp_path, train=True))
    (ten / "test_batch.bin").write_bytes(b"short")
    with pytest.raises(CollectionDamaged, match="has 5 bytes, which is no multiple of 3073"):
        list(image_sets.cifar10(tmp_path, train=False))
