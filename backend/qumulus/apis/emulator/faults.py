"""What goes wrong, by rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Clock, Listening
from qumulus.apis.dependencies import Devices as Catalogue
from qumulus.apis.dependencies import Faults as Store
from qumulus.core.faults import FaultKind, check
from qumulus.openapi.contract import Operations
from qumulus.openapi.documentation import Served

from .callers import Administrator
from .schemas.faults import Fault, FaultId, Faults, NewFault
from .translate import faults as translate

OWN = "emulator"  # nothing goes wrong where faults are taken back

operation = Operations()


def _operations(request: Request) -> Mapping[str, Collection[str]]:
    """All operations that something can happen to, by API."""
    return operations_of(request.app.state.served)


def operations_of(served: Iterable[Served]) -> Mapping[str, Collection[str]]:
    """Return the operations that something can happen to, by API."""
    documents = (each.document for each in served)
    return {each.api: each.operations for each in documents if each.api != OWN}


FaultOperations = Annotated[Mapping[str, Collection[str]], Depends(_operations)]


@operation("listFaults")
def list_faults(administrator: Administrator, faults: Store, listening: Listening) -> Faults:
    """All rules, oldest first."""
    return Faults(faults=[translate.fault(each, listening) for each in faults.faults()])


@operation("createFault")
def create_fault(
    body: NewFault,
    administrator: Administrator,
    faults: Store,
    catalogue: Catalogue,
    clock: Clock,
    operations: FaultOperations,
    listening: Listening,
) -> Fault:
    """A rule from now on."""
    rule = translate.rule(body, clock.now(), catalogue)
    check(rule, operations)
    if rule.kind is FaultKind.REFUSED:
        listening.check()
    made = faults.add(rule)
    listening.settle()
    return translate.fault(made, listening)


@operation("getFault")
def get_fault(fault_id: FaultId, administrator: Administrator, faults: Store, listening: Listening) -> Fault:
    """One rule."""
    return translate.fault(faults.fault(fault_id), listening)


@operation("deleteFault")
def delete_fault(fault_id: FaultId, administrator: Administrator, faults: Store, listening: Listening) -> None:
    """One rule less."""
    faults.remove(fault_id)
    listening.settle()


@operation("clearFaults")
def clear_faults(administrator: Administrator, faults: Store, listening: Listening) -> None:
    """No rules any more."""
    faults.clear()
    listening.settle()
