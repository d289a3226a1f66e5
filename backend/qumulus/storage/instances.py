"""Instances, which belong to accounts and limit what these use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from qumulus.core.accounts import Instance
from qumulus.core.errors import NotAllowed, NotFound, WrongState

from .database.tables import AnyRow, instances
from .kept import Keeping
from .known_accounts import need


class Instances(Keeping):
    """The part of `core.ports.Accounts` about instances."""

    _built_in: tuple[Instance, ...]  # those that are always there

    def instances(self, account: str) -> tuple[Instance, ...]:
        """Return the instances of an account."""
        wanted = select(instances).where(instances.c.account == account).order_by(instances.c.name)
        with self._database.read() as connection:
            return tuple(_instance(row) for row in connection.execute(wanted))

    def instance(self, name_or_crn: str) -> Instance | None:
        """Return the instance with that name or that CRN."""

        def ask(connection: Connection) -> Instance | None:
            named = or_(instances.c.crn == name_or_crn, instances.c.name == name_or_crn)
            row = connection.execute(select(instances).where(named)).first()
            return _instance(row) if row else None

        return self._kept.read(("instance", name_or_crn), ask)

    def add_instances(self, more: Iterable[Instance]) -> None:
        """Offer more instances; those that are there stay as they are."""
        wanted = {instance.crn: instance for instance in more}
        with self._database.read() as connection:
            if not wanted.keys() - _known(connection, wanted):
                return

        def work(connection: Connection) -> None:
            for crn in wanted.keys() - _known(connection, wanted):
                connection.execute(insert(instances).values(_instance_values(wanted[crn])))

        self._write(work)

    def add_instance(self, instance: Instance) -> None:
        """Make an instance. See `core.ports.Accounts`."""

        def work(connection: Connection) -> None:
            need(connection, instance.account)
            same = or_(instances.c.crn == instance.crn, instances.c.name == instance.name)
            if connection.execute(select(instances.c.crn).where(same)).first():
                raise WrongState(f"There is an instance named {instance.name} already: choose another name.")
            connection.execute(insert(instances).values(_instance_values(instance)))

        self._write(work)

    def remove_instance(self, name: str) -> None:
        """Forget an instance. See `core.ports.Accounts`."""
        if name in {instance.name for instance in self._built_in}:
            raise NotAllowed("The instances that are always there can't be removed.")

        def work(connection: Connection) -> None:
            if connection.execute(delete(instances).where(instances.c.name == name)).rowcount == 0:
                raise NotFound(f"There is no instance named {name[:80]!r}: list the instances to see the names.")

        self._write(work)

    def set_limit(self, crn: str, seconds: float | None) -> None:
        """Set how many seconds of devices an account lets its instance use. See `core.ports.Accounts`."""

        def work(connection: Connection) -> None:
            granted = connection.execute(
                select(instances.c.granted_seconds).where(instances.c.crn == crn).with_for_update()
            ).scalar()
            if granted is not None and seconds is not None and seconds > granted:
                raise NotAllowed(
                    f"The administrator lets this instance use {granted:g} seconds: set a limit that is not above it."
                )
            connection.execute(update(instances).where(instances.c.crn == crn).values(limit_seconds=seconds))

        self._write(work)

    def grant(self, name: str, seconds: float | None) -> Instance:
        """Set how many seconds of devices an instance may use at most. See `core.ports.Accounts`."""

        def work(connection: Connection) -> Instance:
            granted = update(instances).where(instances.c.name == name).values(granted_seconds=seconds)
            row = connection.execute(granted.returning(instances)).first()
            if row is None:
                raise NotFound(f"There is no instance named {name[:80]!r}: list the instances to see the names.")
            return _instance(row)

        return self._write(work)


def _known(connection: Connection, crns: Iterable[str]) -> set[str]:
    """Those of the ``crns`` that there are instances of."""
    return set(connection.execute(select(instances.c.crn).where(instances.c.crn.in_(crns))).scalars())


def _instance_values(instance: Instance) -> dict[str, Any]:
    names = ("crn", "name", "account", "plan", "region", "limit_seconds", "granted_seconds")
    return {name: getattr(instance, name) for name in names} | {"tags": list(instance.tags)}


def _instance(row: AnyRow) -> Instance:
    values: dict[str, Any] = dict(row._mapping)
    values["tags"] = tuple(values["tags"])
    return Instance(**values)
