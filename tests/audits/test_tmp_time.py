import time
import pytest
from django.utils import timezone
from unlearning.recipes.digits import digit_records
from lineage.services.importing import Row, import_records, ensure_dataset

@pytest.mark.django_db
def test_time(tmp_path, settings):
    recs=[(c,t) for c,t in digit_records() if t in "012"][:60]
    for store in (settings.EXPUNGE_STORE, "memory://x"):
        settings.EXPUNGE_STORE=store
        t=time.time()
        rows=[Row(line=i+2,key=str(i),subject=f"p{i%8}@example.org",content=c,target=t_,media_type="image/png") for i,(c,t_) in enumerate(recs)]
        import_records(dataset_name=store[:4],rows=rows,now=timezone.now())
        print(store, time.time()-t)
