"""`qumulus devices`: what can be run on, and what an administrator sets for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from qumulus.catalogue import SnapshotCatalogue
from qumulus.catalogue import files as device_files
from qumulus.core.errors import InvalidRequest

from . import show
from .cloud import Cloud, at
from .options import Json, Url, fail

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

MOST_SECONDS = 3600  # as the API says


def names(incomplete: str) -> list[str]:
    """Names for the shell to complete; the cloud need not run for it."""
    return [device.name for device in SnapshotCatalogue().devices() if device.name.startswith(incomplete.lower())]


Name = Annotated[str, typer.Argument(metavar="DEVICE", autocompletion=names, help="The name of a device, in any case.")]


@app.command("list")
def list_devices(
    url: Url,
    qubits: Annotated[int, typer.Option(min=0, help="Only devices with at least so many qubits.")] = 0,
    json: Json = False,
) -> None:
    """List the devices."""
    devices = [device for device in Cloud(url).get("/emulator/devices")["devices"] if device["n_qubits"] >= qubits]
    if json:
        show.as_json(devices)
        return
    show.table(("device", "qubits", "family", "calibrated", "state", "pending"), map(_row, devices))


@app.command("show")
def show_device(device: Name, url: Url, json: Json = False) -> None:
    """Show a device with its gates and settings."""
    _print(Cloud(url).get(at("devices", device)), json=json)


@app.command("set")
def set_device(
    device: Name,
    url: Url,
    online: Annotated[bool | None, typer.Option("--online/--offline", help="Whether it takes jobs.")] = None,
    message: Annotated[str | None, typer.Option(help="Why it takes none, for people.")] = None,
    one_at_a_time: Annotated[
        bool | None, typer.Option("--one-at-a-time/--many-at-a-time", help="Whether its jobs run one after the other.")
    ] = None,
    least_queue: Annotated[
        float | None, typer.Option(min=0, max=MOST_SECONDS, help="Seconds that a job waits at least.")
    ] = None,
    least_run: Annotated[
        float | None, typer.Option(min=0, max=MOST_SECONDS, help="Seconds that a job runs at least.")
    ] = None,
    provider: Annotated[
        bool | None, typer.Option("--provider/--simulated", help="Whether an engine fetches its jobs.")
    ] = None,
    json: Json = False,
) -> None:
    """Change settings of a device; what is not named stays."""
    cloud = Cloud(url)
    named = {
        "online": online,
        "message": message,
        "one_at_a_time": one_at_a_time,
        "least_queue_seconds": least_queue,
        "least_run_seconds": least_run,
        "provider": provider,
    }
    current = cloud.get(at("devices", device))
    current["settings"] |= {name: value for name, value in named.items() if value is not None}
    current["settings"] = cloud.put(at("devices", device, "settings"), current["settings"])
    _print(current, json=json)


@app.command("import")
def import_devices(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files, or folders of them: JSON or YAML.", exists=True)
    ],
    url: Url,
    name: Annotated[str | None, typer.Option(help="What the device is called, where no file says it.")] = None,
    json: Json = False,
) -> None:
    """Add devices of your own from files.

    A file may hold backend.configuration() or backend.properties() as JSON, OQTOPUS' device_info, or a topology with medians in YAML.
    Properties of different times are the device's series.
    """
    added: dict[str, dict[str, Any]] = {}
    try:
        found = device_files.documents(files)
    except InvalidRequest as error:
        fail(error.message)
    for documents in device_files.batches(found):
        body = {"documents": documents} | ({"name": name} if name else {})
        added |= {device["name"]: device for device in Cloud(url).post("/emulator/devices", body)["devices"]}
    if json:
        show.as_json(list(added.values()))
        return
    show.table(("device", "qubits", "family", "calibrated", "state", "pending"), map(_row, added.values()))


@app.command("add")
def add_device(
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="What its engine calls it.")],
    url: Url,
    qubits: Annotated[int, typer.Option(min=1, max=1000, help="How many it has, until its engine tells.")] = 4,
    json: Json = False,
) -> None:
    """Register a device that has an engine of its own."""
    cloud = Cloud(url)
    sketch = {"name": device, "topology": f"line {qubits}", "family": "OQTOPUS", "gates": ["cx", "id", "rz", "sx", "x"]}
    (added,) = cloud.post("/emulator/devices", {"documents": [sketch]})["devices"]
    settings = added["settings"] | {"provider": True}
    added["settings"] = cloud.put(at("devices", added["name"], "settings"), settings)
    _print(added, json=json)


@app.command("remove")
def remove_device(device: Name, url: Url, json: Json = False) -> None:
    """Remove a device that was added."""
    Cloud(url).delete(at("devices", device))
    if json:
        show.as_json({"removed": device})
    else:
        typer.echo(f"{device} is removed.")


def _row(device: dict[str, Any]) -> Sequence[object]:
    settings = device["settings"]
    state = "online" if settings["online"] else "offline"
    return (
        device["name"],
        device["n_qubits"],
        device["family"],
        show.moment(device["calibrated_at"]),
        f"{state}: {settings['message']}" if settings["message"] else state,
        device["pending"],
    )


def _print(device: dict[str, Any], *, json: bool) -> None:
    if json:
        show.as_json(device)
        return
    settings = device.pop("settings")
    show.fields(
        {
            "device": device["name"],
            "kind": device["kind"],
            "qubits": device["n_qubits"],
            "family": device["family"],
            "gates": device["basis_gates"],
            "calibrated": show.moment(device["calibrated_at"]),
            "about": device["description"],
            "pending jobs": device["pending"],
            **{name.replace("_", " "): value for name, value in settings.items()},
        }
    )
