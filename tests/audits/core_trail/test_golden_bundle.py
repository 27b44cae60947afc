"""What was exported once is accepted by every later verifier, and no changed copy of it is."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from audits.core import flat_zip
from expunge.standalone import verify as standalone
from tests.audits.core_trail import bundles, make_golden_bundle
from tests.audits.core_trail.make_golden_bundle import BUNDLE, KEY

PLACES = int(os.environ.get("EXPUNGE_TEST_FLIPS", "300"))
DATA, VKEY = BUNDLE.read_bytes(), KEY.read_text().strip()
# Its bytes say which verifier was current, so they may differ from what is exported today.
OF_ITS_TIME = {"verify.py", "manifest.json"}


def test_a_bundle_exported_earlier_is_accepted_by_both():
    files = flat_zip.read(DATA)
    assert bundles.by_the_product(files, VKEY) == bundles.by_the_stranger(files, VKEY) == ""
    assert standalone.run([str(BUNDLE), "--key", str(KEY)])[0] == 0


def test_every_changed_byte_of_it_is_rejected_by_both():
    places = random.Random(3).sample(range(len(DATA)), min(PLACES, len(DATA)))
    for place in places:
        changed = bundles.flipped(DATA, place)
        assert bundles.zip_by_the_product(changed), place
        assert bundles.zip_by_the_stranger(changed), place


@pytest.mark.parametrize("name", sorted(flat_zip.read(DATA)))
def test_a_changed_byte_of_each_of_its_files_is_rejected_by_both(name):
    files = flat_zip.read(DATA)
    place = random.Random(name).randrange(len(files[name]))
    changed = files | {name: bundles.flipped(files[name], place)}
    assert bundles.by_the_product(changed, VKEY)
    assert bundles.by_the_stranger(changed, VKEY)


def test_the_format_has_not_changed_without_a_new_name():
    now, then = flat_zip.read(bundles.packed()), flat_zip.read(DATA)
    assert now.keys() == then.keys()
    assert [name for name in now if now[name] != then[name] and name not in OF_ITS_TIME] == []


def test_the_program_in_it_still_accepts_what_is_exported_today(tmp_path):
    (tmp_path / "verify.py").write_bytes(flat_zip.read(DATA)["verify.py"])
    (tmp_path / "case.zip").write_bytes(bundles.packed())
    found = subprocess.run(
        [sys.executable, "-I", "verify.py", "case.zip", "--key", VKEY],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (found.returncode, found.stderr, found.stdout[:9]) == (0, "", "VERIFIED.")


def test_a_golden_bundle_is_never_made_again():
    with pytest.raises(SystemExit, match="is there already"):
        make_golden_bundle.main()
