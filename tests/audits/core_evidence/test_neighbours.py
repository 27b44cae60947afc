from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from audits.core.features import OutputsRefused
from audits.core.neighbours import Copies, margins_around, shifted
from audits.core.scores import margin


def images(count=3, size=5):
    return torch.randn(count, 2, size, size, generator=torch.Generator().manual_seed(0))


def test_copies_repeat_and_do_not_depend_on_the_batch():
    inputs = images(4)
    made = Copies(seed=1).around(inputs)
    assert made.shape == (4, 8, 2, 5, 5)
    assert made.dtype == inputs.dtype
    assert (made == Copies(seed=1).around(inputs)).all()
    assert (made[2:3] == Copies(seed=1).around(inputs[2:3])).all()
    assert (made != Copies(seed=2).around(inputs)).any()


def test_an_image_is_shifted_by_whole_pixels_and_its_edge_repeated():
    inputs = images()
    for copy in Copies(seed=3, noise=0, reach=2, count=12).around(inputs).unbind(1):
        assert sum(
            torch.equal(copy, shifted(inputs, down, right))
            for down in range(-2, 3)
            for right in range(-2, 3)
        )
    moved = shifted(inputs, 1, -2)
    assert (moved[..., 1:, :-2] == inputs[..., :-1, 2:]).all()
    assert (moved[..., 0, :-2] == inputs[..., 0, 2:]).all()
    assert (moved[..., 1:, -1] == inputs[..., :-1, -1]).all()
    assert shifted(inputs, 0, 0) is inputs


def test_every_other_copy_is_mirrored_where_asked():
    inputs = images()
    made = Copies(seed=0, noise=0, reach=0, flips=True, count=4).around(inputs)
    assert (made[:, 0] == inputs).all()
    assert (made[:, 1] == inputs.flip(-1)).all()
    assert (made[:, 2] == inputs).all()


def test_copies_lie_farther_and_farther_away():
    made = Copies(seed=0, noise=0.8, count=4).around(torch.zeros(1, 4000))
    assert made.std(-1).flatten().tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8], rel=0.05)


def test_noise_is_in_units_of_the_spread_of_each_feature():
    table = torch.zeros(1, 2000)
    spread = torch.cat([torch.full((1000,), 3.0), torch.full((1000,), 0.5)])
    made = Copies(seed=0, noise=0.2, flips=True, count=1).around(table, spread)
    assert float(made[..., :1000].std()) == pytest.approx(0.6, rel=0.05)
    assert float(made[..., 1000:].std()) == pytest.approx(0.1, rel=0.05)
    still = Copies(seed=0, noise=0).around(table, spread)
    assert (still == 0).all()  # a table's columns are neither shifted nor mirrored


def test_margins_of_copies_stand_where_the_copies_do():
    with torch.random.fork_rng():
        model = nn.Sequential(nn.Flatten(), nn.Linear(50, 3), nn.Dropout(0.5)).train()
    inputs, labels = images(200), torch.arange(200) % 3
    made = Copies(seed=5, count=4).around(inputs)
    state = torch.get_rng_state()
    found = margins_around(model, made, labels)
    assert found.shape == (200, 4)
    assert model.training
    assert (torch.get_rng_state() == state).all()
    model.eval()
    for j in range(4):
        assert found[:, j] == pytest.approx(margin(model(made[:, j]), labels), abs=1e-5)
    assert np.isfinite(found).all()
    with pytest.raises(OutputsRefused):
        margins_around(model, made, labels + 1)


@pytest.mark.parametrize(("name", "value"), [("count", 0), ("noise", -0.1), ("reach", -1)])
def test_what_makes_no_copies_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} is {value}; it must be"):
        Copies(seed=0, **{name: value})
