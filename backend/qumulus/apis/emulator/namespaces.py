"""Clouds of their own in this server."""

from __future__ import annotations

from qumulus.apis.dependencies import Namespaces as Port
from qumulus.apis.dependencies import Origin
from qumulus.apis.given import given
from qumulus.openapi.contract import Operations

from .callers import Administrator
from .schemas.namespaces import Name, Namespace, Namespaces, NewNamespace

operation = Operations()


@operation("listNamespaces")
def list_namespaces(administrator: Administrator, namespaces: Port, origin: Origin) -> Namespaces:
    """All but the one that the server begins with."""
    return Namespaces(namespaces=[_shown(name, origin) for name in namespaces.names()])


@operation("makeNamespace")
def make_namespace(
    namespace: Name, body: NewNamespace, administrator: Administrator, namespaces: Port, origin: Origin
) -> Namespace:
    """One more."""
    namespaces.make(namespace, fork=given(body.fork), snapshot=given(body.snapshot), replace=body.replace)
    return _shown(namespace, origin)


@operation("removeNamespace")
def remove_namespace(namespace: Name, administrator: Administrator, namespaces: Port) -> None:
    """One less."""
    namespaces.remove(namespace)


def _shown(name: str, origin: str) -> Namespace:
    return Namespace(name=name, url=f"{origin}/namespaces/{name}")
