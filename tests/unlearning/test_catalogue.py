"""What programs and people read about the methods is what the methods say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from unlearning.core import catalogue

ROOT = Path(__file__).parents[2]
REMEDY = "run python -m unlearning.core.catalogue"


def test_the_catalogue_is_up_to_date():
    assert catalogue.CATALOGUE.read_text() == catalogue.catalogue_text(), REMEDY


def test_the_page_is_up_to_date():
    page = catalogue.PAGE.read_text()
    assert page == catalogue.page_text(page), REMEDY


def test_the_page_keeps_what_is_written_around_the_table():
    page = f"before\n{catalogue.BEGIN}\nwhat was here\n{catalogue.END}\nafter\n"
    renewed = catalogue.page_text(page)
    assert renewed.startswith("before\n")
    assert renewed.endswith(f"{catalogue.END}\nafter\n")
    assert "what was here" not in renewed
    row = "| `retrain` | Retrain from scratch | exact | any records | no | the retain set; "
    assert row in renewed
    assert "## Retrain from scratch\n\n`retrain`\n\nTrain a fresh model" in renewed
    assert "| `l2_to_init` | pull back to the original weights | 0 .. 1 | 0 |  |" in renewed


def test_a_declaration_holds_what_a_form_and_a_planner_need():
    found = {each["name"]: each for each in json.loads(catalogue.CATALOGUE.read_text())}
    scrub = found["scrub"]
    assert scrub["guarantee"] == "APPROXIMATE"
    assert scrub["reads_forget"] is True
    assert scrub["needs"] == ["RECIPE", "RETAIN"]
    assert scrub["reads_validation"] is False
    assert scrub["layers"] == "TRAINABLE"
    assert scrub["mixed_precision"] is True
    assert scrub["granularity"] == "RECORD"
    assert scrub["when"].startswith("A deep network")
    assert scrub["when_not"].startswith("A perceptron")
    assert found["retrain"]["cost"] == {"trainings": 1, "retain_passes": 0, "forget_passes": 0}
    stop = found["neggrad_plus"]["hyperparameters"][-1]
    assert stop == {
        "name": "stop_loss",
        "type": "float",
        "default": None,
        "published": None,
        "optional": True,
        "low": 1e-06,
        "high": 100,
        "log": False,
        "help": "mean loss on the forget set that ends the run",
    }


DEEP_UNLEARN = (
    *("fcs", "msg", "cfw", "prmq", "conv_transpose", "kde", "rni", "finetune", "bad_teacher"),
    *("random_labels", "gradient_ascent", "neggrad_plus", "fisher", "salun", "scrub_rewind"),
    *("influence_woodfisher", "cf_k", "eu_k"),
)
BEYOND = (
    *("retrain", "scrub", "ssd", "lfssd", "amnesiac", "unsir", "svd_projection", "amun", "aru"),
    *("remi", "mini_unlearning", "l1_sparse", "noisy_finetune", "newton_influence"),
)


def test_the_eighteen_of_the_benchmark_are_there_and_fourteen_more():
    found = {each["name"]: each for each in json.loads(catalogue.CATALOGUE.read_text())}
    assert len(DEEP_UNLEARN) == 18
    assert {*DEEP_UNLEARN, *BEYOND} <= found.keys()


def test_what_was_reconstructed_says_so_in_its_title():
    methods = json.loads(catalogue.CATALOGUE.read_text())
    label = "reconstructed from the abstract"
    found = {each["name"] for each in methods if each["basis"] == label}
    assert found == {"aru", "remi", "mini_unlearning", "noisy_finetune"}
    assert found == {each["name"] for each in methods if label in each["title"]}


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("amun", {"doublings"}),
        ("newton_influence", {"newton_steps", "damping", "l2"}),
        ("l1_sparse", {"learning_rate", "momentum", "weight_decay", "batch_size"}),
    ],
)
def test_a_number_that_no_paper_gives_is_not_called_published(name, numbers):
    methods = {each["name"]: each for each in json.loads(catalogue.CATALOGUE.read_text())}
    published = {each["name"]: each["published"] for each in methods[name]["hyperparameters"]}
    assert {each for each, value in published.items() if value is None} >= numbers


def test_only_declared_methods_read_unseen_records():
    methods = json.loads(catalogue.CATALOGUE.read_text())
    found = {each["name"] for each in methods if each["reads_validation"]}
    assert found == {"kde", "remi", "scrub_rewind"}


def test_the_command_prints_every_declaration(capsys):
    call_command("methods", "--json")
    assert json.loads(capsys.readouterr().out) == json.loads(catalogue.CATALOGUE.read_text())


def test_the_command_prints_a_line_for_each_method(capsys):
    call_command("methods")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(catalogue.registry())
    retrain = next(line for line in lines if line.startswith("retrain "))
    assert "any records; does not read it; needs the retain set, the recipe" in retrain


def test_listing_the_methods_does_not_import_torch():
    code = (
        "import sys, django, os; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; "
        "django.setup(); from django.core.management import call_command; "
        "call_command('methods', '--json', stdout=open(os.devnull, 'w')); "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "False", done.stderr


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
