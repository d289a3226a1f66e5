"""What each family's clients read from the environment; `qumulus env`, `qumulus run` and the banner print or set it.

IBM's variables are read by qiskit-ibm-runtime from 0.49 on (older ones need `qumulus run`), OQTOPUS's by oqtopus-client and
quri-parts-oqtopus, PLANQK's by planqk-quantum and qhub-quantum. The clients of managed services read none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from .apis import families
from .apis.family import Clients

DEFAULT_TOKEN = "qumulus-local"  # noqa: S105  documented: who reaches the loopback address may use it

FAMILIES: Mapping[str, Clients] = MappingProxyType(
    {
        family.name: family.clients
        for family in sorted(families.FAMILIES, key=lambda family: family.name)
        if family.clients is not None
    }
)
TITLES: Mapping[str, str] = MappingProxyType({family.name: family.title for family in families.FAMILIES})


def redirected(
    given: Mapping[str, str],
    url: str,
    token: str,
    *,
    with_account: Collection[str] = (),
    namespace: str | None = None,
) -> dict[str, str]:
    """Return the environment ``given``, changed so that the clients of all families find the cloud at ``url``, or by the proxy.

    A variable that would lead past the proxy is removed: without it a client goes to the real hosts, which the proxy answers
    for. A credential that is set stays. ``with_account``: the families whose client has a saved account, so that it needs none.
    ``namespace``: where the credentials lead to, in place of those that are set.
    """
    result = dict(given)
    for name, clients in FAMILIES.items():
        result = {**clients.constants, **result}
        values = clients.environment(url, token, namespace=namespace)
        for variable in (*clients.aside, *(clients.addresses if clients.proxied else ())):
            result.pop(variable, None)
        if not clients.proxied:
            result |= {variable: values[variable] for variable in clients.addresses}
        if namespace is not None:
            result |= {variable: values[variable] for variable in clients.credentials}
        elif name not in with_account:
            for variable in clients.credentials:
                result.setdefault(variable, values[variable])
    return result
