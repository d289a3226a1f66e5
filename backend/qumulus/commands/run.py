"""`qumulus run`: a command whose quantum clouds are all here, for as long as it runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from qumulus.apis import families
from qumulus.apis.family import loaded
from qumulus.catalogue import SnapshotCatalogue
from qumulus.catalogue.fleet import ALL
from qumulus.catalogue.forms import canonical
from qumulus.control.administration import Administration, CloudRefused, service_name
from qumulus.control.ephemeral import CloudNotStarted, EphemeralCloud
from qumulus.core.errors import InvalidRequest
from qumulus.interception.sites import Sites, sites
from qumulus.serving import scenarios

from .options import address, fail
from .relay import NOT_EXECUTABLE, NOT_FOUND, relay
from .scenarios import names


def run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="What to run, with its arguments.")],
    instance: Annotated[
        list[str] | None, typer.Option(help="An IBM instance that the command asks for: a CRN or a name. Repeatable.")
    ] = None,
    intercept: Annotated[
        list[str] | None, typer.Option(help="Another host to answer for: HOST or HOST/PREFIX. Repeatable.")
    ] = None,
    passed: Annotated[
        list[str] | None,
        typer.Option("--pass", help="Another host that the command may reach; '*' for all. Repeatable."),
    ] = None,
    service: Annotated[
        list[str] | None,
        typer.Option(metavar="[NAME=]FOLDER", help="A PLANQK service that the command calls: deploy it. Repeatable."),
    ] = None,
    fleet: Annotated[
        str | None,
        typer.Option(
            help="The devices that are there: 'all', 'today', names, or a folder; those that the command names are there besides."
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Take the cloud that runs there instead of one of its own.", callback=address)
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(autocompletion=names, help="What the cloud is to be like: a ready scenario, or a file."),
    ] = None,
    log: Annotated[Path | None, typer.Option(help="Keep the log of the cloud in this file.")] = None,
) -> None:
    """Run a command, untouched, with a cloud of its own."""
    if not shutil.which(command[0]):
        there = Path(command[0]).exists()
        fail(
            f"{command[0]} can't be run: it is not executable." if there else f"There is no command {command[0]}.",
            NOT_EXECUTABLE if there else NOT_FOUND,
        )
    if log:
        _check_writable(log)
    home = Path.home()
    wanted = {
        family.name: loaded(family.wanted)(command, os.environ, home) for family in families.FAMILIES if family.wanted
    }
    hosts = [*(intercept or ()), *(host for each in wanted.values() for host in each.hosts)]
    seen = [name for each in wanted.values() for name in each.instances]
    instances = [*_checked(instance or ()), *_known(seen)]
    named = [name for each in wanted.values() for name in each.devices]
    settings = _upstream(url, fleet) if url else _fleet(fleet or os.environ.get("QUMULUS_FLEET") or ALL, named)
    settings |= _begun(scenario, url) if scenario else {}
    settings |= {"intercept_hosts": ",".join(hosts), "pass_hosts": ",".join(passed or ())}
    try:
        sites(settings["intercept_hosts"], families.real_sites())
        with EphemeralCloud(instances=instances, settings=settings) as cloud:
            for plan, region in () if url else (plan for each in wanted.values() for plan in each.plans):
                described = {"name": f"{plan} {region}", "plan": plan, "region": region}
                Administration(cloud.url)("POST", "/instances", described)
            for named in service or ():
                name, _, folder = named.rpartition("=")
                Administration(cloud.url).deploy(name or service_name(Path(folder)), Path(folder))
            with_account = {name for name, each in wanted.items() if each.account_saved}
            status = relay(command, cloud.environment(os.environ, with_account=with_account))
            if status:
                warnings = [sentence for each in wanted.values() for sentence in each.warnings]
                for sentence in (*hints(cloud.events(), instances), *warnings):
                    typer.echo(f"qumulus: {sentence}", err=True)
            if log:
                shutil.copyfile(cloud.log, log)
    except (CloudNotStarted, CloudRefused, ValueError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or command[0]}: {error.strerror}.", NOT_EXECUTABLE)
    raise typer.Exit(status)


def _upstream(url: str, fleet: str | None) -> dict[str, str]:
    """The setting of a cloud that runs elsewhere, which has its own devices."""
    if fleet:
        fail("--fleet is for a cloud of the command's own: start the one at --url with it.", 2)
    return {"upstream": url}


def _fleet(fleet: str, named: Iterable[str]) -> dict[str, str]:
    """The setting of what is offered, with the devices that a command names, as far as they are devices."""
    if fleet == ALL or Path(fleet).is_dir():
        return {"fleet": fleet if fleet == ALL else str(Path(fleet).resolve())}
    known = SnapshotCatalogue()
    return {"fleet": ",".join([fleet, *(name for name in named if known.offers(canonical(name)))])}


def _begun(scenario: str, url: str | None) -> dict[str, str]:
    """The setting of a scenario, which only a cloud of the command's own begins with."""
    if url:
        fail("--scenario is for a cloud of the command's own: see `qumulus emulator scenario begin`.", 2)
    return {"scenario": scenario if scenario in scenarios.ready() else str(Path(scenario).absolute())}


def _check_writable(log: Path) -> None:
    """Before the command runs, whose status would be lost."""
    try:
        log.open("ab").close()
    except OSError as error:
        fail(f"The log can't be kept in {log}: {error.strerror}.", 2)


def _checked(names: Iterable[str]) -> list[str]:
    for name in names:
        if "," in name:
            fail(f"{name!r} is no instance: say --instance once for each.", 2)
        try:
            families.naming().called(name)
        except InvalidRequest as error:
            fail(error.message, 2)
    return list(names)


def _known(names: Iterable[str]) -> list[str]:
    """Return those that can be offered: what only looks like an instance in a script is passed over."""
    result = []
    for name in names:
        try:
            families.naming().called(name)
        except InvalidRequest:
            continue
        if "," not in name:
            result.append(name)
    return result


def _advice(host: str) -> str:
    """What helps with a host that was refused: to let a token of this cloud through to a real one does not."""
    answered = f"have it answered here with --intercept {host}"
    resembling = Sites(families.real_sites()).resembles(host)
    return answered if resembling else f"let it through with --pass {host}, or {answered}"


def hints(events: Iterable[Mapping[str, object]], instances: Iterable[str]) -> list[str]:
    """Why the command may have failed, as far as the cloud can tell from its log."""
    events = list(events)
    result = [
        f"the command asked for {host}, which is no quantum cloud that is known here: {_advice(host)}."
        for host in dict.fromkeys(str(event["refused"]) for event in events if "refused" in event)
    ]
    result += [
        f"the command did not trust the certificate of {host} here: it has to heed SSL_CERT_FILE or REQUESTS_CA_BUNDLE."
        for host in dict.fromkeys(str(event["distrusted"]) for event in events if "distrusted" in event)
    ]
    result += [
        f"the cloud at {url} can't be reached: start it, or leave --url out to have one for the command."
        for url in dict.fromkeys(str(event["unreachable"]) for event in events if "unreachable" in event)
    ]
    for family in families.FAMILIES:
        if family.hints:
            result += loaded(family.hints)(events, instances)
    return result
