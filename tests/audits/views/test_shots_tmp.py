from playwright.sync_api import sync_playwright
from django.test import Client
from django.utils import timezone
from datetime import timedelta
from tests.functional.browser import QUIET, chromium
from tests.audits.views import full_case, worlds
from tests.audits.views.test_views_cases import job
from tests.audits.views.test_views_public_browser import Looked
from audits.services.job_lines import kept_lines
from lineage.services import jobs
from audits.execution.pictures import pictures_of
import json, os
from audits.services import case_pictures

def test_shots(decider):
    pages={}
    case=full_case.full_case(3)
    made=job(case.runs.first(), status="RUNNING", holder=case.pk, started_at=timezone.now()-timedelta(seconds=90))
    made.refresh_from_db()
    with kept_lines(made):
        jobs.report_progress(job=made, phase="training shadow models", done=0, total=16)
    made.lines.update(at=timezone.now()-timedelta(seconds=60))
    jobs.report_progress(job=made, phase="training shadow models", done=5, total=16)
    pages["work"]=decider.get(f"/cases/{case.pk}/")
    made.delete()
    full_case.sealed(case)
    rec=json.loads(bytes(case.record.data))
    case_pictures.keep_pictures(case_id=case.pk, drawn={"timeline":"<svg xmlns='http://www.w3.org/2000/svg' width='600' height='300'><rect width='600' height='300' fill='#eee'/></svg>"}, now=timezone.now())
    full_case.check_noted()
    pages["sealed"]=decider.get(f"/cases/{case.pk}/")
    pages["new"]=decider.get(f"/cases/{worlds.received('b@example.org').request.pk}/") if False else decider.get(f"/cases/{full_case.operator_case().pk}/") if False else pages["sealed"]
    with sync_playwright() as p:
        b=p.chromium.launch(executable_path=chromium(), args=QUIET)
        looked=Looked(b.new_page())
        for n,a in pages.items():
            for w,scheme in ((1280,"light"),(390,"dark")):
                looked.open(f"cases/{n}{w}/", a)
                looked.page.emulate_media(color_scheme=scheme)
                looked.page.set_viewport_size({"width":w,"height":900})
                looked.page.screenshot(path=f"/tmp/shot_{n}_{w}.png", full_page=True)
                print(looked._axe({"type":"tag","values":["wcag2a","wcag2aa","wcag21aa","wcag22aa","best-practice"]}), n,w,looked.page.evaluate("[document.documentElement.scrollWidth,document.documentElement.scrollHeight]"))
        b.close()
