"""What a reader of each page has at hand, so that its blocks can be run as they are written.

A page's example names (a case, a key, a file) become those of an installation that played the
demonstration: see ``tests/site/blocks.py``, which runs the pages, and says which variables of the
shell it sets. ``NOT_RUN`` is the closed list of lines that are not run, each with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Page:
    """What is put before and into the blocks of a page.

    Attributes:
        shell: is run before the page's first block.
        python: begins every block of Python.
        before: more of either, before the block that has this text.
        names: what is written in the page, and what stands there instead when it is run.
    """

    shell: str = ""
    python: str = ""
    before: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


EVERYWHERE = {
    "https://expunge.example.org": "$URL",
    "ER-2345-6789": "$CASE",
    "issuer.vkey": "$VKEY",
    "--snapshot ID": "--snapshot $SNAPSHOT",
    "DIR": "out",
    "/data/spool": "spool",
    " MODEL:VERSION": " faces:1",
}
SUITE = "It is the test suite, or a part of it, which runs this test."
INSTALLS = "tests/test_wheel.py builds the wheel and installs it beside nothing else."
GO = "tests/audits/core_trail/test_cross_check.py runs the program where there is a Go."
NOT_RUN = {
    "make setup": "Who runs this has run it.",
    "make test ": SUITE,
    "make check test": SUITE,
    "make battery": SUITE,
    "make demo ": "The installation in which the pages are run is made by manage.py demo.",
    "pip install .": INSTALLS,
    "pip install -e": INSTALLS,
    "pip wheel --no-deps": INSTALLS,
    "jupyter lab": "It waits for a reader; tests/notebooks runs what the notebooks hold.",
    "make faults": SUITE,
    "python -m tests.faults": SUITE,
    "make machines": SUITE,
    "python -m tests.machines": SUITE,
    "export AWS_": "No bucket is here; tests/lineage/test_stores.py has one.",
    "EXPUNGE_OIDC_": "No service vouches for staff here; tests/audits/test_vouched.py has one.",
    "pip install dist/": INSTALLS,
    "cd tests/audits/core_trail/cross_check": GO,
    "go mod tidy": GO,
    "go run .": GO,
    "openssl ts -verify": "tests/audits/test_time_stamps.py runs it; here no authority is asked.",
    "model_signing verify": "tests/audits/test_version_export.py runs it where the tool is.",
    "python manage.py supplier_evidence": "tests/audits/test_supplier.py runs it; the "
    "demonstration has no model that was bought.",
    "export EXPUNGE_": "The session has both already.",
    "expunge serve check": "It ends with && and a program of the reader's; serving.md is run.",
    "OPENLINEAGE_": "tests/lineage/test_openlineage_http.py plays the client; none "
    "is installed here.",
}
# Languages of blocks that are held against the code by a test of their own, or say nothing to it.
DRAWINGS = {
    "docs/dpia.md": "A drawing.",
    "docs/planning.md": "A formula; tests/unlearning/core holds the code against a slow sum.",
    "docs/evidence-format.md": "A layout; tests/audits/core_trail/stranger.py is written from it.",
}
LOADER = """
import os
import torch
import torch.distributed as dist
from safetensors.torch import load as tensors, save
from torch.utils.data import DataLoader, IterableDataset
from expunge import HttpSink, capture
from expunge.remote_view import remote_view

url, api_key = os.environ["URL"], os.environ["KEY"]
view = remote_view(url, api_key, dataset="demo-digits")

class Records(torch.utils.data.Dataset):
    ordinals = list(view.ordinals)
    def __len__(self):
        return len(self.ordinals)
    def __getitem__(self, place):
        return torch.zeros(64)

class Stream(IterableDataset):
    def __iter__(self):
        return ({"ordinal": each} for each in Records.ordinals)

loader = DataLoader(Records(), batch_size=256, shuffle=True)
safetensors_bytes = save(torch.nn.Linear(64, 10).state_dict())

def sink_to(folder):
    return HttpSink(
        url=url, api_key=api_key, snapshot=view.snapshot, model_name="faces", spool=folder
    )

sink = sink_to("spool-of-sink")
"""
SERVING = """
import os
import torch
from safetensors.torch import load as tensors

url, key, customer, inputs = os.environ["URL"], os.environ["SERVE_KEY"], "shop", torch.ones(1, 64)

def load(weights):
    held = tensors(weights)
    return lambda batch: torch.zeros(len(batch), 10) + len(held)

def softmax(scores):
    return scores.softmax(1).numpy()
"""
EXACT = """
from unlearning.core.replay.store import MemoryStore
from unlearning.recipes.digits import DigitsMLP, digit_records

recipe, store, key, snapshot_digest = DigitsMLP(epochs=1), MemoryStore(), b"secret", "made-up"
examples = [recipe.decode(*pair) for pair in digit_records()] * 3
n = len(examples)
retained = [one for number, one in enumerate(examples) if number not in {17, 4711}]
"""
SUMS = """
import numpy as np
from unlearning.core.statistics.estimators import ForgettingGaussianNB

