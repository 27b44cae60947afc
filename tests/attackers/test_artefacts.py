"""Files that run a program when they are read, or that grow without end; recipes by name.

Further: ``tests/unlearning/test_recipe_loading.py``, ``tests/unlearning/test_images.py``,
``tests/lineage/test_openlineage_recall.py`` (large bodies), ``tests/audits/test_supplier.py``.
"""

from __future__ import annotations

import ast
import io
import re
import struct
import zlib
from pathlib import Path

import pytest

from lineage.core.pictures import small_png, thumbnail
from lineage.core.weights import WeightsUnreadable, from_bytes
from tests.attackers.counting import tried
from unlearning.core.recipe import NotARecipe, RecipeNotAllowed, load_recipe

ROOT = Path(__file__).parents[2]
# What runs what it reads. ``torch.load`` and ``numpy.load`` may, with their arguments.
RUNS = {
    *("pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"),
    *("eval", "exec", "__import__"),
    *("torch.load", "np.load", "numpy.load", "yaml.load", "yaml.unsafe_load", "os.system"),
}
SUSPECT = re.compile(
    r"(import|from) +\w*(pickle|dill|joblib|marshal|shelve)|(?<![\w.])(eval|exec|__import__)\("
    r"|\b(torch|np|numpy|yaml)\.(unsafe_)?load\(|os\.system|shell=|allow_pickle="
)


def running(tree: ast.AST):
    """Every import or call of what runs what it reads."""
    for one in ast.walk(tree):
        if isinstance(one, ast.Import):
            yield from ({name.name for name in one.names} & RUNS)
        elif isinstance(one, ast.ImportFrom) and one.module in RUNS:
            yield one.module
        elif isinstance(one, ast.Call) and ast.unparse(one.func) in RUNS:
            yield ast.unparse(one.func)
        elif any(word.arg in {"allow_pickle", "shell"} for word in getattr(one, "keywords", ())):
            yield ast.unparse(one)


def test_nothing_that_is_read_is_run():
    found = {}
    for app in ("audits", "config", "expunge", "lineage", "unlearning"):
        for path in (ROOT / app).rglob("*.py"):
            text = path.read_text()
            if SUSPECT.search(text) and (calls := set(running(ast.parse(text)))):
                found[path.name] = calls
    assert not found
    caught = set(running(ast.parse("import pickle\neval(x)\nrun(y, shell=True)")))
    assert all(map(SUSPECT.search, ("import pickle", "x = eval(y)", "run(y, shell=True)")))
    assert {"pickle", "eval", "run(y, shell=True)"} == caught


def test_a_pickle_in_place_of_weights_is_refused_and_not_run(tmp_path):
    made = tmp_path / "made"
    plain = b"cbuiltins\nopen\n(V" + str(made).encode() + b"\nVw\ntR."  # opens a file to write
    size = struct.pack("<Q", len(plain))
    hostile = [plain, zlib.compress(plain), b"PK\x03\x04" + plain, size + plain]
    hostile += [struct.pack("<Q", 2**62) + b"{}", struct.pack("<Q", 2) + b"{}" + plain]
    header = b'{"w":{"dtype":"F64","shape":[1099511627776],"data_offsets":[0,8]}}'
    hostile.append(struct.pack("<Q", len(header)) + header + b"\0" * 8)
    for payload in hostile:
        with pytest.raises(WeightsUnreadable):
            from_bytes(payload)
    assert not made.exists()
    tried("artefacts that run or grow", len(hostile))


def png(width: int, height: int) -> bytes:
    """A picture of a few bytes that says to be that large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_a_picture_that_would_fill_the_memory_or_run_a_program_is_none():
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    bombs = [png(60_000, 60_000), png(2**31 - 1, 1), svg, b"<?xml version='1.0'?>" + svg]
    bombs += [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run", b"\0" * 100]
    for content in bombs:
        assert small_png(content) is None
        assert thumbnail(content) is None
    tried("pictures that grow or run", len(bombs))


def test_what_was_hidden_in_a_picture_does_not_come_with_it():
    from PIL import Image, PngImagePlugin

    written, told = io.BytesIO(), PngImagePlugin.PngInfo()
    told.add_text("Comment", "<script>alert(1)</script>")
    Image.new("RGB", (4, 4)).save(written, "PNG", pnginfo=told)
    assert b"<script>" in written.getvalue()
    assert b"<script>" not in (small_png(written.getvalue() + b"<script>") or b"<script>")
    tried("code hidden in pictures")


def test_a_recipe_is_no_way_to_any_other_code():
    names = [
        *("os:system", "subprocess:run", "builtins:eval", "unlearning.recipes:__builtins__"),
        *("unlearning.recipes.digits:import_module", "unlearning.recipes../etc:A", ":", ""),
        *("unlearning.recipesx:A", "unlearning.recipes.digits:__class__", ".digits:DigitsMLP"),
    ]
    for name in names:
        with pytest.raises((NotARecipe, RecipeNotAllowed)):
            load_recipe(name, {}, ["unlearning.recipes"])
    for parameters in ({"__class__": "x"}, {"hidden": {"recipe": "os:system", "parameters": {}}}):
        with pytest.raises((NotARecipe, RecipeNotAllowed)):
            load_recipe("unlearning.recipes.digits:DigitsMLP", parameters, ["unlearning.recipes"])
    tried("code named as a recipe", len(names) + 2)
