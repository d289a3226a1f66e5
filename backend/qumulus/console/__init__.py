"""The web console: files that were built from `backend/console` by `make console`, served as they are.

They ask the emulator's API for everything, with the administrator's token that a person gives them.
"""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

PREFIX = "/console"
FILES = Path(__file__).with_name("files")
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # kept, and asked for again: an installed update shows at once
}


def console() -> Starlette:
    """Return the application at `/console`: one page, whatever stands behind that address, and its files."""

    def page(_request: Request) -> Response:
        return FileResponse(FILES / "index.html", headers=HEADERS)

    return Starlette(
        routes=[
            Mount(f"{PREFIX}/files", StaticFiles(directory=FILES)),
            Route(PREFIX, page),
            Route(f"{PREFIX}/{{view:path}}", page),
        ]
    )
