"""What a family of APIs is, as data: its record in `apis/<family>/family.py` says all that others need to know of it.

Only the standard library is imported here and by the records: the pytest plugin and the commands read them. What needs more is
named as ``module:name`` and imported by who wants it; see `loaded`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from qumulus.core.accounts import InstanceNaming
from qumulus.core.ports.namespaces import MARK
from qumulus.interception.sites import Site

SECRET_BYTES = 32


def loaded(reference: str) -> Any:
    """Return what stands under a reference such as ``qumulus.apis.ibm.runtime.app`` or ``package.module:name``."""
    module, _, name = reference.partition(":")
    found = import_module(module)
    return getattr(found, name) if name else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One API, and where it stands."""

    name: str  # as in the jobs of the generator
    module: str  # has its ``DOCUMENT`` and ``create(cloud, **options)``
    prefixes: tuple[str, ...]
    cut: bool = False  # True: its document names its paths without the prefix
    options: Callable[[Any, Callable[[], bytes]], Mapping[str, Any]] = lambda _settings, _secret: {}
    """What else ``create`` takes, from the settings of the server and what gives the secret that it signs with."""

    in_front: tuple[str, ...] = ()  # prefixes that it has as well when it is the front
    front_note: str = ""  # what a fresh start then says of it; {url} stands for the address of the server
    at_root: str = ""  # reference of what serves one service at the root


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One kind of credential."""

    scheme: str  # what it is kept under
    setting: str = "token"  # the setting that holds the default account's secret
    form: str = "{secret}"  # what clients send; {id} is `local` for the default account, and random for others
    documents: tuple[str, ...] = ()  # the security schemes that it is sent by, as the specifications call them
    headers: tuple[str, ...] = ("authorization",)  # in which it is sent
    more: tuple[str, ...] = ()  # let in besides, as long as the setting has its documented default

    def of(self, secret: str) -> str:
        """Return what a client of the default account sends, whose ``secret`` the settings name."""
        return self.form.format(id="local", secret=secret)

    def new(self) -> str:
        """Return what another client is to send: random."""
        return self.form.format(id=secrets.token_hex(8), secret=secrets.token_urlsafe(SECRET_BYTES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """What the clients of a family read from the environment."""

    path: str  # one that only this family's API serves: where it is not mounted, the environment is of no use
    templates: Mapping[str, str]  # by variable; {url}, {token} and {instance} stand for what is filled in
    note: str  # what no variable can say, a line for a person; {url} stands for the address
    instance: str = ""  # the default one
    proxied: bool = False  # whether they are led here by the proxy, and not by variables
    aside: tuple[str, ...] = ()  # more variables that would lead them elsewhere

    def environment(
        self, url: str, token: str, instance: str | None = None, *, namespace: str | None = None
    ) -> dict[str, str]:
        """Return the variables and their values for the cloud at ``url`` (without a slash at its end), or a namespace there."""
        values = {"url": url, "token": token, "instance": self.instance if instance is None else instance}
        found = {name: template.format(**values) for name, template in self.templates.items()}
        if namespace is not None:
            found |= {name: f"{namespace}{MARK}{found[name]}" for name in self.credentials}
        return found

    def advice(self, url: str) -> str:
        """Return what no variable can say, a line for a person."""
        return self.note.format(url=url)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the variables that name an address."""
        return tuple(name for name, template in self.templates.items() if "{url}" in template)

    @property
    def constants(self) -> dict[str, str]:
        """Return the variables that have the same value wherever the cloud is."""
        return {name: template for name, template in self.templates.items() if "{" not in template}

    @property
    def credentials(self) -> tuple[str, ...]:
        """Return the variables that hold a credential."""
        return tuple(name for name, template in self.templates.items() if "{token}" in template)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a command will ask of a family's cloud, as far as it can be seen beforehand."""

    instances: tuple[str, ...] = ()
    plans: tuple[tuple[str, str], ...] = ()  # plan and region of instances that are looked for by their plan
    devices: tuple[str, ...] = ()  # what may be names of devices, as the family's cloud calls them
    hosts: tuple[str, ...] = ()  # to be answered for besides, with their prefixes
    account_saved: bool = False  # the client finds a credential in a file of its own
    warnings: tuple[str, ...] = ()  # why it may not come here, for who sees it fail


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One family."""

    name: str
    title: str
    apis: tuple[Api, ...]
    credentials: tuple[Credential, ...]
    logins: tuple[str, ...] = ()  # paths to which a credential is sent in a form, for a token
    clients: Clients | None = None
    sites: tuple[Site, ...] = ()  # the hosts of the real cloud
    kinds: tuple[str, ...] = ()  # of jobs that its APIs submit
    naming: InstanceNaming | None = field(default=None, compare=False)  # where its clients name service instances
    programs: str = ""  # reference of what gives users' programs beside devices what they need
    wanted: str = ""  # reference of a function (command, environment, home folder) -> Wanted
    hints: str = ""  # reference of a function (events of the log, names of instances) -> sentences


Want = Callable[[tuple[str, ...], Mapping[str, str], Path], Wanted]
