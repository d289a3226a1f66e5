"""`qumulus serve`: read the settings, compose the cloud, listen. Imports neither typer nor rich: starting is half imports."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from pydantic import ValidationError
from pydantic_core import PydanticUndefined

from qumulus.settings import Settings

from .sockets import LISTEN_BACKLOG, address, listen, stop, tell, tls

if TYPE_CHECKING:
    from types import FrameType

    import uvicorn
    from pydantic.fields import FieldInfo

    from qumulus.http.connections import Bounded
    from qumulus.http.namespaces import Namespaces
    from qumulus.interception.forwarding import Forward
    from qumulus.interception.listening import Interceptor

    from .refusing import Doors

LAST_ANSWER_SECONDS = 2  # that requests get when the server stops; running jobs have had their time before that
KEEP_ALIVE_SECONDS = 75  # longer than the pauses in which clients poll
PARENT_SECONDS = 0.5  # between two looks whether the parent is still there


DESCRIPTION = "Start the cloud."
SECTIONS = {
    "home": "state and address",
    "workers": "processes and simulations",
    "service_slots": "programs of users",
    "auth": "who is let in, and what there is",
    "intercept_port": "standing in for the real clouds",
    "ready_file": "for programs that start this one",
    "status_hold": "requests, end and log",
}  # of the help, by their first settings
HANDED_ON = frozenset({"listener", "siblings"})  # settings that only a process of ours gives to another one


def flags() -> dict[str, FieldInfo]:
    """The settings that have a flag: all but credentials, which everybody who can list processes would see."""
    fields = Settings.model_fields.items()
    return {name: field for name, field in fields if "Secret" not in str(field.annotation) and name not in HANDED_ON}


class Reader(argparse.ArgumentParser):
    """Tells what is wrong in one line, instead of the names of all flags."""

    def error(self, message: str) -> NoReturn:
        """End with a sentence."""
        stop(f"{message[:1].upper()}{message[1:]}. See `{self.prog} --help`.", 2)


def parser(
    command: str = "serve", description: str = DESCRIPTION, without: Collection[str] = ()
) -> argparse.ArgumentParser:
    """One flag a setting but those ``without``; the settings are the only place where they are described."""
    result = Reader(
        prog=f"qumulus {command}",
        usage="%(prog)s [OPTIONS]",
        description=f"{description} Every flag can be given as a variable of the environment too: QUMULUS_ and its name.",
    )
    section: argparse._ArgumentGroup | argparse.ArgumentParser = result
    for name, field in flags().items():
        if name in SECTIONS:
            section = result.add_argument_group(SECTIONS[name])
        if name in without:
            continue
        flag = "--" + name.replace("_", "-")
        default = field.get_default(call_default_factory=False)
        told = "" if field.annotation is bool or default in (None, "", PydanticUndefined) else f" (default: {default})"
        text = (field.description or "").replace("%", "%%") + told
        if field.annotation is bool:
            section.add_argument(flag, action="store_true", default=None, help=text)
        else:
            section.add_argument(flag, metavar=name.rpartition("_")[2].upper(), default=None, help=text)
    result.epilog = (
        "Credentials are set by QUMULUS_TOKEN, QUMULUS_PROVIDER_KEY, QUMULUS_ADMIN_TOKEN and QUMULUS_SERVICES_KEY only; "
        "QUMULUS_DATABASE keeps the password of a database from everybody who can list processes."
    )
    return result


def read_settings(arguments: Sequence[str], reading: argparse.ArgumentParser | None = None) -> Settings:
    """The settings from flags and environment; a wrong value ends the program with a sentence."""
    given = {
        name: value for name, value in vars((reading or parser()).parse_args(arguments)).items() if value is not None
    }
    try:
        return Settings(**given)
    except ValidationError as error:
        for problem in error.errors():
            name = str(problem["loc"][0])
            flag = (
                f"--{name.replace('_', '-')} (or QUMULUS_{name.upper()})"
                if name in flags()
                else f"QUMULUS_{name.upper()}"
            )
            told = problem["msg"][:1].lower() + problem["msg"][1:]
            print(f"{flag}: {told}, not {_shown(name, problem)}.", file=sys.stderr)  # noqa: T201
        raise SystemExit(2) from None


def _shown(name: str, problem: Any) -> str:
    return (
        "what was given" if any(word in name for word in ("token", "key", "database")) else repr(problem.get("input"))
    )


def forward(url: str | None, hosts: str | None) -> Forward:
    """An application that is the cloud at another address, or the real clouds at their ``hosts``."""
    from qumulus.interception.forwarding import Forward

    named = (each.strip().partition("=") for each in (hosts or "").split(",") if "=" in each)
    return Forward(url and url.rstrip("/"), {host.lower(): where.rstrip("/") for host, _, where in named})


def recorded(settings: Settings) -> Forward:
    """The application that is the cloud at another address, with a record of all that goes on where that is wanted."""
    app = forward(settings.upstream, settings.upstream_hosts)
    if settings.record is None:
        return app
    from qumulus.interception.recording import Recording

    try:
        return cast("Forward", Recording(app, settings.record))
    except OSError as error:
        stop(f"Nothing can be recorded in {settings.record}: {(error.strerror or '').lower()}.", 2)


def intercept(app: Namespaces | Forward, url: str, settings: Settings, http: type[Bounded]) -> Interceptor | None:
    """The proxy that answers for the real clouds, where the settings ask for it; a sentence where it can't be had.

    ``http`` is what speaks on the server's own connections: the limits of those hold for both together.
    """
    if settings.intercept_port is None:
        return None
    from qumulus.apis.families import real_sites
    from qumulus.interception.authority import AuthorityError
    from qumulus.interception.listening import Interceptor
    from qumulus.interception.sites import sites

    from .app import Application

    try:
        return Interceptor(
            app,
            sites=sites(settings.intercept_hosts, real_sites()),
            passed=settings.pass_hosts.split(","),
            here=url.partition("://")[2],
            folder=settings.home / "ca",
            listener=listen("127.0.0.1", settings.intercept_port, "--intercept-port"),
            http=http,
            refuses=lambda: isinstance(app, Application) and app.refusing.refuses,
        )
    except (AuthorityError, ValueError) as error:
        stop(str(error), 2)


def stop_without(parent: int) -> None:
    """Stop when the process that started this one is gone, however it ended."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def write_addresses(file: Path, url: str, interceptor: Interceptor | None) -> None:
    """Write the addresses of the server for a program that waits for them."""
    where = {"url": url}
    if interceptor:
        where |= {"proxy": address(interceptor.listener), "certificate": str(interceptor.authority.file.absolute())}
    write_file(file, where)


