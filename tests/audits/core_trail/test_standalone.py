"""The program that goes along with a bundle, run like somebody who has nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core import case_bundle
from expunge.standalone import verify as standalone
from tests.audits.core_trail.bundles import files, flipped, packed
from tests.audits.core_trail.sealing import KEY, OTHER_KEY, VKEY, checkpoint_of

PROGRAM = case_bundle.STANDALONE
JSON = st.recursive(
    st.none() | st.booleans() | st.text() | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
BARE = """
import runpy, sys
sys.path.append(sys.argv.pop(1))
assert not [one for one in sys.path if one.endswith("site-packages")], sys.path
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A folder to import from that holds ``cryptography`` and what it loads, and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    for name in ("cryptography", "cffi", "_cffi_backend"):
        origin = find_spec(name).origin  # type: ignore[union-attr]
        source = Path(str(origin))
        source = source.parent if source.name.startswith("__init__") else source
        (folder / source.name).symlink_to(source)
    return folder


@pytest.fixture
def case(tmp_path):
    path = tmp_path / "case.zip"
    path.write_bytes(packed())
    return path


def run(*arguments: object):
    return standalone.run([str(one) for one in arguments])


def alone(bare, *arguments: object):
    """Exit code and output of a process without this project and without its packages."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", BARE, str(bare), str(PROGRAM), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=bare,
        env={},
    )


def test_it_runs_with_nothing_but_cryptography(bare, case):
    found = alone(bare, case, "--key", VKEY)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("VERIFIED.\nCase 11111111-2222-4333-8444-555555555555, outcome")
    case.write_bytes(flipped(packed(), 5000))
    found = alone(bare, case, "--key", VKEY)
    assert (found.returncode, found.stderr, found.stdout[:10]) == (1, "", "REJECTED. ")


def test_it_imports_only_the_standard_library_and_cryptography():
    tree = ast.walk(ast.parse(PROGRAM.read_text()))
    named = {
        name.split(".")[0]
        for node in tree
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else
                     [alias.name for alias in node.names])
        if name
    }  # fmt: skip
    assert named - sys.stdlib_module_names == {"cryptography"}


def test_without_cryptography_nothing_is_judged(tmp_path, case):
    found = alone(tmp_path, case, "--key", VKEY)
    assert (found.returncode, found.stderr) == (2, "")
    assert "No module named 'cryptography'" in found.stdout


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_its_json_is_that_of_rfc_8785(value):
    assert standalone.canonical(value) == rfc8785.dumps(value)


@settings(max_examples=300, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_its_numbers_are_those_of_rfc_8785(value):
    assert standalone.canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "9007199254740992", "1e400", '"\\ud800"'])
def test_a_value_that_has_no_canonical_form_is_rejected(text):
    with pytest.raises((standalone.Rejected, ValueError)):
        standalone.decoded(text.encode())


@pytest.mark.parametrize(
    "text", ['{"a": 1}', '{"b":1,"a":1}', '{"a":1,"a":1}', "1.0", "-0", "1E2", '"\\u0041"', "[1 ]"]
)
def test_another_spelling_is_rejected(text):
    with pytest.raises(standalone.Rejected, match="canonical form"):
        standalone.decoded(text.encode())


def test_the_key_is_given_as_text_or_as_a_file_with_notes(case, tmp_path):
    (tmp_path / "keys").write_text(f"# ours\n{OTHER_KEY.verifier.text}\n\n{VKEY} since 2026\n")
    assert run(case, "--key", VKEY)[0] == run(case, "--key", tmp_path / "keys")[0] == 0
    assert run(case, "--key", OTHER_KEY.verifier.text, "--key", VKEY)[0] == 0
    code, words = run(case, "--key", OTHER_KEY.verifier.text)
    assert (code, words) == (
        1,
        "REJECTED. Step 2, the manifest: It is signed by a key that was not given.",
    )


def test_with_the_key_inside_only_it_says_what_that_is_worth(case):
    code, words = run(case)
    assert code == 2
    assert "anybody can make such files with a key of their own" in words
    case.write_bytes(flipped(packed(), 5000))
    assert run(case)[0] == 1  # what does not even fit together is rejected all the same


def test_a_key_from_the_folder_itself_is_not_taken(tmp_path):
    folder = tmp_path / "case"
    folder.mkdir()
    for name, data in files().items():
        (folder / name).write_bytes(data)
    assert run(folder, "--key", VKEY)[0] == 0
    code, words = run(folder, "--key", folder / "keys.txt")
    assert (code, "lies in the folder that is to be verified" in words) == (2, True)


@pytest.mark.parametrize("key", ["", "not a key", "a+b+c", VKEY[:-4], f"x{VKEY}"])
def test_a_key_that_is_none_is_a_sentence(case, key, tmp_path):
    (tmp_path / "key").write_text(key)
    code, words = run(case, "--key", tmp_path / "key")
    assert (code, words[:11]) == (2, "NOT JUDGED.")


def test_what_is_not_there_is_a_sentence(case, tmp_path):
    assert run(tmp_path / "none.zip", "--key", VKEY)[0] == 2
    assert run(case, "--key", tmp_path / "none")[0] == 2
    assert run(case, "--key", VKEY, "--held", tmp_path / "none")[0] == 2
    with pytest.raises(SystemExit) as usage:
        run()
    assert usage.value.code == 2


def test_a_path_that_is_no_text_is_told_of_in_one(tmp_path):
    code, words = run(tmp_path / "\udc9d.zip", "--key", VKEY)
    assert code == 2
    assert "\\udc9d.zip' is missing or cannot be read." in words
    assert words.encode()


def test_a_checkpoint_that_somebody_else_kept_is_compared(case, tmp_path):
    held = tmp_path / "held.txt"
    held.write_bytes(files()["checkpoint.txt"])
    assert run(case, "--key", VKEY, "--held", held)[1].endswith("is the one that you hold.")
    held.write_text(checkpoint_of([bytes(32)] * 5, key=KEY))
    code, words = run(case, "--key", VKEY, "--held", held)
    assert (code, "ask for a consistency proof" in words) == (0, True)
    held.write_text(checkpoint_of([bytes(32)] * 6, key=KEY))
    code, words = run(case, "--key", VKEY, "--held", held)
    assert (code, "There are two logs" in words) == (1, True)
    held.write_text(checkpoint_of([bytes(32)] * 6, key=OTHER_KEY))
    assert run(case, "--key", VKEY, "--held", held)[0] == 1
