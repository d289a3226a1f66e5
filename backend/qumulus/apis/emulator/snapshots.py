"""States that were kept in this server."""

from __future__ import annotations

from qumulus.apis.dependencies import Namespaces
from qumulus.apis.given import given
from qumulus.core.ports import namespaces as core
from qumulus.openapi.contract import Operations

from .callers import Administrator
from .schemas.snapshots import Name, NewSnapshot, Snapshot, Snapshots

operation = Operations()


@operation("listSnapshots")
def list_snapshots(administrator: Administrator, namespaces: Namespaces) -> Snapshots:
    """All of them."""
    return Snapshots(snapshots=[_shown(each) for each in namespaces.snapshots()])


@operation("saveSnapshot")
def save_snapshot(snapshot: Name, body: NewSnapshot, administrator: Administrator, namespaces: Namespaces) -> Snapshot:
    """One more."""
    return _shown(namespaces.save(snapshot, given(body.namespace, core.OWN)))


@operation("removeSnapshot")
def remove_snapshot(snapshot: Name, administrator: Administrator, namespaces: Namespaces) -> None:
    """One less."""
    namespaces.drop(snapshot)


def _shown(kept: core.Snapshot) -> Snapshot:
    return Snapshot(name=kept.name, made_at=kept.made_at, bytes=kept.size)
