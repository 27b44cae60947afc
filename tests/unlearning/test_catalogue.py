"""What programs and people read about the methods is what the methods say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from unlearning.core import catalogue

ROOT = Path(__file__).parents[2]
REMEDY = "run python -m unlearning.core.catalogue"


def test_the_catalogue_is_up_to_date():
    assert catalogue.CATALOGUE.read_text() == catalogue.catalogue_text(), REMEDY


def test_the_page_is_up_to_date():
    page = catalogue.PAGE.read_text()
    assert page == catalogue.page_text(page), REMEDY


def test_the_page_keeps_what_is_written_around_the_table():
    page = f"before\n{catalogue.BEGIN}\nold\n{catalogue.END}\nafter\n"
    renewed = catalogue.page_text(page)
    assert renewed.startswith("before\n")
    assert renewed.endswith(f"{catalogue.END}\nafter\n")
    assert "old" not in renewed
    assert "| `retrain` | Retrain from scratch | exact | no | those of the recipe |" in renewed


def test_a_declaration_holds_what_a_form_and_a_planner_need():
    found = {each["name"]: each for each in json.loads(catalogue.CATALOGUE.read_text())}
    scrub = found["scrub"]
    assert scrub["guarantee"] == "APPROXIMATE"
    assert scrub["reads_forget"] is True
    assert scrub["needs"] == ["RECIPE", "RETAIN"]
    assert found["retrain"]["cost"] == {"trainings": 1, "retain_passes": 0, "forget_passes": 0}
    stop = found["neggrad_plus"]["hyperparameters"][-1]
    assert stop == {
        "name": "stop_loss",
        "type": "float",
        "default": None,
        "optional": True,
        "low": 1e-06,
        "high": 100,
        "log": False,
        "help": "mean loss on the forget set that ends the run",
    }


def test_reading_the_catalogue_does_not_import_torch():
    code = (
        "import json, sys; from importlib import resources; "
        "text = resources.files('unlearning.methods').joinpath('catalogue.json').read_text(); "
        "print(len(json.loads(text)) > 3, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "True False", done.stderr
