"""Every setting of the server: from a flag of `qumulus serve`, else from the environment (`QUMULUS_…`), else the default."""

from __future__ import annotations

import base64
import ipaddress
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from .clients import DEFAULT_TOKEN
from .core.keeping import Rules
from .core.ports.namespaces import led

DEFAULT_PROVIDER_KEY = "qumulus-provider"
DEFAULT_ADMIN_TOKEN = "qumulus-admin"  # noqa: S105

MiB = 1 << 20
URL = r"^https?://[^/?#]+(/[^?#]*)?$"
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _sendable(credential: SecretStr) -> SecretStr:
    """A variable that is set to nothing must not let everybody in; what no header can carry, or leads to a
    namespace, would let nobody in."""
    if not re.fullmatch(r"[!-~]+", credential.get_secret_value()):
        raise PydanticCustomError("credential", "has to be one or more ASCII characters without blanks")
    if led(credential.get_secret_value()) is not None:
        raise PydanticCustomError("credential", "must not begin with a name and ~, which lead to a namespace")
    return credential


def _named(home: object) -> object:
    """A variable that is set to nothing must not scatter the state in the folder of whoever starts the server."""
    if home == "":
        raise PydanticCustomError("home", "has to name a folder")
    return home


def _rules(text: str) -> str:
    """Wrong rules are told at the start, not when they are first asked for."""
    try:
        Rules(text)
    except ValueError as error:
        raise PydanticCustomError("rules", "{problem}", {"problem": str(error).replace("{", "(")}) from None
    return text


