"""What each family's clients read from the environment, as data; `qumulus env`, `qumulus run` and the banner print or set it.

IBM's variables are read by qiskit-ibm-runtime from 0.49 on (older ones need `qumulus run`), OQTOPUS's by oqtopus-client and
quri-parts-oqtopus, the others by planqk-quantum and qhub-quantum. The clients of managed services read none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .core.accounts import LOCAL_CRN

DEFAULT_TOKEN = "qumulus-local"  # noqa: S105  documented: who reaches the loopback address may use it


@dataclass(frozen=True, slots=True)
class Family:
    """The clients of one cloud."""

    name: str
    title: str
    path: str  # a path that only this family's API serves: where it is not mounted, the environment is of no use
    templates: Mapping[str, str]  # {url}, {token} and {instance} stand for what is filled in
    note: str  # what no variable can say, a line for a person

    def environment(self, url: str, token: str, instance: str = LOCAL_CRN) -> dict[str, str]:
        """The variables and their values for the cloud at ``url`` (without a slash at its end)."""
        return {
            name: template.format(url=url, token=token, instance=instance) for name, template in self.templates.items()
        }

    def advice(self, url: str) -> str:
        """What no variable can say, a line for a person."""
        return self.note.format(url=url)


IBM = Family(
    "ibm",
    "IBM Quantum",
    "/identity/token",
    MappingProxyType(
        {
            "IAM_URL": "{url}",
            "GLOBAL_SEARCH_URL": "{url}",
            "GLOBAL_CATALOG_URL": "{url}/catalog/api/v1",
            "QISKIT_IBM_URL": "{url}/experimental/api/v1",
            "QISKIT_IBM_TOKEN": "{token}",
            "QISKIT_IBM_INSTANCE": "{instance}",
        }
    ),
    "For qiskit-ibm-runtime 0.49 and newer: QiskitRuntimeService(). Older ones: qumulus run -- python script.py",
)
OQTOPUS = Family(
    "oqtopus",
    "OQTOPUS",
    "/jobs",
    MappingProxyType({"OQTOPUS_URL": "{url}", "OQTOPUS_API_TOKEN": "local.{token}"}),
    "For OqtopusConfig.from_env() of oqtopus-client, and for quri-parts-oqtopus.",
)
PLANQK = Family(
    "planqk",
    "PLANQK / Kipu Quantum Hub",
    "/quantum",
    MappingProxyType(
        {
            "QHUB_QUANTUM_BASE_URL": "{url}/quantum",
            "PLANQK_QUANTUM_BASE_URL": "{url}/quantum",
            "KQH_PERSONAL_ACCESS_TOKEN": "{token}",
            "PLANQK_PERSONAL_ACCESS_TOKEN": "{token}",
        }
    ),
    "Managed services read no variable: HubServiceClient(service_endpoint='{url}/services/NAME', "
    "access_key_id='qumulus', secret_access_key=…, token_endpoint='{url}/token')",
)

FAMILIES: Mapping[str, Family] = MappingProxyType({family.name: family for family in (IBM, OQTOPUS, PLANQK)})

# They would lead a client past the proxy; without them it goes to the real hosts, which the proxy answers for.
LEADING_ASIDE = (
    "IAM_URL",
    "GLOBAL_SEARCH_URL",
    "GLOBAL_CATALOG_URL",
    "RESOURCE_CONTROLLER_URL",
    "QISKIT_IBM_URL",
    "OQTOPUS_BASE_URL",
    "OQTOPUS_PROXY",
)


def redirected(given: Mapping[str, str], url: str, token: str, *, ibm_account: bool) -> dict[str, str]:
    """The environment ``given``, changed so that the clients of all families find the cloud at ``url``, IBM's by the proxy.

    A credential that is set stays. ``ibm_account``: whether the IBM client has a saved account, so that it needs none.
    """
    result = {name: value for name, value in given.items() if name not in LEADING_ASIDE}
    for family in (OQTOPUS, PLANQK):
        for name, value in family.environment(url, token).items():
            if name.endswith("_URL"):
                result[name] = value
            else:
                result.setdefault(name, value)
    if not ibm_account:
        result.setdefault("QISKIT_IBM_TOKEN", token)
    return result
