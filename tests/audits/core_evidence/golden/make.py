"""Make ``statistics.json``: what public reference implementations answer to fixed questions.

Run it in an environment of its own; the platform needs none of these packages:

    python3.11 -m venv reference
    reference/bin/pip install numpy scipy absl-py dp-accounting
    reference/bin/pip install --no-deps jax-privacy==2.0.0 memaudit==0.2.0 \
        tensorflow-privacy==0.8.12
    reference/bin/python tests/audits/core_evidence/golden/make.py path/to/plot.py

``plot.py`` is research/mi_lira_2021/plot.py of github.com/tensorflow/privacy; it is no package.
"""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import sys
import types
from functools import cache
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

HERE = Path(__file__).parent
PACKAGES = ("jax-privacy", "memaudit", "tensorflow-privacy", "numpy", "scipy", "dp-accounting")
PROPORTIONS = [(0, 8), (3, 8), (8, 8), (1, 37), (500, 1000), (999, 1000)]
GUESSES = [(8, 8, 8, 8), (20, 32, 25, 32), (60, 64, 31, 64), (3, 64, 60, 64), (250, 256, 128, 200)]
ONE_RUN = [  # canaries, guesses, right guesses
    (100, 100, 60),
    (100, 40, 36),
    (1000, 200, 180),
    (1000, 1000, 560),
    (1000, 100, 100),
    (20, 10, 5),
]


@cache
def bare(module: str) -> types.ModuleType:
    """Import a module without running what its packages import: TensorFlow, JAX, transformers."""
    top, *_ = names = module.split(".")
    spec = find_spec(top)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{top} is not installed.")
    path = Path(spec.origin).parent
    for depth, name in enumerate(names[:-1]):
        package = types.ModuleType(".".join(names[: depth + 1]))
        path = path / name if depth else path
        package.__path__ = [str(path)]
        sys.modules[package.__name__] = package
    return import_module(module)


def functions(path: Path) -> dict[str, Any]:
    """Return the functions of a script that would plot something if it were imported."""
    tree = ast.parse(path.read_text())
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    found: dict[str, Any] = {"np": np, "scipy": types.SimpleNamespace(stats=stats)}
    exec(compile(tree, str(path), "exec"), found)
    return found


def clopper_pearson() -> list[dict[str, Any]]:
    """Return two-sided intervals by memaudit."""
    found = bare("memaudit.stats").clopper_pearson
    cases = [(k, n, alpha) for k, n in PROPORTIONS for alpha in (0.05, 0.01)]
    names = ("k", "n", "alpha", "low", "high")
    return [dict(zip(names, (*case, *found(*case)), strict=True)) for case in cases]


def auditor(auditing, right_in, n_in, right_out, n_out):
    """Return an auditor whose scores above one half are so often right."""
    inside, outside = np.zeros(n_in), np.ones(n_out)
    inside[:right_in], outside[:right_out] = 1, 0
    return auditing.CanaryScoreAuditor(inside, outside)


def epsilon_clopper_pearson() -> list[dict[str, Any]]:
    """Return lower bounds on epsilon from both directions, at a fixed threshold."""
    auditing = bare("jax_privacy.auditing")
    names = ("right_in", "n_in", "right_out", "n_out")
    return [
        {
            **dict(zip(names, case, strict=True)),
            "alpha": alpha,
            "delta": delta,
            "epsilon": float(
                auditor(auditing, *case).epsilon_clopper_pearson(
                    alpha,
                    delta,
                    one_sided=False,
                    threshold_strategy=auditing.Explicit(0.5),
                )
            ),
        }
        for case in GUESSES
        for alpha in (0.05, 0.01)
        for delta in (0.0, 1e-3)
    ]


def epsilon_one_run() -> list[dict[str, Any]]:
    """Return lower bounds on epsilon from one run with m canaries, v of r guesses of "in" right.

    The reference solves for epsilon with an absolute tolerance of 1e-6 and takes no delta of zero.
    """
    auditing = bare("jax_privacy.auditing")
    found = []
    for m, r, v in ONE_RUN:
        inside = max(m // 2, v)
        for alpha in (0.05, 0.01):
            for delta in (1e-9, 1e-5, 1e-3):
                judge = auditor(auditing, v, inside, m - inside - (r - v), m - inside)
                epsilon = judge.epsilon_one_run(
                    alpha, delta, threshold_strategy=auditing.Explicit(0.5)
                )
                found.append(
                    {"m": m, "r": r, "v": v, "delta": delta, "alpha": alpha, "epsilon": epsilon}
                )
    return found


def lira(plot: Path) -> dict[str, Any]:
    """Return LiRA scores; in the references a member's is small, so ours are minus these."""
    mia = bare("tensorflow_privacy.privacy.privacy_tests.membership_inference_attack.advanced_mia")
    rng = np.random.default_rng(20)
    models, records, queries = 10, 4, 3
    hardness = rng.normal(0, 4, (records, 1))
    learned = (hardness + 2 + rng.normal(size=(models, records, queries))).round(6)
    never_saw = (hardness + rng.normal(0, 1.5, (models, records, queries))).round(6)
    target = (hardness + 1 + rng.normal(size=(records, queries))).round(6)
    arms = [list(np.swapaxes(arm, 0, 1)) for arm in (learned, never_saw)]
    own, shared = (
        mia.compute_score_lira(target, *arms, fix_variance=fixed) for fixed in (False, True)
    )
    keep = np.repeat([True, False], models)[:, None] & np.ones(records, bool)
    everyone = np.concatenate([learned, never_saw])
    unanswered = np.zeros((1, records), bool)
    plotted, _ = functions(plot)["generate_ours"](keep, everyone, unanswered, target[None])
    return {
        "learned": learned.tolist(),
        "never_saw": never_saw.tolist(),
        "target": target.tolist(),
        "compute_score_lira": own.tolist(),
        "compute_score_lira_fix_variance": shared.tolist(),
        "plot_generate_ours": [float(score) for score in plotted],
    }


def margins() -> dict[str, Any]:
    """Return logit-scaled confidences of some logits."""
    mia = bare("tensorflow_privacy.privacy.privacy_tests.membership_inference_attack.advanced_mia")
    rng = np.random.default_rng(21)
    logits, labels = rng.normal(0, 3, (6, 5)).round(6), rng.integers(0, 5, 6)
    found = mia.calculate_statistic(logits.copy(), labels, option="logit")
    return {"logits": logits.tolist(), "labels": labels.tolist(), "margins": found.tolist()}


def main(plot: Path) -> None:
    """Write the answers, and who gave them."""
    answers = {
        "made_with": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in PACKAGES},
            "plot.py": f"sha256:{hashlib.sha256(plot.read_bytes()).hexdigest()}",
        },
        "clopper_pearson": clopper_pearson(),
        "epsilon_clopper_pearson": epsilon_clopper_pearson(),
        "epsilon_one_run": epsilon_one_run(),
        "lira": lira(plot),
        "margins": margins(),
    }
    text = json.dumps(answers, indent=1)
    (HERE / "statistics.json").write_text(text + "\n", encoding="utf-8")
    print(json.dumps(answers["made_with"], indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
