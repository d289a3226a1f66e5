"""Swagger UI and ReDoc for all APIs, with no network: one page each, with a selector, and the documents themselves."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from .contract import Document

# ReDoc would fetch its maker's logo; with this a browser asks nobody but this server. No script runs but the files and those of
# the page itself: who deploys a service writes what is shown of it, and the page is of the origin that answers administrators.
CLOSED = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Served:
    """An API as this server serves it; where there are several prefixes, the first is the one to try."""

    name: str  # such as "user"
    document: Document
    prefixes: tuple[str, ...] = ("",)

    def content(self) -> Mapping[str, Any]:
        """Return the document, with the addresses that it is served at instead of those that it was written with."""
        servers = [{"url": prefix or "/"} for prefix in self.prefixes]
        return {**self.document.content, "servers": servers}


@dataclass(frozen=True)
class Added:
    """A document that people have added, and may change while the server runs."""

    name: str  # such as "services/sum"
    title: str
    content: Callable[[], Mapping[str, Any]]
    ahead: bool = False  # of all others


def documentation(
    served: Sequence[Served],
    added: Callable[[], Sequence[Added]] = tuple,
    known: Mapping[str, str] = MappingProxyType({}),
) -> Starlette:
    """`/docs`, `/redoc`, `/openapi/<api>.yaml` and `.json` for all of ``served`` and what is ``added`` at the time.

    ``known`` are credentials, by security scheme, that everybody knows: one click authorizes with them.
    """
    documents = _Documents(served, added)

    def document_json(request: Request) -> Response:
        return Response(documents.as_json(request.path_params["name"]), media_type="application/json")

    def document_yaml(request: Request) -> Response:
        return Response(documents.as_yaml(request.path_params["name"]), media_type="application/yaml")

    def swagger_ui(_request: Request) -> Response:
        body = SWAGGER_UI.replace("{known}", json.dumps(dict(known)))
        return _page("Qumulus: Swagger UI", documents.titles(), body)

    def redoc(_request: Request) -> Response:
        return _page("Qumulus: ReDoc", documents.titles(), REDOC)

    async def not_found(_request: Request, error: Exception) -> Response:
        detail = error.detail if isinstance(error, HTTPException) else str(error)
        return Response(json.dumps({"detail": detail}), 404, media_type="application/json")

    return Starlette(
        routes=[
            Route("/docs", swagger_ui),
            Route("/redoc", redoc),
            Route("/openapi/{name:path}.json", document_json),
            Route("/openapi/{name:path}.yaml", document_yaml),
            Mount("/docs/files", StaticFiles(directory=_files())),
        ],
        exception_handlers={404: not_found},
    )


class _Documents:
    """All documents by name. Those of ``served`` are written once, those that are added whenever they are asked for."""

    def __init__(self, served: Sequence[Served], added: Callable[[], Sequence[Added]]) -> None:
        self._served = {api.name: api for api in served}
        self._added = added
        self._written: dict[str, bytes] = {}

    def titles(self) -> Mapping[str, str]:
        """Name to title, the one that is shown first at the front."""
        added = self._added()
        return {
            **{each.name: each.title for each in added if each.ahead},
            **{api.name: str(api.document.content["info"]["title"]) for api in self._served.values()},
            **{each.name: each.title for each in added if not each.ahead},
        }

    def as_json(self, name: str) -> bytes:
        """Return a document as JSON.

        Raises:
            HTTPException: there is none of that name.
        """
        return self._write(name, "json", lambda content: json.dumps(content, ensure_ascii=False).encode())

    def as_yaml(self, name: str) -> bytes:
        """Return a document as YAML.

        Raises:
            HTTPException: there is none of that name.
        """
        from . import yaml12  # only who asks for YAML pays for it

        return self._write(name, "yaml", lambda content: yaml12.write(content).encode())

    def _write(self, name: str, form: str, write: Callable[[Mapping[str, Any]], bytes]) -> bytes:
        if name not in self._served:
            return write(self._added_content(name))
        key = f"{name}.{form}"
        if key not in self._written:
            self._written[key] = write(self._served[name].content())
        return self._written[key]

    def _added_content(self, name: str) -> Mapping[str, Any]:
        found = next((each for each in self._added() if each.name == name), None)
        if found is None:
            names = ", ".join(self.titles())
            raise HTTPException(404, f"There is no API named {name[:80]!r}: the names are {names}.")
        return found.content()


def _files() -> Path:
    """Return the folders in which the scripts and styles of both are installed."""
    package = find_spec("fastapi_offline")
    assert package is not None  # noqa: S101 - a dependency of ours
    assert package.origin is not None  # noqa: S101
    return Path(package.origin).with_name("static")


def _page(title: str, titles: Mapping[str, str], body: str) -> Response:
    nonce = secrets.token_urlsafe(16)
    options = "".join(f'<option value="{escape(name)}">{escape(text)}</option>' for name, text in titles.items())
    framed = (
        PAGE.replace("{body}", body).replace("<script", f'<script nonce="{nonce}"').replace("{title}", escape(title))
    )
    content = framed.replace("{options}", options)  # last: people write the titles
    return HTMLResponse(content, headers={"Content-Security-Policy": CLOSED.format(nonce=nonce)})


# The API stands in the query (?api=user), so that a page can be linked to and reloaded.
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="/docs/files/favicon.png">
<link rel="stylesheet" href="/docs/files/swagger-ui.css">
<style>
  body { margin: 0; }
  header { display: flex; gap: 1em; align-items: center; padding: .7em 1.5em; background: #1b2330; color: #fff;
           font: 15px system-ui, sans-serif; }
  header select, header button { font: inherit; padding: .25em .5em; }
  header a { color: #9fc5ff; }
  img[src^="https://cdn."] { display: none; }
</style>
</head>
<body>
<header>
  <label>API <select id="api">{options}</select></label>
  <button id="authorize" type="button" hidden>Authorize as the default account</button>
  <a id="yaml">YAML</a> <a id="json">JSON</a> <a id="swagger">Swagger UI</a> <a id="redoc">ReDoc</a>
</header>
<main id="document"></main>
<script>
  const select = document.getElementById("api");
  const wanted = new URLSearchParams(location.search).get("api");
  if ([...select.options].some(option => option.value === wanted)) select.value = wanted;
  select.addEventListener("change", () => { location.search = "?api=" + select.value; });
  const url = `/openapi/${select.value}.json`;
  document.getElementById("json").href = url;
  document.getElementById("yaml").href = `/openapi/${select.value}.yaml`;
  document.getElementById("swagger").href = `/docs?api=${select.value}`;
  document.getElementById("redoc").href = `/redoc?api=${select.value}`;
</script>
{body}
</body>
</html>
"""
SWAGGER_UI = """<script src="/docs/files/swagger-ui-bundle.js"></script>
<script>
  const known = {known};
  const authorize = document.getElementById("authorize");
  const ui = SwaggerUIBundle({
    url, dom_id: "#document", deepLinking: true, tryItOutEnabled: false, validatorUrl: null,
    onComplete: () => {
      const schemes = Object.keys(ui.specSelectors.securityDefinitions()?.toJS() ?? {}).filter(name => name in known);
      authorize.hidden = schemes.length === 0;
      authorize.addEventListener("click", () => {
        for (const name of schemes) ui.preauthorizeApiKey(name, known[name]);
        authorize.textContent = "Authorized as the default account";
        authorize.disabled = true;
      });
    },
  });
</script>"""
REDOC = """<script src="/docs/files/redoc.standalone.js"></script>
<script>Redoc.init(url, { disableSearch: false, hideHostname: false, sanitize: true }, document.getElementById("document"));</script>"""
