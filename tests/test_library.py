"""The numerical half is a library: it works in an environment of its own extra alone."""

from __future__ import annotations

import subprocess

from tests import clean_environment
from tests.clean_environment import ROOT, declared, needed

EVERY_MODULE = """
import importlib, pkgutil, sys
PACKAGES = ['lineage.core', 'unlearning.core', 'unlearning.methods', 'unlearning.recipes',
            'audits.core', 'audits.attacks']
optional = {'unlearning.core.tuning': 'tuning'}  # the extra that it needs
for package in map(importlib.import_module, PACKAGES):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):
        if found.name not in optional:
            importlib.import_module(found.name)
"""
NOTEBOOK = """
from audits.core.scores import scores_of
from unlearning.core.context import Context
from unlearning.methods.finetune import Finetune
from unlearning.recipes.digits import DigitsMLP, digit_records
recipe = DigitsMLP()
pairs = [recipe.decode(content, target) for content, target in digit_records()][:300]
forget, retain, unseen = pairs[:20], pairs[20:200], pairs[200:]
model = recipe.train(forget + retain, Context(recipe=recipe, seed=1))
unlearned = Finetune().unlearn(model, retain, forget, Context(recipe=recipe, seed=2))
"""
CHECK = """
def mean(model, examples):
    margins, correct = scores_of(model, examples)
    return margins.mean(), correct.mean()

assert len(pairs) == 300
assert mean(model, forget)[1] == 1.0
assert mean(model, unseen)[1] > 0.8
assert mean(model, forget)[0] > mean(model, unseen)[0] + 0.5
assert mean(unlearned, forget)[0] != mean(model, forget)[0]
assert 'django' not in {name.partition('.')[0] for name, module in sys.modules.items() if module}
print('done')
"""


def test_a_notebook_trains_unlearns_and_audits_without_the_web_half(tmp_path):
    library = needed(declared("library"))
    assert "django" not in library
    python = clean_environment.make(tmp_path, library.values())
    done = subprocess.run(
        [python, "-W", "error", "-c", EVERY_MODULE + NOTEBOOK + CHECK],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "done", done.stderr


def test_the_notebook_is_as_short_as_promised():
    assert len(NOTEBOOK.strip().splitlines()) <= 10
