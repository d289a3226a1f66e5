"""`qumulus emulator state`: all that a cloud remembers, kept, put back, forked and forgotten."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from . import show
from .keeping import Home, backup, kept, restore, settings_of
from .options import Json, fail
from .status import reset

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.command("save")(backup)
app.command("restore")(restore)
app.command("reset")(reset)


@app.command("fork")
def fork(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder, for a cloud of its own.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Copy the state into a folder for a cloud of its own.

    Servers that use the state go on.
    """
    settings = settings_of(home)
    if settings.database is not None or settings.blobs is not None:
        fail("Only a state that is in a folder as a whole can be forked: back up the database and the bucket instead.")
    from qumulus.storage.backup import back_up
    from qumulus.storage.backup import restore as put_back

    with tempfile.TemporaryDirectory() as aside:
        file = Path(aside) / "state"
        kept(lambda: back_up(settings.home, file))
        made = kept(lambda: put_back(file, folder))
    if json:
        show.as_json({"folder": str(folder), "jobs": made.jobs})
    else:
        typer.echo(f"{folder} has the state of {settings.home}, {made.jobs} jobs: qumulus serve --home {folder}")
