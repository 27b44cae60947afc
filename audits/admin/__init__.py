"""The admin pages: cases to read (``cases``), and who of the staff may do what (``accounts``)."""

from audits.admin import accounts, cases

__all__ = ["accounts", "cases"]
