"""The store of the services that users have deployed, and of their packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from qumulus.core.errors import UnknownService
from qumulus.core.ports import BlobStore, Deployed
from qumulus.core.services import Deployment, Service, ServiceState

from .database.database import Database
from .database.tables import AnyRow, services
from .jobs.values import Values

SAID = tuple(
    services.c[name]
    for name in (
        "name",
        "title",
        "description",
        "version",
        "state",
        "reason",
        "api_version",
        "entrypoint",
        "deployed_at",
        "built_at",
        "listing",
    )
)


class SqlServices:
    """`core.ports.ServiceStore` on the database."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._values = Values(blobs)

    def all(self) -> Sequence[Deployed]:
        """Return all services. See `ServiceStore.all`."""
        with self._database.read() as connection:
            rows = connection.execute(select(*SAID, services.c.deployment).order_by(services.c.name))
            return [_deployed(row) for row in rows]

    def get(self, name: str) -> Deployed:
        """Return the service. See `ServiceStore.get`."""
        with self._database.read() as connection:
            wanted = select(*SAID, services.c.deployment).where(services.c.name == name)
            row = connection.execute(wanted).first()
        if row is None:
            raise UnknownService(name)
        return _deployed(row)

    def put(self, deployed: Deployed, package: bytes) -> None:
        """Deploy a service. See `ServiceStore.put`."""
        service = deployed.service
        with self._values.stored(package) as (in_row, key):

            def work(connection: Connection) -> str | None:
                its = services.c.name == service.name
                before = connection.execute(select(services.c.package_blob, services.c.listing).where(its)).first()
                connection.execute(delete(services).where(its))
                values = asdict(service) | {
                    "state": service.state.value,
                    "deployment": asdict(deployed.deployment),
                    "listing": None if before is None else before.listing,
                }
                connection.execute(insert(services).values(**values, package=in_row, package_blob=key))
                return None if before is None else before.package_blob

            before = self._database.writer.run(work)
        self._values.drop([before])
        self._database.announce()

    def offer(self, name: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Service:
        """Change how a service is offered. See `ServiceStore.offer`."""
        its = services.c.name == name

        def work(connection: Connection) -> AnyRow | None:
            row = connection.execute(select(services.c.listing).where(its).with_for_update()).first()
            if row is None:
                return None
            changed = update(services).where(its).values(listing=dict(change(row.listing or {})))
            return connection.execute(changed.returning(*SAID, services.c.deployment)).one()

        row = self._database.writer.run(work)
        if row is None:
            raise UnknownService(name)
        self._database.announce()
        return _deployed(row).service

    def package(self, name: str, version: str) -> bytes:
        """Return the files of a service. See `ServiceStore.package`."""
        wanted = select(services.c.package, services.c.package_blob)
        with self._database.read() as connection:
            row = connection.execute(wanted.where(services.c.name == name, services.c.version == version)).first()
        if row is None:
            raise UnknownService(name)
        try:
            return self._values.load(*row)
        except FileNotFoundError:  # another version was deployed meanwhile
            raise UnknownService(name) from None

    def built(self, service: Service) -> bool:
        """Note what became of the packages of a service. See `ServiceStore.built`."""
        its = (services.c.name == service.name) & (services.c.version == service.version)
        change = (
            update(services)
            .where(its)
            .values(state=service.state.value, reason=service.reason, built_at=service.built_at)
        )
        changed = self._database.writer.run(lambda connection: connection.execute(change).rowcount)
        self._database.announce()
        return changed > 0

    def remove(self, name: str) -> None:
        """Remove a service. See `ServiceStore.remove`."""
        gone = delete(services).where(services.c.name == name).returning(services.c.package_blob)
        rows = self._database.writer.run(lambda connection: connection.execute(gone).all())
        if not rows:
            raise UnknownService(name)
        self._values.drop(row.package_blob for row in rows)
        self._database.announce()


def _deployed(row: AnyRow) -> Deployed:
    columns = dict(row._mapping)
    deployment, state = Deployment(**columns.pop("deployment")), ServiceState(columns.pop("state"))
    listing = columns.pop("listing") or {}
    return Deployed(service=Service(**columns, state=state, listing=listing), deployment=deployment)
