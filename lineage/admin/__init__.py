"""What staff see of the lineage in the admin: everything to read, nothing to change.

Tables with a key of several columns (records, chunks and tiles of membership, edges) are not
there: Django's admin cannot show them, and they are no use to read row by row.
"""

from lineage.admin import graph, places, records
from lineage.admin.base import ReadOnlyAdmin

__all__ = ["ReadOnlyAdmin", "graph", "places", "records"]
