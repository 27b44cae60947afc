"""What the law names: grounds of Art. 17(1), exceptions of Art. 17(3), reasons to refuse.

The lists are closed. That a request is hard to meet is no reason in law, and so no code.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUNDS = tuple(f"ART_17_1_{letter}" for letter in "ABCDEF")
EXCEPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "ART_17_3_A": "Freedom of expression and information (17(3)(a))",
        "ART_17_3_B": "Legal obligation or public interest (17(3)(b))",
        "ART_17_3_C": "Public health (17(3)(c))",
        "ART_17_3_D": "Archiving, research or statistics (17(3)(d))",
        "ART_17_3_E": "Legal claims (17(3)(e))",
    }
)
# The controller bears the burden of showing it: evidence and a second person, always.
UNFOUNDED = "ART_12_5_B"
REFUSALS: Mapping[str, str] = MappingProxyType(
    {**EXCEPTIONS, UNFOUNDED: "Manifestly unfounded or excessive (12(5)(b))"}
)
# Consent and objection end one ground; the law asks whether another remains.
ASKS_FOR_ANOTHER = ("ART_17_1_B", "ART_17_1_C")
