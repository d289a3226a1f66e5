"""Faults on the database: the rules are kept in memory too, and read again when another process has written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from qumulus.core.devices import DeviceSettings
from qumulus.core.errors import Unavailable, UnknownFault
from qumulus.core.faults import (
    DEFAULTS,
    OF_DEVICES,
    OF_JOBS,
    OFFLINE,
    BrokenGate,
    Fault,
    FaultKind,
    FaultRule,
    Purpose,
    overlaid,
)
from qumulus.core.jobs import Job
from qumulus.core.ports import Clock
from qumulus.core.seeds import Seeds

from .database.database import Database
from .database.tables import AnyRow, faults
from .ids import Ids
from .jobs import waits

log = logging.getLogger("qumulus.storage")
told = logging.getLogger("qumulus.faults")

READ: Mapping[str, Callable[[Any], Any]] = {
    "kind": FaultKind,
    "purpose": Purpose,
    "begins_at": datetime.fromisoformat,
    "ends_at": datetime.fromisoformat,
    "qubits": tuple,
    "gates": lambda gates: tuple(BrokenGate(gate=each["gate"], qubits=tuple(each["qubits"])) for each in gates),
}
"""Members that are no JSON, and what makes them of it."""


class SqlFaults:
    """`core.ports.FaultStore` on the database."""

    def __init__(self, database: Database, clock: Clock, ids: Ids, seeds: Seeds) -> None:
        self._database = database
        self._ids = ids
        self._seeds = seeds
        self._clock = clock
        self._active: tuple[Fault, ...] = ()
        self._of_jobs: tuple[Fault, ...] = ()
        self._of_devices: tuple[Fault, ...] = ()
        self.look()

    def active(self) -> tuple[Fault, ...]:
        """Return the rules as they were made, from memory. See `FaultStore.active`."""
        return self._active

    def look(self) -> None:
        """Read the rules again: another process may have changed them."""
        try:
            self._active = self.faults()
            of_jobs = (fault for fault in self._active if fault.rule.kind in OF_JOBS)
            broken = (fault for fault in self._active if fault.rule.kind is FaultKind.DEVICE_BROKEN)
            self._of_jobs = (*of_jobs, *broken)
            self._of_devices = tuple(fault for fault in self._active if fault.rule.kind in OF_DEVICES)
        except Unavailable as error:
            log.error("The faults can't be read, those of before stay: %s", error)

    def of_device(self, device: str) -> tuple[FaultRule, ...]:
        """Return the rules that are in force for a device as such."""
        if not self._of_devices:
            return ()
        now = self._clock.now()
        rules = (fault.rule for fault in self._of_devices if not fault.rule.dry_run)
        return tuple(rule for rule in rules if rule.device == device and rule.in_force(now))

    def taking_off(self, device: str | None = None) -> tuple[Fault, ...]:
        """Return the faults in force now by which devices, or one of them, take no jobs; the last of them is the one that is told of."""
        if not self._of_devices:
            return ()
        now = self._clock.now()
        faults = (fault for fault in self._of_devices if fault.rule.kind in OFFLINE and not fault.rule.dry_run)
        return tuple(each for each in faults if device in (None, each.rule.device) and each.rule.in_force(now))

    def of_jobs(self) -> tuple[Fault, ...]:
        """Return the faults in force now that are to be told to jobs; those that do something to them come first."""
        if not self._of_jobs:
            return ()
        now = self._clock.now()
        return tuple(fault for fault in self._of_jobs if fault.rule.in_force(now))

    def hit(self, job: Job) -> Fault | None:
        """Return the fault that hits a job which is about to run, if one does."""
        for fault in self.of_jobs():
            if fault.rule.is_for_job(job) and self.count(fault):
                does = "Would be" if fault.rule.dry_run else "Is"
                fields = {"injected": fault.id, "kind": fault.rule.kind, "job": job.id}
                told.warning("%s %s: job %s.", does, fault.told, job.id, extra={"fields": fields})
                if not fault.rule.dry_run:
                    return fault
        return None

    def count(self, fault: Fault) -> bool:
        """Count one more that a rule is for, in all processes together. See `FaultStore.count`."""
        rule = fault.rule
        known = faults.c.id == fault.id

        def work(connection: Connection) -> bool:
            seen = update(faults).where(known).values(seen=faults.c.seen + 1).returning(faults.c.seen, faults.c.hits)
            row = connection.execute(seen).first()
            if row is None or not rule.strikes(row.seen, row.hits):
                return False
            connection.execute(update(faults).where(known).values(hits=faults.c.hits + 1))
            return True

        return self._database.writer.run(work, synced=False)

    def add(self, rule: FaultRule) -> Fault:
        """Go by a rule from now on."""
        (fault,) = self._write([rule], anew=False)
        return fault

    def replace(self, rules: Sequence[FaultRule]) -> Sequence[Fault]:
        """Go by these rules and no others from now on."""
        return self._write(rules, anew=True)

    def _write(self, rules: Sequence[FaultRule], *, anew: bool) -> list[Fault]:
        now = self._clock.now()
        made = [self._made(rule, now) for rule in rules]
        values = [
            {"id": fault.id, "created_at": now, "rule": as_json(fault.rule), "seen": 0, "hits": 0} for fault in made
        ]

        def work(connection: Connection) -> None:
            if anew:
                connection.execute(delete(faults))
            if values:
                connection.execute(insert(faults), values)
            for fault in made:
                if fault.rule.kind in OFFLINE and fault.rule.in_force(now) and not fault.rule.dry_run:
                    take_off(connection, fault, now)

        self._database.writer.run(work)
        self._changed()
        return made

    def _made(self, rule: FaultRule, now: datetime) -> Fault:
        """Return a rule as it is kept: since when a device is broken, and what is drawn, follow from when and where it was made."""
        new_id = self._ids.new("fault")
        if rule.kind is FaultKind.DEVICE_BROKEN and rule.begins_at is None:
            rule = replace(rule, begins_at=now)  # its calibrations are of another date from then on
        if rule.probability is not None and rule.seed is None:
            rule = replace(rule, seed=self._seeds.of(f"fault {new_id}"))
        return Fault(id=new_id, created_at=now, rule=rule)

    def faults(self) -> tuple[Fault, ...]:
        """Return all rules with their counts, oldest first."""
        with self._database.read() as connection:
            return tuple(map(to_fault, connection.execute(select(faults).order_by(faults.c.number))))

    def fault(self, fault_id: str) -> Fault:
        """Return one rule with its counts. See `FaultStore.fault`."""
        with self._database.read() as connection:
            row = connection.execute(select(faults).where(faults.c.id == fault_id)).first()
        if row is None:
            raise UnknownFault(fault_id)
        return to_fault(row)

    def remove(self, fault_id: str) -> None:
        """Forget a rule. See `FaultStore.remove`."""
        gone = delete(faults).where(faults.c.id == fault_id)
        if self._database.writer.run(lambda connection: connection.execute(gone).rowcount) == 0:
            raise UnknownFault(fault_id)
        self._changed()

    def clear(self) -> None:
        """Forget all rules."""
        self._database.writer.run(lambda connection: connection.execute(delete(faults)))
        self._changed()

    def _changed(self) -> None:
        self._database.announce()
        self.look()


def take_off(connection: Connection, fault: Fault, now: datetime) -> None:
    """Tell the jobs that wait for a device what has taken it off, and count each that had not heard of it."""
    rule = fault.rule
    waiting = waits.tell(connection, rule.device or "", overlaid(DeviceSettings(), [rule]), now, fault=fault)
    counted = {"seen": faults.c.seen + waiting, "hits": faults.c.hits + waiting}
    connection.execute(update(faults).where(faults.c.id == fault.id).values(counted))


def as_json(rule: FaultRule) -> dict[str, Any]:
    """Return what is said in a rule; what is as it is by itself is left out."""
    said = {name: value for name, value in asdict(rule).items() if name == "kind" or value != DEFAULTS[name]}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in said.items()}


def to_rule(said: Mapping[str, Any]) -> FaultRule:
    """Return the rule that `as_json` was made from."""
    values: dict[str, Any] = {name: READ[name](value) if name in READ else value for name, value in said.items()}
    return FaultRule(**values)


def to_fault(row: AnyRow) -> Fault:
    """Return a fault from its row."""
    return Fault(id=row.id, created_at=row.created_at, rule=to_rule(row.rule), seen=row.seen, hits=row.hits)
