"""What the law names: grounds of Art. 17(1) and 18(1), exceptions of 17(3), reasons to refuse.

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
# Grounds of Art. 18(1), on which data is kept and not used.
RESTRICTIONS: Mapping[str, str] = MappingProxyType(
    {
        "ART_18_1_A": "The accuracy of the data is contested (18(1)(a))",
        "ART_18_1_B": "The processing is unlawful, and the person wants no erasure (18(1)(b))",
        "ART_18_1_C": "The person needs the data for legal claims (18(1)(c))",
        "ART_18_1_D": "An objection is being decided (18(1)(d))",
    }
)
# The controller bears the burden of showing it: evidence and a second person, always.
UNFOUNDED = "ART_12_5_B"
OVERRULED = "ART_21_1"
REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        **EXCEPTIONS,
        UNFOUNDED: "Manifestly unfounded or excessive (12(5)(b))",
        OVERRULED: "Compelling legitimate grounds override the objection (21(1))",
    }
)
# Consent and objection end one ground; the law asks whether another remains.
ASKS_FOR_ANOTHER = ("ART_17_1_B", "ART_17_1_C")
