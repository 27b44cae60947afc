"""The table of docs/api.md: every address of the API with the scope that it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.openapi import FILE, operations, scopes_of
from lineage.api.conventions import BY_KEY, FOR_EVER, HARMLESS, WITH_KEY, repeated
from lineage.services.api_keys import SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ninja import NinjaAPI

PAGE = FILE.parent / "api.md"
BEGIN, END = "<!-- addresses: begin, generated -->", "<!-- addresses: end -->"
AGAIN = {
    "": "",
    BY_KEY: "with its `Idempotency-Key`",
    WITH_KEY: "with an `Idempotency-Key`, if sent",
    FOR_EVER: "with its `Idempotency-Key`, for ever",
    HARMLESS: "the same call again changes nothing",
}


def page_text(page: str, api: NinjaAPI) -> str:
    """Return the page with its tables renewed, and all around them as it is."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join(_lines(api))
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def _lines(api: NinjaAPI) -> Iterator[str]:
    yield "| scope | a key with it may |"
    yield "|---|---|"
    for name, words in SCOPES.items():
        yield f"| `{name}` | {words} |"
    yield ""
    yield "| call | what | scope | may be made again |"
    yield "|---|---|---|---|"
    for path, method, operation in sorted(operations(api), key=lambda one: (one[0], one[1])):
        needed = " or ".join(f"`{scope}`" for scope in scopes_of(operation)) or "none"
        what = (operation.description or "").partition("\n")[0].rstrip(".")
        yield (f"| `{method.upper()} {path}` | {what} | {needed} | {AGAIN[repeated(operation)]} |")