def write_file(file: Path, content: Mapping[str, str]) -> None:
    """Write JSON into a file that others wait for: it is there as a whole or not at all.

    Raises:
        SystemExit: it can't be written, which was said.
    """
    new = file.with_name(file.name + ".new")
    try:
        new.write_text(json.dumps(content))
        new.replace(file)
    except OSError as error:
        stop(f"The file {file} can't be written: {(error.strerror or '').lower()}. Name another one with --ready-file.")


def serving(
    config: uvicorn.Config,
    app: Namespaces | Forward,
    url: str,
    settings: Settings,
    interceptor: Interceptor | None,
    doors: Doors | None,
) -> uvicorn.Server:
    """A server that says where it is when it is up, and that lets what runs come to its end when it is told to stop."""
    import uvicorn

    from qumulus.clients import FAMILIES
    from qumulus.http.siblings import is_first

    from .banner import banner

    draining: list[threading.Thread] = []

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if doors:
                await doors.begin(self, first=is_first(settings.siblings), alone=settings.siblings is None)
            if interceptor:
                await interceptor.listen(self)
            if settings.ready_file:
                write_addresses(settings.ready_file, url, interceptor)
            served = [name for name, clients in FAMILIES.items() if app.owns(clients.path)]
            if settings.listener is None:
                tell(banner(url, settings, served))

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            """The first signal drains: who asks is answered, and told to come again with new jobs. The second ends at once."""
            if draining:
                super().handle_exit(sig, frame)
                return
            draining.append(threading.Thread(target=self._drain, args=[sig], name="drain", daemon=True))
            try:
                draining[0].start()
            except RuntimeError:  # the machine has no room for a thread: what runs is handed back at the next start
                super().handle_exit(sig, frame)

        def _drain(self, sig: int) -> None:
            try:
                app.drain()
            finally:
                super().handle_exit(sig, None)

    return Server(config)


def supervise(settings: Settings, listener: socket.socket, url: str) -> None:
    """Have several processes answer, until we are told to stop."""
    from qumulus.clients import FAMILIES

    from .banner import banner
    from .supervisor import Supervisor

    if settings.parent:
        stop_without(settings.parent)
    supervisor = Supervisor(settings, listener)
    where = supervisor.run()
    if where is not None:
        if settings.ready_file:
            write_file(settings.ready_file, where)
        tell(banner(url, settings, FAMILIES))
        supervisor.keep()
    supervisor.stop()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the server until a signal stops it."""
    settings = read_settings(sys.argv[1:] if arguments is None else arguments)
    if reason := settings.exposure():
        stop(reason, 2)

    from . import logging, process_limits

    if found := process_limits.objections(settings.max_connections):
        stop("\n".join(found), 2)
    logging.configure(settings)
    process_limits.tune_for_requests()
    if settings.listener is not None:
        listener = socket.socket(fileno=settings.listener)
    else:
        listener = listen(settings.host, settings.port, "--port")
    secured = tls(settings)
    url = address(listener, "http" if secured is None else "https")
    if settings.workers > 1 and not (settings.upstream or settings.upstream_hosts):
        supervise(settings, listener, url)
    else:
        answer(settings, listener, url, secured)


def answer(settings: Settings, listener: socket.socket, url: str, secured: ssl.SSLContext | None = None) -> None:
    """Answer requests in this process, until we are told to stop; by HTTPS, where it is ``secured``."""
    import uvicorn

    from qumulus.http.connections import Limits, bounded

    gc.disable()  # a start makes what stays: to look through it again and again would take a sixth of it
    from .app import Application, create_app
    from .refusing import Doors
    from .start_error import StartError

    try:
        app = recorded(settings) if settings.upstream or settings.upstream_hosts else create_app(settings, served=True)
    except StartError as error:
        stop(str(error), 2)
    gc.freeze()
    gc.enable()

    http = bounded(
        Limits(
            connections=settings.max_connections,
            of_an_address=settings.max_address_connections,
            seconds=settings.request_seconds,
        )
    )
    interceptor = intercept(app, url, settings, http)

    config = uvicorn.Config(
        app,
        http=http,
        ws="none",  # nothing here speaks it
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=LAST_ANSWER_SECONDS,
        backlog=LISTEN_BACKLOG,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        ssl_context_factory=None if secured is None else lambda _config, _default: secured,
    )
    doors = Doors(app.refusing, config, listener, url) if isinstance(app, Application) else None
    server = serving(config, app, url, settings, interceptor, doors)

    def leave(*_: object) -> None:
        """Until uvicorn listens for signals itself. It raises them once more when it has stopped: stopping is no failure."""
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    if settings.parent:
        stop_without(settings.parent)
    server.run(sockets=[listener])
    if not server.started:
        raise SystemExit(1)
