"""`qumulus services`: programs of one's own as services of PLANQK."""

from __future__ import annotations

import json as json_module
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import quote

import httpx2
import typer
import yaml

from qumulus.core.errors import InvalidRequest
from qumulus.services import description, signature
from qumulus.serving.server import read_settings

from . import show
from .cloud import Cloud, at, detail, json_of
from .completion import completing
from .deployment import deploy
from .options import Json, Url, fail

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

LOOK_SECONDS = 0.5
FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder with src/program.py.", file_okay=False)]
names = completing("/emulator/services", lambda services: [(each["name"], each["title"]) for each in services])
Name = Annotated[str, typer.Argument(metavar="SERVICE", autocompletion=names, help="The name of a service.")]
Given = Annotated[str | None, typer.Option("--name", help="Its name; from planqk.json or the folder if not said.")]
Entrypoint = Annotated[str | None, typer.Option(help="Module and function, such as src.program:run.")]
Strict = Annotated[bool, typer.Option("--strict", help="Let the vendor's own runtime package call the program.")]


@app.command("add")
def add(
    folder: Folder,
    url: Url,
    name: Given = None,
    entrypoint: Entrypoint = None,
    strict: Strict = False,
    json: Json = False,
) -> None:
    """Deploy a folder as a service, or replace the one of that name."""
    service = deploy(Cloud(url), folder, name, entrypoint=entrypoint, strict=strict)
    if json:
        show.as_json(service)
    else:
        typer.echo(f"{service['title']} is at {service['url']}")


@app.command("list")
def list_services(url: Url, json: Json = False) -> None:
    """List the deployed services."""
    services = Cloud(url).get("/emulator/services")
    if json:
        show.as_json(services)
        return
    rows = (
        (service["name"], service["title"], service["state"], show.moment(service["deployed_at"]), service["url"])
        for service in services
    )
    show.table(("service", "title", "state", "deployed", "address"), rows)


@app.command("remove")
def remove(name: Name, url: Url, json: Json = False) -> None:
    """Remove a service; its executions stay in the records."""
    Cloud(url).delete(at("services", name))
    if json:
        show.as_json({"removed": name})
    else:
        typer.echo(f"{name} is removed.")


@app.command("run")
def run(
    name: Name,
    url: Url,
    body: Annotated[str | None, typer.Option("--input", metavar="JSON|@FILE", help="The whole input.")] = None,
    data: Annotated[str | None, typer.Option(metavar="JSON|@FILE", help="The parameter data.")] = None,
    params: Annotated[str | None, typer.Option(metavar="JSON|@FILE", help="The parameter params.")] = None,
    detached: Annotated[bool, typer.Option("--detached", help="Print the id, and do not wait.")] = False,
    output: Annotated[Path | None, typer.Option(metavar="DIR", help="Save all files of the result there.")] = None,
    json: Json = False,
) -> None:
    """Run a service with an input and print its result. The exit status is 1 if it fails."""
    parameters = {} if body is None else _json("--input", body)
    if not isinstance(parameters, dict):
        fail("The input has to be a JSON object: one member a parameter.")
    parameters |= {
        key: _json(f"--{key}", text) for key, text in {"data": data, "params": params}.items() if text is not None
    }
    service = _Service(url, name)
    execution = service.json("POST", "/", json=parameters)
    if detached:
        show.as_json(execution) if json else typer.echo(execution["id"])
        return
    execution = _ended(service, execution)
    result = service.json("GET", f"/{execution['id']}/result")
    files = [file for file in result.pop("_links") if file not in ("self", "status")]
    result.pop("_embedded")
    if output is not None:
        _save(service, execution["id"], files, output)
    if json:
        show.as_json({"id": execution["id"], "status": execution["status"], "result": result, "files": files})
    elif not result and "output.txt" in files:
        typer.echo(service.send("GET", f"/{execution['id']}/result/output.txt").text)
    else:
        show.as_json(result)
    if execution["status"] != "SUCCEEDED":
        fail(f"The execution {execution['id']} ended as {execution['status']}; see `qumulus services logs`.")


