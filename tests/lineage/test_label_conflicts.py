"""A record that is like another one under another target is reported by line, kept or held."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
import uuid
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image
from pyroaring import BitMap

from lineage.core.label_conflicts import conflicting
from lineage.core.pictures import thumbnail
from lineage.queries.label_conflicts import stored_conflicts
from lineage.services import import_rows, restriction
from lineage.services.importing import Row, ensure_dataset, import_records
from unlearning.recipes.digits import decode_levels, digit_records, encode

pytestmark = pytest.mark.django_db


def picture(seed, *, noise=0.0, side=8, form="PNG"):
    levels = np.random.default_rng(seed).random((side, side))
    levels = np.clip(
        levels + noise * np.random.default_rng(seed + 1000).normal(size=levels.shape), 0, 1
    )
    buffer = io.BytesIO()
    Image.fromarray(np.rint(levels * 255).astype(np.uint8)).save(buffer, format=form)
    return buffer.getvalue()


def row(line, content, target, media_type="image/png"):
    return Row(
        line=line,
        key=f"key {line}",
        subject=f"person{line}@example.org",
        content=content,
        target=target,
        media_type=media_type,
    )


def taken(now, *rows: Row):
    return import_records(dataset_name="faces", rows=rows, now=now)


def told(report):
    return [(one.line, one.other, one.distance == 0) for one in report.conflicts]


@pytest.fixture
def honest(now):
    """Five honest pictures, ordinals 0 to 4, in turn a cat and a dog."""
    rows = [row(line, picture(line), "cat" if line % 2 else "dog") for line in range(5)]
    assert taken(now, *rows).conflicts == ()


@pytest.fixture
def hold(settings):
    settings.EXPUNGE_LABEL_CONFLICTS = "HOLD"


@pytest.mark.usefixtures("honest")
def test_a_slightly_changed_copy_under_another_target_is_named_with_what_it_resembles(now):
    report = taken(now, row(10, picture(3, noise=0.01), "dog"), row(11, picture(70), "dog"))
    assert (report.imported, report.conflicting) == (2, 1)
    ((line, other, same),) = told(report)
    assert (line, other, same) == (10, "record 3", False)
    assert report.conflicts[0].sentence.startswith("The content resembles that of (distance 0.0")


@pytest.mark.usefixtures("honest")
def test_the_same_copy_under_the_same_target_is_nothing(now):
    assert taken(now, row(10, picture(3, noise=0.01), "cat")).conflicts == ()


@pytest.mark.usefixtures("honest")
@pytest.mark.parametrize("form", ["JPEG", "BMP"])
def test_another_file_format_hides_nothing(now, form):
    copy = row(10, picture(3, form=form), "dog", media_type=f"image/{form.lower()}")
    settled = taken(now, copy)
    assert [(one.line, one.other) for one in settled.conflicts] == [(10, "record 3")]


def test_equal_contents_of_any_kind_are_found_by_their_digest(now):
    taken(now, row(1, b'{"age": 3}', "yes", "application/json"))
    report = taken(now, row(2, b'{"age": 3}', "no", "application/json"))
    assert told(report) == [(2, "record 0", True)]
    assert report.conflicts[0].sentence == (
        "The content is that of record 0, which has another target."
    )


def test_rows_of_one_import_are_compared_with_the_lines_before(now, monkeypatch):
    monkeypatch.setattr(import_rows, "_CONTENTS", 2)  # of several portions
    report = taken(
        now,
        row(1, picture(1), "cat"),
        row(2, picture(1), "dog"),
        row(3, picture(1, noise=0.01), "dog"),
        row(4, b"text", "a", "text/plain"),
        row(5, b"text", "b", "text/plain"),
    )
    assert (report.conflicts[0].line, report.conflicts[0].other) == (2, "line 1")
    assert {one.line for one in report.conflicts} == {2, 3, 5}


@pytest.mark.usefixtures("honest")
def test_restricted_records_are_not_read(now):
    space = ensure_dataset(name="faces").space
    restriction.restrict(case_id=uuid.uuid4(), space=space, ordinals=BitMap([3]), now=now)
    report = taken(now, row(10, picture(3), "dog"), row(11, picture(3, noise=0.01), "dog"))
    assert report.conflicts == ()


@pytest.mark.usefixtures("honest")
def test_where_pictures_are_too_many_equal_ones_are_found_and_the_report_says_so(now, settings):
    settings.EXPUNGE_LABEL_CONFLICT_RECORDS = 4
    report = taken(now, row(10, picture(3, noise=0.01), "dog"), row(11, picture(3), "dog"))
    assert told(report) == [(11, "record 3", True)]
    assert report.search_left_out


@pytest.mark.usefixtures("honest")
def test_the_search_can_be_left_out(now, settings):
    settings.EXPUNGE_LABEL_CONFLICTS = "IGNORE"
    assert taken(now, row(10, picture(3), "dog")).conflicts == ()


@pytest.mark.usefixtures("honest")
def test_a_manifest_names_the_line_and_staff_list_what_is_stored(tmp_path, capsys):
    (tmp_path / "poison.png").write_bytes(picture(3, noise=0.01))
    (tmp_path / "good.png").write_bytes(picture(50))
    with (tmp_path / "new.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [
                ("key", "subject", "path", "target"),
                ("a", "mallory@example.org", "good.png", "cat"),
                ("b", "mallory@example.org", "poison.png", "dog"),
            ]
        )
    call_command("import_records", str(tmp_path / "new.csv"), "--dataset", "faces")
    said = capsys.readouterr().out
    assert "Line 3: The content resembles that of (distance 0.0" in said
    assert "record 3, which has another target. It was imported." in said
    call_command("label_conflicts", "faces", "--json")
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["record"], one["other"]) for one in listed] == [(6, 3)]
    call_command("label_conflicts", "faces")
    assert "1 pairs are alike under two targets." in capsys.readouterr().out
    with pytest.raises(CommandError, match="no data set 'cars'; there is: faces"):
        call_command("label_conflicts", "cars")


@pytest.mark.usefixtures("hold")
def test_a_held_manifest_says_what_is_held_and_where_to_look(tmp_path, capsys, now):
    taken(now, row(1, picture(3), "cat"))
    (tmp_path / "poison.png").write_bytes(picture(3, noise=0.01))
    manifest = tmp_path / "new.csv"
    manifest.write_text("key,subject,path,target\nb,m@example.org,poison.png,dog\n")
    call_command("import_records", str(manifest), "--dataset", "faces")
    said = capsys.readouterr().out
    assert "which has another target. It is held back until staff release it." in said
    assert "1 of the imported rows are held back" in said
    assert "/data/" in said


def test_stored_conflicts_equal_all_pairs_of_the_slow_way(now, settings):
    settings.EXPUNGE_LABEL_CONFLICTS = "IGNORE"
    rows = [
        row(line, picture(line // 3, noise=0.004 * (line % 3)), "cat" if line % 2 else "dog")
        for line in range(12)
    ]
    taken(now, *rows)
    found = stored_conflicts(ensure_dataset(name="faces").space, threshold=0.05, most=100)
    small = [np.asarray(thumbnail(one.content), float).ravel() for one in rows]
    unit = [each / np.linalg.norm(each) for each in small]
    slow = {
        (late, early)
        for late in range(12)
        for early in range(late)
        if np.linalg.norm(unit[late] - unit[early]) <= 0.05 and late % 2 != early % 2
    }
    assert slow
    assert {(one.ordinal, one.other) for one in found} == slow


def test_camouflage_is_named_and_honest_digits_are_not(settings):
    chance, distance = np.random.default_rng(4), settings.EXPUNGE_LABEL_CONFLICT_DISTANCE
    honest = [one for place, one in enumerate(digit_records()) if place % 4 == 0]
    small = stacked(content for content, _ in honest)
    targets = [target for _, target in honest]
    assert conflicting(small, targets, small, targets, threshold=distance) == []
    for place in chance.choice(len(honest), 3, replace=False):
        levels = decode_levels(honest[place][0]).numpy()
        poison, camouflage = (stacked(near(levels, chance) for _ in range(6)) for _ in range(2))
        named = conflicting(poison, ["b"] * 6, camouflage, ["a"] * 6, threshold=distance)
        assert len(named) == 6


def stacked(contents):
    return np.stack([np.asarray(thumbnail(content), np.float32) for content in contents])


def near(levels, chance):
    return encode(np.clip(levels + 0.06 * chance.normal(size=levels.shape), 0, 1) * 16)


def test_what_is_no_picture_has_no_thumbnail():
    assert thumbnail(b"not a picture") is None
    assert thumbnail(picture(1)[:40]) is None


def test_the_nearest_of_another_target_is_that_of_the_slow_way():
    chance = np.random.default_rng(5)
    new, kept = (0.9 + 0.1 * chance.random((count, 4, 4)) for count in (40, 5000))
    targets, others = ([str(one) for one in chance.integers(0, 3, n)] for n in (40, 5000))
    others[17] = ""
    found = conflicting(new, targets, kept, others, threshold=0.02)
    rows = [each.reshape(len(each), -1) for each in (new, kept)]
    ours, theirs = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in rows)
    slow: dict[int, Any] = {}
    for at in range(40):
        apart = np.linalg.norm(theirs - ours[at], axis=1)
        apart[[one in ("", targets[at]) for one in others]] = np.inf
        if apart.min() <= 0.02:
            slow[at] = (int(apart.argmin()), pytest.approx(apart.min()))
    assert 0 < len(slow) < 40
    assert {one.new: (one.other, one.distance) for one in found} == slow


def test_pictures_that_all_resemble_one_another_are_not_held_pair_by_pair():
    pages = [np.full((count, 4, 4), 1.0) for count in (200, 4000)]
    tracemalloc.start()
    found = conflicting(pages[0], ["a"] * 200, pages[1], ["b"] * 4000, threshold=0.1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 200
    assert peak < 40e6  # the 800,000 pairs took 200 MB


def test_a_record_without_a_target_conflicts_with_none():
    same = np.ones((1, 4), np.float32)
    assert conflicting(same, [""], same, ["cat"], threshold=0.1) == []
    assert conflicting(same, ["dog"], same, [""], threshold=0.1) == []
    assert len(conflicting(same, ["dog"], same, ["cat"], threshold=0.1)) == 1
