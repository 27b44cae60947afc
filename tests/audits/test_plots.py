from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from functools import cache
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from audits.core.roc import Roc, roc
from audits.execution.plots import COLOURS, Curve, NothingToDraw, roc_svg
from audits.execution.svg_styles import attributed
from audits.execution.svg_text import NotAPicture, described, description_of

SVG = "{http://www.w3.org/2000/svg}"
PROGRAM = """
import hashlib
from tests.audits.test_plots import picture
print(hashlib.sha256(picture()).hexdigest())
"""


def curve(label="After unlearning", *, shift=0.2, negatives=300, seed=0):
    rng = np.random.default_rng(seed)
    member = np.arange(120) < 60
    scores = rng.normal(0, 1, 120) + shift * member
    return Curve(label=label, roc=roc(scores, member, independent_negatives=negatives))


@cache
def picture():
    curves = [curve("Before unlearning", shift=2.5), curve(seed=1), curve("Retrained", seed=2)]
    return roc_svg(curves, title="U-LiRA on a forget set")


def test_the_same_numbers_give_the_same_bytes_in_another_process():
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == hashlib.sha256(picture()).hexdigest()


def test_a_picture_says_no_date_and_no_program():
    text = picture().decode()
    assert "dc:date" not in text
    assert "Matplotlib" not in text


def test_a_picture_has_a_name_and_a_description_for_those_who_do_not_see_it():
    root = ET.fromstring(picture())
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert root.get("aria-labelledby") == "title desc"
    assert root.findtext(f"{SVG}title") == "U-LiRA on a forget set"
    words = root.findtext(f"{SVG}desc") or ""
    assert re.search(r"Before unlearning: area 0\.9\d\d; \d\d\.\d % true positives at 1 %", words)
    assert description_of(picture()) == words


def test_rates_with_fewer_than_three_expected_false_positives_are_not_assessed():
    few = roc_svg([curve(negatives=20)], title="Few").decode()
    many = roc_svg([curve(negatives=3000)], title="Many").decode()
    assert "Below a false positive rate of 15 %" in description_of(few.encode())
    assert "not assessable at 10 %" in description_of(few.encode())
    assert "too few" not in description_of(many.encode())
    assert "url(#h" in few  # the hatching
    assert "url(#h" not in many


def test_the_smallest_number_of_negatives_decides_for_all_curves():
    both = roc_svg([curve(negatives=3000), curve("Other", negatives=30)], title="x")
    assert "Below a false positive rate of 10 %" in description_of(both)


def test_curves_differ_in_colour_and_in_dashes():
    text = picture().decode()
    styles = {
        colour: set(re.findall(rf'stroke-dasharray="[^"]+"[^>]* stroke="{colour.lower()}"', text))
        for colour in COLOURS[:3]
    }
    assert all(colour.lower() in text for colour in COLOURS[:3])
    assert styles[COLOURS[0]] == set()  # solid
    assert styles[COLOURS[1]]
    assert styles[COLOURS[2]]


def test_more_curves_than_colours_are_still_drawn():
    six = [curve(f"Curve {number}", seed=number) for number in range(6)]
    assert description_of(roc_svg(six, title="Six")).count("area") == 6


@pytest.mark.parametrize("title", ["$x_1$ \\frac{ <b>&\"'", "_hidden 100 % #panic()"])
def test_labels_are_drawn_as_they_are_written(title):
    labels = ["$x_1$ \\frac{", "_hidden", "<b>&\"'", "\u6a21\u202e"]
    data = roc_svg([curve(label) for label in labels], title=title)
    assert ET.fromstring(data).findtext(f"{SVG}title") == title
    for label in (*labels[:3], "[U+6A21][U+202E]"):
        assert f" {label}: area" in description_of(data)


def test_a_perfect_attack_stays_on_the_axes():
    perfect = Roc(
        fpr=np.array([0.0, 0.0, 1.0]), tpr=np.array([0.0, 1.0, 1.0]), auc=1, negatives=99
    )
    assert b"nan" not in roc_svg([Curve(label="Perfect", roc=perfect)], title="x").lower()


def test_a_plot_needs_a_curve():
    with pytest.raises(NothingToDraw, match="at least one"):
        roc_svg([], title="x")


def test_only_a_picture_can_be_described():
    with pytest.raises(NotAPicture):
        described("<p>", title="x", description="y")
    assert description_of(b"<svg></svg>") == ""


def test_a_picture_has_no_style_that_a_strict_policy_would_refuse():
    text = picture().decode()
    assert "style" not in text
    root = ET.fromstring(text)
    assert root.get("stroke-linejoin") == "round"
    assert {shape.get("fill") for shape in root.iter(f"{SVG}path")} >= {"#ffffff", "none"}


def test_styles_become_attributes_with_the_same_values():
    sheet = "<defs><style type='text/css'>*{stroke-linecap: butt}</style></defs>"
    drawn = f'<svg width="1">{sheet}<path d="z" style="fill: none; stroke: #0072b2"/></svg>'
    assert attributed(drawn) == (
        '<svg stroke-linecap="butt" width="1"><path d="z" fill="none" stroke="#0072b2"/></svg>'
    )
