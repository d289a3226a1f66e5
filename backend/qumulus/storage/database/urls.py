"""The URL of a database, as people write it."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from qumulus.storage.errors import StateUnusable

SCHEMES = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
WANTED = "QUMULUS_DATABASE has to be like postgresql://user:password@host:5432/name"


def parsed(url: str) -> URL:
    """Return the URL for SQLAlchemy, with our driver.

    Raises:
        StateUnusable: it is none of PostgreSQL, or the driver is not installed. The text does not repeat the URL: a password may
            be in it.
    """
    try:
        result = make_url(url)
    except (ArgumentError, ValueError):
        raise StateUnusable(f"The URL of the database can't be read: {WANTED}.") from None
    if result.drivername not in SCHEMES:
        raise StateUnusable(
            f"Databases of the kind {result.drivername!r} are not supported: {WANTED}, or leave it away."
        )
    if "@" in (result.host or ""):  # the end of a password: it must not be told as the name of a host
        raise StateUnusable("The URL of the database can't be read: write an @ in its password as %40.")
    try:
        import psycopg  # noqa: F401  is it there?
    except ImportError:
        raise StateUnusable(
            "PostgreSQL needs a driver that is not installed: install it with pip install 'qumulus[postgres]'."
        ) from None
    return result.set(drivername="postgresql+psycopg")
