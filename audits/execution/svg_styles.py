"""Pictures without style sheets, so that a page of a strict policy shows one on its own.

A site that allows no inline style (CSP ``style-src 'self'``) paints an SVG whose shapes are styled
by ``style`` attributes black, once it is opened by its own address.
"""

from __future__ import annotations

import re

_STYLE = re.compile(r'\sstyle="([^"]*)"')
_SHEET = re.compile(r"\s*<defs>\s*<style\b[^>]*>\s*\*\s*{([^}]*)}\s*</style>\s*</defs>")
_ROOT = re.compile(r"<svg\b")


def attributed(svg: str) -> str:
    """Return a picture of matplotlib with every style as presentation attributes (SVG 2, 6.6).

    What its sheet says of all elements goes to the root, from which they inherit it.
    """
    sheet = _SHEET.search(svg)
    if sheet:
        svg = _SHEET.sub("", svg, count=1)
        svg = _ROOT.sub(f"<svg{_attributes(sheet[1])}", svg, count=1)
    return _STYLE.sub(lambda found: _attributes(found[1]), svg)


def _attributes(style: str) -> str:
    pairs = (part.partition(":") for part in style.split(";") if part.strip())
    return "".join(f' {name.strip()}="{value.strip()}"' for name, _, value in pairs)
