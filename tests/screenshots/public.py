"""The way of a person through the public pages, photographed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.screenshots.camera import Address

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.screenshots.camera import Camera
    from tests.screenshots.stories import Told

ALONE = (
    ("start", "/erasure/"),
    ("what do you want", "/erasure/kind/"),
    ("erase", "/erasure/erase/"),
    ("consent", "/erasure/consent/"),
    ("objection", "/erasure/objection/"),
    ("seen in an output", "/erasure/output/"),
    ("status of nothing", "/erasure/status/nothing/"),
    ("link of nothing", "/erasure/confirm/nothing/"),
    ("sign in", "/accounts/login/"),
)


def walk(camera: Camera, told: Told, say: Callable[[str], None]) -> None:
    """Photograph every public page, the form as somebody fills it in."""
    for name, path in ALONE:
        camera.visit(Address(name=f"public: {name}", path=path), say)
    _form(camera, say)
    for name, link in told.links.items():
        camera.visit(Address(name=f"public: {name}", path=link), say)
    withdraw = f"{told.links['status: asked']}withdraw/"
    camera.visit(Address(name="public: withdraw", path=withdraw), say)
    _press(camera, told.links["confirm"], "confirmed", say)
    _press(camera, withdraw, "withdrawn", say)
    _press(camera, told.links["told"], "told, done", say)


def _form(camera: Camera, say: Callable[[str], None]) -> None:
    page = camera.watched.page
    page.goto(f"{camera.watched.site}/erasure/erase/")
    main = page.get_by_role("main")
    main.get_by_role("button").click()
    page.wait_for_load_state()
    camera.watched.complaints.clear()
    camera.shoot("public: address wrong")
    page.fill("input[name=email]", "person027@example.org")
    main.get_by_role("button").click()
    page.wait_for_url("**/erasure/check/")
    camera.shoot("public: check")
    main.get_by_role("button").click()
    page.wait_for_url("**/erasure/received/**")
    camera.shoot("public: received")
    say("public: the form")


def _press(camera: Camera, link: str, name: str, say: Callable[[str], None]) -> None:
    page = camera.watched.page
    page.goto(link)
    page.get_by_role("main").get_by_role("button").last.click()
    page.wait_for_load_state()
    camera.shoot(f"public: {name}")
    say(f"public: {name}")
