"""The admin pages: everything to read, and who of the staff may do what (``accounts``).

``cases`` has cases, evidence and the log, ``case_rows`` what belongs to one case, ``owners``
budgets and workers, ``registers`` what belongs to none, ``sign_in`` who is signed in,
``sweeps`` when the sweep came, ``webhooks`` who is told. Buttons lead to the
pages on which services are asked.
"""

from audits.admin import accounts, case_rows, cases, owners, registers, sign_in, sweeps, webhooks

__all__ = [
    "accounts",
    "case_rows",
    "cases",
    "owners",
    "registers",
    "sign_in",
    "sweeps",
    "webhooks",
]
