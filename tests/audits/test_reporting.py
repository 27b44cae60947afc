from __future__ import annotations
import pytest
from audits.execution import reporting
from audits import keys
from tests.audits import sealed_cases

@pytest.fixture(autouse=True)
def installation(db, settings, tmp_path):
    sealed_cases.use_folder(settings, tmp_path)

def test_x():
    import time
    for name in ("no_data_case", "erased_case"):
        t=time.time()
        case = getattr(sealed_cases, name)()
        t1=time.time()
        pdf = reporting.render(bytes(case.record.data), vkey=keys.verifier_text())
        print(name, t1-t, time.time()-t1, len(pdf))
        __import__("pathlib").Path(f"/tmp/w/rep/{name}.pdf").write_bytes(pdf)