def _base32(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().replace(" ", "").upper()
    try:
        base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        raise ValueError("should be text in base32, as authenticators take it, such as JBSWY3DPEHPK3PXP") from None
    return secret


Credential = Annotated[SecretStr, AfterValidator(_sendable)]


class Settings(BaseSettings):
    """Frozen; one instance a process."""

    model_config = SettingsConfigDict(env_prefix="QUMULUS_", frozen=True, extra="ignore")

    home: Annotated[Path, BeforeValidator(_named)] = Field(Path(".qumulus"), description="folder where all state lives")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8080, description="port to listen on; 0 takes a free one")
    database: str | None = Field(
        None, repr=False, description="URL of a PostgreSQL database for the state; SQLite in the home folder if not set"
    )
    blobs: str | None = Field(
        None,
        description="where large values are kept, s3://BUCKET/PREFIX?endpoint=URL; in the home folder if not set",
    )
    workers: Annotated[int, Field(ge=1, le=64)] = Field(1, description="processes that answer requests")
    api_only: bool = Field(False, description="accept jobs, and leave running them to other processes")
    simulations: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        None, description="simulations that run at once; the number of cores if not set"
    )
    runner: str = Field(
        "here",
        min_length=1,
        description="where simulations and services run: 'here', 'ray' on a Ray cluster that the server starts, or the address of one",
    )
    worker_memory_mib: Annotated[int, Field(ge=256)] = Field(4096, description="memory that one simulation may use")
    job_seconds: Seconds = Field(3600, description="longest run of one job")
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] | None = Field(
        None, description="have ids, counts and figures of a whole run repeat; for tests: ids can be guessed"
    )
    noise: Literal["device", "local-mode", "twin"] = Field(
        "device",
        description="'device': circuits are scheduled, and qubits that wait relax; 'local-mode': the noise of IBM's local mode; "
        "'twin': 'device' with coherent errors and slow dephasing",
    )
    ibm_limits: Literal["on", "off"] = Field(
        "on", description="'on': IBM's own limits hold, as it documents them; 'off': only this server's"
    )
    pub_budget_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        60, description="time in which a circuit is answered, by the most accurate method that fits; no limit"
    )
    job_budget_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        600, description="the same for all circuits of a job together"
    )
    strict_simulation: bool = Field(
        False, description="refuse circuits that no method answers within its limits, instead of approximating them"
    )

    service_slots: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        None, description="executions of services that run at once; the number of cores if not set"
    )
    service_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        3600, description="longest run of one execution"
    )
    service_memory_mib: Annotated[int, Field(ge=64)] = Field(
        4096, description="memory of one execution, where the service's resources say nothing"
    )
    services_network: Literal["own", "open", "off"] = Field(
        "own",
        description="what programs of services reach: 'own': the APIs of this cloud, where the machine has namespaces; "
        "'open': everything; 'off': nothing",
    )
    services_relative_links: bool = Field(False, description="name the results of executions by their paths alone")
    services_key: SecretStr | None = Field(
        None,
        description="what several processes seal the secrets of executions with, on their way through the database",
    )
    public_url: str | None = Field(
        None,
        pattern=URL,
        description="address at which programs of services reach this server; the one that a request came to if not set",
    )
    service_at_root: str | None = Field(None, description="name of the one service to serve at the root")
    sse_python: Path | None = Field(
        None, description="interpreter whose packages the programs of OQTOPUS' sse jobs can import; made if not set"
    )
    sse_requirements: str = Field(
        "quri-parts-oqtopus",
        description="what is installed for these programs, comma-separated; 'oqtopus' is what OQTOPUS' own container has",
    )
    sse_prepare: Literal["auto", "on", "off"] = Field(
        "auto",
        description="when that is installed: 'auto': in the background at the first start, where uv is there; "
        "'on': by pip as well; 'off': when the first of these programs comes",
    )
    allow_unsandboxed: bool = Field(
        False, description="run services although this machine can't keep them from other files"
    )

    auth: Literal["known", "open"] = Field("known", description="'known': known credentials only; 'open': any")
    token: Credential = Field(SecretStr(DEFAULT_TOKEN), description="credential of the default account, in every API")
    login_totp: Annotated[SecretStr, AfterValidator(_base32)] | None = Field(
        None,
        description="secret of the second factor of OQTOPUS' web frontend, in base32; any six digits are good if not set",
    )
    provider_key: Credential = Field(SecretStr(DEFAULT_PROVIDER_KEY), description="x-api-key of the Provider API")
    instances: str = Field("", description="more IBM instances: names or CRNs, comma-separated")
    fleet: str = Field(
        "all",
        min_length=1,
        description="devices that are offered: 'all', 'today' for what IBM offers at present, names, comma-separated, "
        "or a folder of descriptions; those that were added are offered besides",
    )
    show_mocks: bool = Field(
        False, description="list the devices that exist for tests, such as test_eagle, to everybody"
    )
    provider_lease: Seconds = Field(
        0, description="seconds after which a job that an engine fetched and left is given out again; 0: never"
    )
    device_info: Literal["address", "inline"] = Field(
        "address", description="how OQTOPUS' devices tell of their qubits: where a zip file is, or as JSON text"
    )
    front: Literal["user", "provider", "admin"] = Field(
        "user", description="which OQTOPUS API has the paths that both have, such as /jobs"
    )
    admin_token: Credential = Field(SecretStr(DEFAULT_ADMIN_TOKEN), description="bearer token of the administrator")
    allow_exposed: bool = Field(False, description="accept default credentials on an address that others can reach")
    allowed_hosts: str = Field("", description="names that requests may call this server by, comma-separated")
    allowed_origins: str = Field(
        "",
        pattern=r"^$|^https?://[^/,*\s]+(,https?://[^/,*\s]+)*$",
        description="origins whose pages may call this server from a browser, such as http://localhost:5173, comma-separated",
    )

    scenario: str | None = Field(
        None, description="what the cloud is to be like from its start: the name of a ready scenario, or a file"
    )

    tls_certificate: Path | None = Field(
        None, description="file with the certificate, and those that lead to its authority, to serve HTTPS; PEM"
    )
    tls_key: Path | None = Field(
        None, description="file with the key of that certificate, if it is not in the same file"
    )

    intercept_port: Annotated[int, Field(ge=0, le=65535)] | None = Field(
        None, description="port of the HTTPS proxy that answers for the real clouds; 0 takes a free one; off if not set"
    )
    intercept_hosts: str = Field("", description="more hosts to answer for, HOST or HOST/PREFIX, comma-separated")
    pass_hosts: str = Field("", description="other hosts that the proxy connects to, comma-separated; '*' for all")
    upstream: str | None = Field(
        None, pattern=URL, description="URL of a running cloud that answers instead of this process"
    )
    upstream_hosts: str | None = Field(
        None,
        description="hand what comes by the proxy on to the real hosts: 'real', or HOST=URL of those that are elsewhere, comma-separated",
    )
    record: Path | None = Field(
        None,
        description="file to which what the cloud at --upstream, or the hosts, are asked and answer is added, without credentials",
    )
    ready_file: Path | None = Field(
        None, description="file to write the addresses to, as JSON, once requests are answered"
    )

    parent: Annotated[int, Field(ge=1)] | None = Field(
        None, description="id of the process that started the server; the server stops when that one is gone"
    )

    listener: Annotated[int, Field(ge=0)] | None = Field(
        None, description="descriptor of a socket that listens already, given by the process that started this one"
    )
    siblings: Path | None = Field(
        None,
        description="where this one of several processes answers the others, given by the process that started them",
    )

    keep: Annotated[str, AfterValidator(_rules)] = Field(
        "days=400 jobs=200000 gib=50",
        description="how long jobs are kept that have ended, and how many and how large together, of each account; "
        "rules for one kind=… or account=… behind a ';'",
    )
    quota: Annotated[str, AfterValidator(_rules)] = Field(
        "jobs=100000 gib=100",
        description="jobs that an account may have waiting, and GiB that it may have stored; "
        "rules for one account=… behind a ';'",
    )
    status_hold: Annotated[float, Field(ge=0, le=30)] = Field(
        0.5, description="seconds that a status request of an unfinished job is held; 0 answers at once"
    )
    max_body_mib: Annotated[int, Field(ge=1, le=4096)] = Field(64, description="largest request body")
    max_bodies_mib: Annotated[int, Field(ge=1)] = Field(
        512,
        description="request bodies, with the values that are read from them, that are held at once, by each process",
    )
    max_connections: Annotated[int, Field(ge=1)] = Field(2000, description="connections of each process")
    max_address_connections: Annotated[int, Field(ge=1)] = Field(
        1000, description="connections of each process that one address may have; a proxy in front is one"
    )
    request_seconds: Annotated[float, Field(gt=0)] = Field(
        20, description="time for the head of a request, and in which a body has to come on by 1 KiB a second"
    )
    drain_seconds: Annotated[float, Field(ge=0, le=300)] = Field(7, description="time that running jobs get at the end")
    log: Literal["auto", "text", "json", "off"] = Field(
        "auto", description="form of the log; 'auto': coloured text on a terminal"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least severity that is logged")

    @property
    def simulation_count(self) -> int:
        """Return how many simulations run at once."""
        return self.simulations or os.cpu_count() or 1

    @property
    def sse_packages(self) -> tuple[str, ...]:
        """Return what is installed for the programs of sse jobs."""
        return tuple(name.strip() for name in self.sse_requirements.split(",") if name.strip())

    @property
    def instance_names(self) -> tuple[str, ...]:
        """Names or CRNs of the instances that there are besides the built-in ones."""
        return tuple(name.strip() for name in self.instances.split(",") if name.strip())

    @cached_property
    def accounts_install(self) -> bool:
        """Say whether accounts may have packages installed, as the server's user: where nobody else can reach the server."""
        return self.loopback and not self.allow_exposed and self.public_url is None

    @cached_property
    def loopback(self) -> bool:
        """Say whether only this machine can reach the address."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    @property
    def default_credentials(self) -> tuple[str, ...]:
        """The settings that still have their documented default credential."""
        defaults = {
            "token": DEFAULT_TOKEN,
            "provider_key": DEFAULT_PROVIDER_KEY,
            "admin_token": DEFAULT_ADMIN_TOKEN,
        }
        return tuple(name for name, value in defaults.items() if getattr(self, name).get_secret_value() == value)

    def exposure(self) -> str | None:
        """Why the server must not start on this address, or None."""
        if self.loopback or self.allow_exposed:
            return None
        if self.auth == "open":
            what = "any credential would be let in (--auth open)"
        elif self.default_credentials:
            names = ", ".join(f"QUMULUS_{name.upper()}" for name in self.default_credentials)
            what = f"everybody knows its default credentials; set your own with {names}"
        else:
            return None
        return (
            f"Others can reach {self.host}, and {what}. "
            "Listen on 127.0.0.1, or say --allow-exposed if that is what you want."
        )
