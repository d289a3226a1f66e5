"""Builds: the packages and images of deployed services, made in threads of their own, as that may take minutes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from qumulus.core.errors import QumulusError, UnknownService
from qumulus.core.events import Events
from qumulus.core.ports import Clock, Deployed, ServiceStore
from qumulus.core.services import Service, ServiceState

from .installing import NotInstalled

Key = tuple[str, str]  # the name and the version of a service

log = logging.getLogger("qumulus.services")


def key_of(service: Service) -> Key:
    """Return the key of one version of a service."""
    return service.name, service.version


class Builds:
    """What is built here, is being built, or could not be built. Others may have had success where this machine has none."""

    def __init__(
        self,
        store: ServiceStore,
        events: Events,
        make: Callable[[Deployed], None],
        clock: Clock,
    ) -> None:
        """``make`` installs or builds what a service needs; it may raise `UnknownService` and `NotInstalled`."""
        self._store = store
        self._events = events
        self._make = make
        self._clock = clock
        self._ready: set[Key] = set()
        self._running: set[Key] = set()
        self._failed: dict[Key, str] = {}
        self._lock = threading.Lock()

    def is_settled(self, service: Service) -> bool:
        """Say whether this process knows that a service can run, or that the service can't."""
        key = key_of(service)
        return key in self._ready or key in self._failed

    def set_ready(self, service: Service) -> None:
        """Note that nothing is to be built, and have its executions looked for."""
        self._ready.add(key_of(service))
        self._events.queued.emit(None)

    def take_failure(self, service: Service) -> str | None:
        """Why a service that runs elsewhere could not be built here, told once: the next execution has another try."""
        return self._failed.pop(key_of(service), None)

    def begin(self, deployed: Deployed) -> None:
        """Have a service built, unless that is being done."""
        key = key_of(deployed.service)
        with self._lock:
            if key in self._running:
                return
            self._running.add(key)
        threading.Thread(target=self._build, args=(deployed,), daemon=True).start()

    def _build(self, deployed: Deployed) -> None:
        service = deployed.service
        try:
            self._make(deployed)
            self._ready.add(key_of(service))
            self._settle(service, ServiceState.READY, service.reason)
        except UnknownService:
            pass  # removed or replaced meanwhile
        except NotInstalled as error:
            self._settle(service, ServiceState.FAILED, str(error))
        except OSError as error:
            log.exception("What service %s needs could not be made.", service.name)
            self._settle(service, ServiceState.FAILED, f"The environment could not be made: {error.strerror}.")
        except QumulusError as error:
            log.error("Service %s can't be got ready now: %s", service.name, error)
        finally:
            with self._lock:
                self._running.discard(key_of(service))
        self._events.queued.emit(None)

    def _settle(self, service: Service, state: ServiceState, reason: str | None) -> None:
        """Say what became of the deployment; where others have had success, a failure is this machine's own."""
        if service.state is ServiceState.BUILDING:
            self._store.built(replace(service, state=state, reason=reason, built_at=self._clock.now()))
        elif state is ServiceState.FAILED and reason is not None:
            self._failed[key_of(service)] = reason
