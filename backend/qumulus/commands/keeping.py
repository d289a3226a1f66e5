"""`qumulus backup`, `qumulus restore`: the state in one file, and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qumulus.serving.server import read_settings

from . import show
from .options import Json, fail

if TYPE_CHECKING:
    from qumulus.core.ports import BlobStore
    from qumulus.settings import Settings
    from qumulus.storage.backup import Backup

IN_POSTGRES = (
    "The state is in PostgreSQL, whose own tools keep it while it is used: `pg_dump --format=custom --file=FILE URL`, and "
    "`pg_restore --clean --if-exists --dbname=URL FILE` with all servers stopped. Keep the folder {home} as well, and "
    "the bucket where large values are in S3."
)

Home = Annotated[Path | None, typer.Option(help="The folder of the state.", show_default="QUMULUS_HOME, else .qumulus")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]


def backup(file: File, home: Home = None, json: Json = False) -> None:
    """Keep the state in a new file; servers that use it go on."""
    settings = _in_folder(home)
    from qumulus.storage.backup import back_up

    made = kept(lambda: back_up(settings.home, file, _values(settings)))
    _tell(made, json, f"{file} has the state of {settings.home}")
    if made.lost:
        fail(
            f"{len(made.lost)} jobs had values that were gone already, such as {made.lost[0]}: everything else is in the backup."
        )


def restore(file: File, home: Home = None, json: Json = False) -> None:
    """Put the state of a backup into a folder that has none."""
    settings = _in_folder(home)
    from qumulus.storage.backup import restore as put_back

    made = kept(lambda: put_back(file, settings.home, _values(settings)))
    _tell(made, json, f"{settings.home} has the state of {file}")


def settings_of(home: Path | None) -> Settings:
    """Return the settings of this environment, with the folder that was named."""
    return read_settings([] if home is None else ["--home", str(home)])


def _in_folder(home: Path | None) -> Settings:
    settings = settings_of(home)
    if settings.database is not None:
        fail(IN_POSTGRES.format(home=settings.home))
    return settings


def _values(settings: Settings) -> BlobStore | None:
    """The store of large values where they are not in the folder."""
    if settings.blobs is None:
        return None
    from qumulus.storage.storage import open_s3

    return open_s3(settings.blobs)


def kept(work: Callable[[], Backup]) -> Backup:
    from qumulus.core.errors import Unavailable
    from qumulus.storage import StateUnusable

    try:
        return work()
    except (StateUnusable, Unavailable) as error:
        fail(str(error))


def _tell(made: Backup, json: bool, what: str) -> None:
    if json:
        told = {"version": made.version, "made_at": made.made_at.isoformat()}
        show.as_json(told | {"jobs": made.jobs, "values": made.values, "bytes": made.size, "lost": list(made.lost)})
    else:
        when = show.moment(made.made_at.isoformat())
        typer.echo(f"{what} as of {when}: {made.jobs} jobs, {made.values} large values, {made.size >> 10} KiB.")
