from pathlib import Path
import json
from django.utils import translation
from audits.execution import reporting
from audits.execution.report_view import view_of
from tests.audits.test_editions import sealed
def leaves(v,path=""):
    if isinstance(v,dict):
        if "code" in v and len(v)==1: return
        for k,x in v.items(): yield from leaves(x,f"{path}.{k}")
    elif isinstance(v,(list,tuple)):
        for i,x in enumerate(v): yield from leaves(x,f"{path}.{i}")
    else: yield path,v
def test_probe(sealed,db):
    case=reporting.sealed_case(sealed["data"],vkey=sealed["vkey"])
    Path("/tmp/f8b/record.json").write_bytes(sealed["data"]); Path("/tmp/f8b/vkey").write_text(sealed["vkey"])
    for l in ("en","fr","de"): Path(f"/tmp/f8b/{l}.pdf").write_bytes(reporting.render(sealed["data"],vkey=sealed["vkey"],locale=l))
    got={}
    for l in ("en","fr","de"):
        with translation.override(l): got[l]=dict(leaves(view_of(case)))
    for l in ("fr","de"):
        print("=====",l)
        for k,v in got[l].items():
            if isinstance(v,str) and v==got["en"].get(k) and any(len(w)>2 for w in v.split()) and any(c.isalpha() for c in v) and not k.startswith((".log",".events","log")): print(k,"|",v)
