"""Settings that only the record of processing needs (Art. 30(1)(a))."""

from __future__ import annotations

import os

# Name and contact; "none" where none is designated, which is not the same as not saying it.
DPO = os.environ.get("EXPUNGE_DPO", "")
REPRESENTATIVE = os.environ.get("EXPUNGE_REPRESENTATIVE", "")
# To which a person may complain.
AUTHORITY = os.environ.get("EXPUNGE_AUTHORITY", "the data protection authority of your country")
