"""The state: SQLAlchemy Core on SQLite (WAL), large values as files beside the database.

`open_storage` opens everything. **What is acknowledged is on disk**: every method that writes returns after the commit, the
commit is synced (`synchronous=FULL`), and a blob is synced before the row that names it is committed. A crash at any moment
leaves each job either as it was before the call or as it is after it.
"""

from .errors import StateUnusable
from .storage import Storage, open_storage

__all__ = ["StateUnusable", "Storage", "open_storage"]
