"""`qumulus emulator faults`: what goes wrong, by rules."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from qumulus.core.faults import FaultKind, Purpose

from . import show
from .cloud import Cloud, at
from .completion import completing
from .options import Json, Url, fail

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

identifiers = completing(
    "/emulator/faults", lambda page: [(fault["id"], fault["rule"]["kind"]) for fault in page["faults"]]
)

Identifier = Annotated[str, typer.Argument(metavar="FAULT", autocompletion=identifiers, help="The id of a fault.")]


@app.command("list")
def list_faults(url: Url, json: Json = False) -> None:
    """List the faults, with how often each has hit."""
    faults = Cloud(url).get("/emulator/faults")["faults"]
    if json:
        show.as_json(faults)
        return
    rows = (
        (fault["id"], fault["rule"]["kind"], _told(fault["rule"]), fault["seen"], fault["hits"]) for fault in faults
    )
    show.table(("fault", "kind", "rule", "seen", "hits"), rows)


@app.command("show")
def show_fault(fault: Identifier, url: Url, json: Json = False) -> None:
    """Show a fault."""
    known = Cloud(url).get(at("faults", fault))
    if json:
        show.as_json(known)
        return
    rule = {name.replace("_", " "): value for name, value in known["rule"].items()}
    show.fields({"fault": known["id"], **rule, "seen": known["seen"], "hits": known["hits"]})


@app.command("add")
def add(
    kind: Annotated[FaultKind, typer.Argument(metavar="KIND", help=f"What goes wrong: {', '.join(FaultKind)}.")],
    url: Url,
    api: Annotated[str | None, typer.Option(help="Only this API, such as ibm/runtime, or cloud, such as ibm.")] = None,
    operation: Annotated[str | None, typer.Option(help="Only this operationId of the API's document.")] = None,
    purpose: Annotated[Purpose | None, typer.Option(help="Only operations of this purpose, in whatever API.")] = None,
    device: Annotated[str | None, typer.Option(help="Only what is about this device.")] = None,
    account: Annotated[str | None, typer.Option(help="Only what comes from this account.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only what is about jobs with this tag.")] = None,
    nth: Annotated[int | None, typer.Option(min=1, help="Only the nth of those that it is for.")] = None,
    passes: Annotated[int | None, typer.Option(min=0, help="How many pass before it may hit.")] = None,
    probability: Annotated[float | None, typer.Option(min=0, max=1, help="How probably each is hit.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="What the draws are made from.")] = None,
    times: Annotated[int | None, typer.Option(min=1, help="How often it hits at most.")] = None,
    after: Annotated[float | None, typer.Option(min=0, help="From when on, in seconds from now.")] = None,
    lasts: Annotated[float | None, typer.Option("--for", min=0, help="How long, in seconds.")] = None,
    status: Annotated[int | None, typer.Option(min=200, max=599, help="The status of the answer.")] = None,
    message: Annotated[str | None, typer.Option(help="What the answer says.")] = None,
    retry_after: Annotated[int | None, typer.Option(min=0, help="Seconds in the header Retry-After.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0, help="How long it takes.")] = None,
    code: Annotated[int | None, typer.Option(min=0, help="The code of an error, from the cloud's registry.")] = None,
    qubit: Annotated[
        list[int] | None, typer.Option(min=0, help="A qubit of the device that is broken. Repeatable.")
    ] = None,
    gate: Annotated[
        list[str] | None,
        typer.Option(metavar="GATE:QUBITS", help="A gate that is broken, such as ecr:1,0. Repeatable."),
    ] = None,
    note: Annotated[str | None, typer.Option(help="What it is there for.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what it would hit.")] = False,
    json: Json = False,
) -> None:
    """Let something go wrong, and print the id of the fault."""
    given: dict[str, Any] = {
        "kind": kind.value,
        "api": api,
        "operation": operation,
        "purpose": purpose,
        "device": device,
        "account": account,
        "tag": tag,
        "nth": nth,
        "passes": passes,
        "probability": probability,
        "seed": seed,
        "times": times,
        "after_seconds": after,
        "for_seconds": lasts,
        "status": status,
        "message": message,
        "retry_after": retry_after,
        "seconds": seconds,
        "code": code,
        "qubits": qubit or None,
        "gates": [_gate(each) for each in gate or ()] or None,
        "note": note,
        "dry_run": dry_run or None,
    }
    made = Cloud(url).post("/emulator/faults", {name: value for name, value in given.items() if value is not None})
    if json:
        show.as_json(made)
    else:
        typer.echo(made["id"])
        if "control_url" in made:
            typer.echo(f"Until it is over, the emulator's API answers at {made['control_url']} alone.", err=True)


@app.command("remove")
def remove(fault: Identifier, url: Url, json: Json = False) -> None:
    """Take a fault back."""
    Cloud(url).delete(at("faults", fault))
    if json:
        show.as_json({"removed": fault})
    else:
        typer.echo(f"{fault} is gone.")


@app.command("clear")
def clear(url: Url, json: Json = False) -> None:
    """Take all faults back."""
    Cloud(url).delete(at("faults"))
    if json:
        show.as_json({"cleared": True})
    else:
        typer.echo("Nothing goes wrong on demand any more.")


def _gate(text: str) -> dict[str, Any]:
    """Return what `ecr:1,0` names."""
    name, _, qubits = text.partition(":")
    if not name or not all(qubit.isdecimal() for qubit in qubits.split(",")):
        fail(f"{text!r} is no gate: say it with its qubits, such as ecr:1,0.", 2)
    return {"gate": name, "qubits": [int(qubit) for qubit in qubits.split(",")]}


def _told(rule: dict[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in rule.items() if name != "kind")
