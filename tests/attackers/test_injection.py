"""What people and programs write stays text: in letters, headers, tables, pictures and pages.

Further, letters: ``tests/audits/test_letter_texts.py`` and
``tests/audits/letter_delivery/test_letters_kept.py``; reports:
``tests/audits/reporting/test_report_text.py``; zip: ``tests/audits/core_trail/test_flat_zip.py``.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from django.core import mail
from django.test import Client
from django.utils.html import escape
from hypothesis import given
from hypothesis import strategies as st

from audits.models import ErasureRequest
from lineage.core.plain_cell import plain_cell
from lineage.services.runs import Input
from tests.attackers.counting import tried
from tests.audits.views import visits
from tests.audits.views.visits import CHECK, KIND, MORE, give_address
from tests.audits.world import member
from tests.lineage.builders import filled, snapshot, trained

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script>",
    "{{ settings.SECRET_KEY }}",
    "{% load static %}{% debug %}",
    "${7*7}#{7*7}%7B7*7%7D",
    '"><svg onload=alert(1)>',
    '=HYPERLINK("https://evil.example")',
    "]]><!ENTITY x SYSTEM 'file:///etc/passwd'>",
    "a\u202egnp.exe",
)
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
ADDRESSES = (
    "a@example.org\nBcc: all@example.org",
    "a@example.org\r\nSubject: won",
    "a@example.org, all@example.org",
    "a@example.org%0aBcc:all@example.org",
    "<a@example.org> b@example.org",
    "a@example.org\0b",
    "a@example.org\u2028Bcc: all@example.org",
)


@given(
    st.one_of(
        st.text(), st.builds(lambda *of: "".join(of), st.sampled_from([*FORMULAS, " "]), st.text())
    )
)
def test_no_cell_of_a_table_is_a_formula_and_none_loses_a_letter(text):
    cell = plain_cell(text)
    assert not cell.lstrip().startswith(FORMULAS)
    assert cell in {text, f"'{text}"}
    assert plain_cell("=" + text) == f"'={text}"


@pytest.mark.django_db
@pytest.mark.usefixtures("site")
def test_an_address_with_a_header_in_it_is_refused_or_goes_to_nobody_else(client):
    for address in ADDRESSES:
        assert give_address(client, address).status_code == 400, address
    assert mail.outbox == []
    assert not ErasureRequest.objects.exists()
    tried("headers in addresses", len(ADDRESSES))


@pytest.mark.django_db
@pytest.mark.usefixtures("site")
def test_what_a_person_writes_is_shown_as_it_was_written():
    officer = Client()
    officer.force_login(member("officer", "Case officer"))
    for at, text in enumerate(HOSTILE):
        visitor = Client(REMOTE_ADDR=f"10.{at}.0.1")
        visitor.post(KIND, {"kind": "SEEN_IN_OUTPUT"})
        visitor.post(MORE, {"description": text})
        give_address(visitor, f"p{at}@example.org", wish="")
        assert visitor.get(CHECK).content.decode().count(escape(text)) == 1
        assert visitor.post(CHECK, visits.filled()).status_code == 302
        case = ErasureRequest.objects.latest("received_at")
        shown = officer.get(f"/cases/{case.pk}/").content.decode()
        assert escape(text) in shown
        assert "<script>alert" not in shown
        assert "<svg onload" not in shown
    assert ErasureRequest.objects.count() == len(HOSTILE)
    tried("code in what a person writes", len(HOSTILE))
    assert all("alert" not in str(one.message()) for one in mail.outbox)


@pytest.mark.django_db
@pytest.mark.usefixtures("site")
def test_names_of_models_are_text_in_pictures_tables_and_pages():
    officer, asked = Client(), 0
    officer.force_login(member("officer", "Case officer"))
    data = snapshot(filled("photos", 1, NOW), NOW)
    for text in HOSTILE[:6]:
        model = trained(text, NOW, Input(source=data))
        where = {"version": str(model.pk)}
        picture = officer.get("/models/graph/graph.svg", where)
        drawn = ElementTree.fromstring(picture.content)
        assert not [one for one in drawn.iter() if one.tag.endswith("script")]
        assert not [name for one in drawn.iter() for name in one.attrib if name.startswith("on")]
        table = officer.get("/models/graph/nodes.csv", where).content.decode()
        labels = {row["label"] for row in csv.DictReader(io.StringIO(table))}
        assert {plain_cell(f"{text} v1")} <= labels
        for path in (f"/models/{model.pk}/", "/models/", "/models/graph/"):
            shown = officer.get(path, where).content.decode()
            assert "<script>alert" not in shown
            assert "<svg onload" not in shown
            asked += 1
    tried("names with code in them", asked + 12)