X, y = np.arange(12.0).reshape(6, 2), np.array([0, 1] * 3)
model = ForgettingGaussianNB().fit(X, y)
X_gone, y_gone = X[:2], y[:2]
"""
PLACE = """
from dataclasses import dataclass
from typing import Annotated, ClassVar
from lineage.core.place_settings import Setting
from lineage.core.places import Erased, Found, Person, Place
"""
CLIENT = """
import os
import expunge
url, api_key, address = os.environ["URL"], os.environ["KEY"], "person004@example.org"
"""
# Pages whose Python needs nothing but this checkout: every test run runs it.
OFFLINE = {"README.md": "", "docs/exact.md": EXACT, "docs/statistics.md": SUMS}
OFFLINE |= {"docs/locations.md": PLACE, "docs/webhooks.md": ""}

PAGES = {
    "README.md": Page(
        shell="python -m tests.site.made_up\n",
        python=CLIENT,
        before={"expunge request new": "cp $BUNDLE case.zip\n"},
        names={
            "expunge request new": "echo ada@example.org | expunge request new",
            "expunge lineage": "echo person002@example.org | expunge lineage",
            "--snapshot ID": "--snapshot $(python manage.py take_snapshot photos)",
        },
    ),
    "docs/api.md": Page(
        names={
            "revoke PREFIX": "revoke $(python manage.py api_key list | tail -1 | cut -d' ' -f1)"
        }
        | {"record=digits:17": "record=demo-digits:17"},
    ),
    "docs/capture.md": Page(
        python=LOADER,
        before={
            'record_ids="ordinal"': 'loader, sink = DataLoader(Stream()), sink_to("spool-ids")\n',
            "metrics=": 'sink = sink_to("spool-first")\n',
            "shared_uuid": "import uuid\nshared_uuid = uuid.uuid4()\n"
            'dist.init_process_group("gloo", rank=0, world_size=1, store=dist.HashStore())\n',
        },
        names={'"photos"': '"demo-digits"', "EXPUNGE_API_KEY=...": "EXPUNGE_API_KEY=$KEY"},
    ),
    "docs/cases.md": Page(
        shell="echo person006@example.org > people.txt\n",
        names={
            "faces:3 --records 17,230,901": "$MODEL --records $RECORDS",
            "EXPIRED_CONSENT --dataset photos --people people.txt --by ann": "EXPIRED_CONSENT "
            "--dataset demo-digits --people people.txt --by ann | tee opened.txt",
            "OP-ABCD-EFGH": "$(grep -o 'OP-[A-Z0-9]*-[A-Z0-9]*' opened.txt | head -1)",
        },
    ),
    "docs/cli.md": Page(
        shell="mkdir -p ~/.local/share/bash-completion/completions ~/.zfunc "
        "~/.config/fish/completions\n",
        names={
            "expunge request new": "echo ada@example.org | expunge request new",
            "expunge lineage": "echo person002@example.org | expunge lineage",
        },
    ),
    "docs/client.md": Page(
        python=CLIENT,
        names={'"/var/lib/portal/expunge"': '"buffer"'},
    ),
    "docs/evidence.md": Page(shell="cp $EVIDENCE evidence.json\n"),
    "docs/evidence-format.md": Page(shell="cp $EVIDENCE evidence.json\n"),
    "docs/exact.md": Page(python=EXACT),
    "docs/locations.md": Page(python=PLACE),
    "docs/registers.md": Page(
        shell="python manage.py locations add crm django_model --purpose customers "
        """--settings '{"model": "auth.User", "field": "email"}'\n""",
        before={
            "destroy_version": "expunge version list --model faces | grep faces || python "
            "manage.py train faces --recipe unlearning.recipes.digits:DigitsMLP "
            "--snapshot $SNAPSHOT\ntimeout 300 sh -c 'until expunge version list --model faces "
            "| grep faces; do sleep 1; done'\n"
        },
        names={
            "NAMESPACE/NAME": "$DATASET",
            "place:SLUG": "place:crm",
            '"MODEL vN"': '"faces v1"',
        },
    ),
    # The settings count for processes that begin after them, which is not the one that is ready.
    "docs/retention.md": Page(
        shell="set -a\n", names={"python manage.py retention": "python3 manage.py retention"}
    ),
    "docs/roles.md": Page(names={"ann": "ben"}),
    "docs/serving.md": Page(
        shell="export SERVE_KEY=$(python manage.py api_key create other --scope serve)\n",
        python=SERVING,
        names={'"faces"': '"digits-mlp-tuned"', "/var/cache/faces": "cache"},
    ),
    "docs/settings.md": Page(
        names={
            "--by NAME": "--by chief",
            "--by OTHER": "--by deputy",
            "return NUMBER": "return 1",
            "approve NUMBER": "approve 2",
            "withdraw NUMBER": "withdraw 3",
        }
    ),
    "docs/statistics.md": Page(python=SUMS),
    "docs/tuning.md": Page(names={"--trials 100 --proxies 3": "--trials 2 --proxies 1"}),
    "docs/verify.md": Page(
        before={
            "verify.py": "unzip -p case.zip verify.py > verify.py\n",
            "--seal-only": "unzip -o -j case.zip report.pdf seal.crt\n",
        },
        names={"--key KEY": "--key $VKEY"},
    ),
    # docs/cli.md has added one that is called as the page's.
    "docs/webhooks.md": Page(names={"webhooks add tickets": "webhooks add more-tickets"}),
}
