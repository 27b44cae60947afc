"""Images are decoded, varied and classified; known collections are read from local files."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from tests.unlearning.records import IMAGES, TWO, png
from tests.unlearning.toys import Plain, original
from unlearning.core.recipe import UnreadableRecord
from unlearning.recipes import image_sets
from unlearning.recipes.image_sets import CollectionDamaged, CollectionMissing
from unlearning.recipes.images import BaseModelMisfit, ImageClassifier, UnknownArchitecture


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
    batch = recipe.augment(image.expand(500, 3, 8, 8))
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
    "architecture", ["googlenet", "mnasnet0_5", "shufflenet_v2_x0_5", "squeezenet1_0"]
)
def test_architectures_with_wishes_of_their_own_are_built_and_adopted(architecture):
    two, three = (
        ImageClassifier(targets=targets, architecture=architecture, size=32)
        for targets in (TWO, ("a", "b", "c"))
    )
    base = two.build()
    assert base(torch.zeros(2, 3, 32, 32)).shape == (2, 2)
    assert three.start(base)(torch.zeros(2, 3, 32, 32)).shape == (2, 3)


def test_a_transformer_is_built_for_the_size_of_the_images():
    with torch.device("meta"):  # shapes without numbers: the model has 88 million weights
        model = ImageClassifier(targets=TWO, architecture="vit_b_32", size=64).build()
        assert model(torch.zeros(2, 3, 64, 64)).shape == (2, 2)


def test_an_architecture_that_torchvision_does_not_have_is_refused():
    with pytest.raises(UnknownArchitecture, match=r"architecture is 'resnet19'; torchvision has "):
        ImageClassifier(targets=TWO, architecture="resnet19")


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
