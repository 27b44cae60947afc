"""The numbers behind the pictures of an evidence: in tables, in files, and at a pointer."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.test import Client

from audits.core.look_account import power_points
from audits.core.policy import EvidencePolicy
from audits.core.score_bins import bin_edges, counted
from audits.execution.figures import figures_of, store_picture
from audits.execution.look_plot import curve_numbers, look_curves, look_plot
from audits.models import Evidence
from audits.views import evidence_numbers
from lineage.models import Run
from tests.audits.core_evidence.experiments import World
from tests.audits.views import worlds
from tests.audits.views.test_views_public_browser import RULES, Looked
from tests.audits.views.visits import text_of
from tests.functional.browser import QUIET, chromium

WORLD = World(models=64, records=3)
POLICY = EvidencePolicy()


def drawn():
    """A finding with all its pictures, and the numbers that they were drawn from."""
    curves, kept, plain = look_curves(WORLD.draw(1), seed=1), WORLD.kept(1), worlds.u_lira()
    beside = {
        "kept": kept.as_dict(),
        "curves": curve_numbers(curves),
        "power_curve": power_points(kept, POLICY),
        "figures": figures_of(kept, POLICY),
    }
    plot = store_picture(look_plot(curves))
    return replace(plain, payload={**plain.payload, **beside}, plot=plot)


def address(case, ending=""):
    return f"/cases/{case.pk}/evidence/{Evidence.objects.get(kind='U_LIRA').pk}/{ending}"


def rows_of(reader, case, name):
    return list(csv.DictReader(io.StringIO(text_of(reader.get(address(case, f"{name}.csv"))))))


def test_the_page_offers_every_picture_and_every_table(reader):
    case, _ = worlds.judged(drawn())
    page = text_of(reader.get(address(case)))
    for file in ("plot.svg", "histograms.svg", "power.svg", "evidence.json"):
        assert f'href="{address(case, file)}"' in page
    for name in ("roc", "histograms", "scores", "power", "contrasts"):
        assert f'href="{address(case, f"{name}.csv")}"' in page
        answer = reader.get(address(case, f"{name}.csv"))
        assert answer["Content-Type"].startswith("text/csv")
        assert answer["Content-Disposition"].endswith(f'-{name}.csv"')
    assert "was not drawn" not in page
    assert reader.get(address(case, "faces.csv")).status_code == 404


def test_the_files_hold_the_numbers_of_the_payload(reader):
    case, _ = worlds.judged(drawn())
    kept, curves = WORLD.kept(1), Evidence.objects.get(kind="U_LIRA").payload["curves"]
    roc = rows_of(reader, case, "roc")
    assert [float(row["false_positive_rate"]) for row in roc] == curves["rates"]
    assert [row["tpr_leak"] for row in roc] == [
        "" if rate is None else str(rate) for rate in curves["leak"]["tpr"]
    ]
    scores = rows_of(reader, case, "scores")
    before = [row for row in scores if (row["stage"], row["arm"]) == ("before", "in")]
    told = [float(row["log_likelihood_ratio"]) for row in before]
    assert told == sorted(kept.before.subject_in, reverse=True)
    bins = rows_of(reader, case, "histograms")
    assert sum(int(row["leak_out"]) for row in bins) == kept.leak.n_out
    power = rows_of(reader, case, "power")
    assert [int(row["models_per_arm"]) for row in power[:2]] == list(POLICY.looks)
    leak = [row for row in rows_of(reader, case, "contrasts") if row["contrast"] == "leak"]
    assert {row["upper"] for row in leak} == {"0.0891"}


def test_evidence_of_an_earlier_release_says_what_was_not_kept(reader):
    case, _ = worlds.judged(worlds.u_lira())
    page = text_of(reader.get(address(case)))
    assert "not computed: The rates along the curves were not kept" in page
    assert "not computed: The histograms were not drawn" in page
    assert "not computed: The power curve was not drawn" in page
    assert "roc.csv" not in page
    assert "scores.csv" in page


@pytest.mark.parametrize("payload", [{}, {"kept": None}, {"kept": {"before": []}, "attacks": 3}])
def test_a_payload_with_holes_has_fewer_tables(payload):
    assert evidence_numbers.tables(payload, {}) == ()
    assert evidence_numbers.for_pointer(payload) == {"curves": None, "scores": None}


def test_every_score_lies_in_one_bin():
    values = [-1e6, -0.5, 0.0, 0.5, 3.0, 1e6]
    edges = bin_edges(values)
    assert 0.0 in edges
    assert sum(counted(values, edges)) == len(values)


def test_the_page_keeps_its_budget_however_many_versions_there_are(
    reader, django_assert_max_num_queries
):
    case = worlds.erased()
    with django_assert_max_num_queries(25) as few:
        size = len(reader.get(address(case)).content)
    assert size < 300_000
    for number in range(6):
        made = worlds.version(f"tuned {number}")
        Run.objects.filter(pk=made.generated_by_id).update(capture_level=Run.Capture.NONE)
        case.plan["affected"].append({"version": str(made.pk), "name": str(made)})
    case.save(update_fields=["plan"])
    with django_assert_max_num_queries(25) as many:
        assert "tuned 5" in text_of(reader.get(address(case)))
    assert len(many) <= len(few) + 1  # what suppliers say, in one query for all


@pytest.mark.browser
@pytest.mark.skipif(chromium() is None, reason="chromium is not on PATH")
def test_the_pictures_are_read_by_pointer_and_by_keys_and_menus_close():
    from playwright.sync_api import sync_playwright

    case, _ = worlds.judged(drawn())
    staff = Client()
    staff.force_login(User.objects.create_superuser("head"))
    answers = {
        address(case, file): staff.get(address(case, file))
        for file in ("", "plot.svg", "histograms.svg", "power.svg")
    }
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        try:
            looked = Looked(launched.new_page())
            for path, answer in answers.items():
                url = f"https://expunge.test{path}"
                looked.answers[url] = (200, dict(answer.headers), answer.content)
            page = next(iter(answers))
            looked.open(page.lstrip("/"), answers[page])
            _read(looked.page)
            faults = looked._axe({"type": "tag", "values": RULES})
            _menus(looked.page)
            _on_paper(looked.page)
        finally:
            launched.close()
    assert faults == []
    assert looked.complaints == []
    assert looked.elsewhere == []


def _read(page):
    page.wait_for_selector("figure[data-reads=histograms] .marks line", state="attached")
    kept = WORLD.kept(1)
    slider = page.get_by_label("Threshold")
    said = page.locator("figure[data-reads=histograms] output")
    above = sum(value > 0 for value in kept.before.subject_in)
    assert f"({above} of {kept.before.n_in})" in said.inner_text()
    slider.press("End")
    assert f"(0 of {kept.leak.n_out})" in said.inner_text()
    slider.press("Home")
    assert slider.get_attribute("aria-valuetext").startswith("-")
    curves = json.loads(page.locator("#numbers").text_content())["curves"]
    picture = page.locator("figure[data-reads=roc] a")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    said = page.locator("figure[data-reads=roc] output").inner_text()
    assert said.startswith("At 100 % false positives. Before unlearning: 100 %")
    page.get_by_label("False positive rate").press("ArrowLeft")
    rate = curves["leak"]["tpr"][-2]
    said = page.locator("figure[data-reads=roc] output").inner_text()
    (told,) = re.findall(r"After unlearning: ([\d.]+) %", said)
    assert float(told) == pytest.approx(100 * rate, rel=0.01)
    assert page.locator("figure[data-reads=roc] .marks circle").count() == 2


def _menus(page):
    groups = page.locator(".nav details[open]")
    summary = page.locator(".nav summary", has_text="Operations")
    summary.press("Enter")
    assert groups.count() == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert groups.count() == 0
    assert page.evaluate("document.activeElement.textContent") == "Operations"
    summary.click()
    page.get_by_role("heading", level=1).click()
    assert groups.count() == 0


def _on_paper(page):
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 690, "height": 1000})  # of a sheet of A4
    for gone in (".top", ".reading", ".crumbs"):
        assert not page.locator(gone).first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.get_by_text("100.0 % to 100.0 %").first.is_visible()  # within a fold
    cell = "document.querySelector('details td')"
    assert page.evaluate(f"getComputedStyle({cell}).display") == "table-cell"
    assert page.get_by_text(", as it was on ").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 690