def _ended(service: _Service, execution: dict[str, Any]) -> dict[str, Any]:
    with show.progress(f"Execution {execution['id']}") as tell:
        while execution["status"] not in FINAL:
            tell(f"Execution {execution['id']} is {execution['status']}")
            time.sleep(0.1)
            execution = service.json("GET", f"/{execution['id']}")
    return execution


def _save(service: _Service, execution: str, files: Sequence[str], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with show.progress("Saving", len(files)) as tell:
            for file in files:
                (folder / Path(file).name).write_bytes(service.send("GET", f"/{execution}/result/{file}").content)
                tell(done=1)
    except OSError as error:
        fail(f"{error.filename} can't be written: {error.strerror}.")


@app.command("logs")
def logs(
    execution: Annotated[str, typer.Argument(metavar="EXECUTION", help="The id of an execution.")],
    url: Url,
    json: Json = False,
) -> None:
    """Print the log of an execution."""
    lines = Cloud(url).get(at("jobs", execution, "log"))["lines"]
    if json:
        show.as_json(lines)
        return
    for line in lines:
        typer.echo(f"{show.moment(line['time'])}  {line['severity']:<7}  {show.text(line['text'])}")


@app.command("openapi")
def openapi(
    service: Annotated[str, typer.Argument(metavar="SERVICE|DIR", help="A deployed service, or a folder.")],
    url: Url,
    python: Annotated[Path | None, typer.Option(help="The interpreter that has the packages of the folder.")] = None,
    entrypoint: Entrypoint = None,
    json: Json = False,
) -> None:
    """Print the OpenAPI document of a service. For a folder it is written from the signature of run()."""
    folder = Path(service)
    if not folder.is_dir():
        show.as_json(Cloud(url).get(at("services", service, "openapi")))
        return
    try:
        document = signature.document(folder, python, entrypoint)
    except InvalidRequest as error:
        fail(error.message)
    if json:
        show.as_json(document)
    else:
        typer.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), nl=False)


@app.command("template")
def template(json: Json = False) -> None:
    """Print a description to start from. Save it as openapi.yaml and fill it in."""
    if json:
        show.as_json(yaml.safe_load(description.template_text()))
    else:
        typer.echo(description.template_text(), nl=False)


@app.command("serve")
def serve(
    folder: Folder,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where it listens.")] = 8081,
    name: Given = None,
    entrypoint: Entrypoint = None,
    strict: Strict = False,
) -> None:
    """Serve one service at the root of a cloud. It is deployed anew whenever one of its files changes."""
    from .service_at_root import serve_at_root  # starts a server, which no other command does

    serve_at_root(folder, port, name, entrypoint=entrypoint, strict=strict)


class _Service:
    """A service, as the people see it who use that service."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        token = read_settings([]).token.get_secret_value()
        self._client = httpx2.Client(
            base_url=f"{url}/services/{quote(name, safe='')}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
            trust_env=False,
        )

    def send(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Send a request and return the answer, if that is a success; else the command ends."""
        try:
            answer = self._client.request(method, path, **options)
        except httpx2.HTTPError:
            fail(f"No cloud answers at {self._url}: start one with `qumulus serve`, or name another one with --url.")
        if not answer.is_success:
            fail(detail(answer, self._url))
        return answer

    def json(self, method: str, path: str, **options: Any) -> Any:
        """Send a request and return the JSON of the answer."""
        return json_of(self.send(method, path, **options), self._url)


def _json(option: str, text: str) -> Any:
    """Return a value from JSON, or from a file whose name stands after an @."""
    try:
        content = Path(text[1:]).read_text() if text.startswith("@") else text
        return json_module.loads(content, parse_constant=_no_number)
    except OSError as error:
        fail(f"{option}: {text[1:]} can't be read: {error.strerror}.")
    except ValueError as error:
        fail(f"{option} is not JSON: {error}.")


def _no_number(name: str) -> NoReturn:
    """Refuse what Python reads as a number and JSON does not know."""
    raise ValueError(f"it has no number {name}")
