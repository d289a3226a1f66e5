"""The deployed services, as far as they are offered to everybody: functions that accounts keep for themselves are none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast

from fastapi import Depends

from qumulus.apis import dependencies
from qumulus.core import services as core
from qumulus.core.errors import UnknownService, WrongState


class Offered:
    """`core.services.Services` without the functions of accounts; what begins with a look-up finds none of them."""

    def __init__(self, services: core.Services) -> None:
        self._services = services

    def services(self) -> tuple[core.Service, ...]:
        """Return all that are offered."""
        return tuple(each for each in self._services.services() if not _function(each.name))

    def service(self, name: str) -> core.Service:
        """Return one of them.

        Raises:
            UnknownService
        """
        if _function(name):
            raise UnknownService(name)
        return self._services.service(name)

    def deploy(self, name: str, files: Mapping[str, bytes], deployment: core.Deployment) -> core.Service:
        """Deploy a service. See `core.services.Services.deploy`.

        Raises:
            WrongState: the name is one that functions have.
        """
        _refuse(name)
        return self._services.deploy(name, files, deployment)

    def draft(self, name: str, files: Mapping[str, bytes], why: str) -> core.Service:
        """Begin a service. See `core.services.Services.draft`.

        Raises:
            WrongState: the name is one that functions have.
        """
        _refuse(name)
        return self._services.draft(name, files, why)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._services, name)


def _function(name: str) -> bool:
    return name.startswith(core.FUNCTION)


def _refuse(name: str) -> None:
    if _function(name):
        raise WrongState(f"Names that begin with {core.FUNCTION} are those of functions: choose another name.")


def _offered(services: dependencies.Services) -> core.Services:
    return cast(core.Services, Offered(services))


Services = Annotated[core.Services, Depends(_offered)]
