"""Our numbers are those of public reference implementations; ``golden/make.py`` asked them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from audits.attacks.lira_online import LiraOnline
from audits.core.attack import Observations, References
from audits.core.bounds import clopper_pearson_lower, clopper_pearson_upper, epsilon_lower_bound
from audits.core.features import Outputs

GOLDEN = json.loads((Path(__file__).parent / "golden" / "statistics.json").read_text())
CLOSE = 1e-6


def test_it_is_said_which_versions_answered():
    versions = GOLDEN["made_with"]
    assert versions["jax-privacy"] == "2.0.0"
    assert versions["memaudit"] == "0.2.0"
    assert versions["tensorflow-privacy"] == "0.8.12"
    assert versions["plot.py"].startswith("sha256:72b4a666")


@pytest.mark.parametrize("case", GOLDEN["clopper_pearson"], ids=str)
def test_bounds_on_a_proportion_are_those_of_memaudit(case):
    half = case["alpha"] / 2
    low = clopper_pearson_lower(case["k"], case["n"], half)
    high = clopper_pearson_upper(case["k"], case["n"], half)
    assert float(low) == pytest.approx(case["low"], abs=CLOSE)
    assert float(high) == pytest.approx(case["high"], abs=CLOSE)


@pytest.mark.parametrize("case", GOLDEN["epsilon_clopper_pearson"], ids=str)
def test_the_lower_bound_on_epsilon_is_that_of_jax_privacy(case):
    found = epsilon_lower_bound(
        case["right_in"],
        case["n_in"],
        case["right_out"],
        case["n_out"],
        alpha=case["alpha"],
        delta=case["delta"],
    )
    assert found == pytest.approx(case["epsilon"], abs=CLOSE)


def asked():
    """The experiment whose scores were asked for: a record and its copies are the queries."""
    case = GOLDEN["lira"]
    learned, never_saw, target = (
        np.array(case[name]) for name in ("learned", "never_saw", "target")
    )
    return Observations(
        target=Outputs.from_margins(target[:, 0]),
        neighbours=target[:, 1:],
        learned=References(margins=learned[..., 0], neighbours=learned[..., 1:]),
        never_saw=References(margins=never_saw[..., 0], neighbours=never_saw[..., 1:]),
    )


@pytest.mark.parametrize("reference", ["compute_score_lira", "plot_generate_ours"])
def test_lira_with_spreads_per_record_is_the_published_one(reference):
    found = LiraOnline(copies=True, own_spread_from=0).score(asked())
    assert -found == pytest.approx(np.array(GOLDEN["lira"][reference]), abs=CLOSE)


def test_lira_with_one_spread_is_that_of_tensorflow_privacy_which_takes_residuals():
    found = LiraOnline(copies=True, own_spread_from=1000).score(asked())
    reference = np.array(GOLDEN["lira"]["compute_score_lira_fix_variance"])
    assert -found == pytest.approx(reference, abs=CLOSE)


def test_the_margin_is_the_logit_scaled_confidence():
    case = GOLDEN["margins"]
    outputs = Outputs(logits=np.array(case["logits"]), labels=np.array(case["labels"]))
    assert outputs.margin == pytest.approx(np.array(case["margins"]), abs=CLOSE)
