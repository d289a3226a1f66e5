"""PLANQK, today the Kipu Quantum Hub."""

from __future__ import annotations

from types import MappingProxyType

from qumulus.apis.family import Api, Clients, Credential, Family
from qumulus.interception.sites import Site

SERVICE = (r"^/(?!token$)[^/]+/([^/]+)/[^/]+(?=/|$)", r"/services/\1")  # /context/service/version
PLATFORM = (r"^/qc-catalog(?=/|$)", "/platform")

PLANQK = Family(
    name="planqk",
    title="PLANQK / Kipu Quantum Hub",
    apis=(
        Api(
            name="planqk-platform",
            module="qumulus.apis.planqk.platform.app",
            prefixes=("/platform",),
            cut=True,
            options=lambda settings, secret: {
                "secret": secret,
                "accounts_deploy": settings.accounts_install,
            },
        ),
        Api(
            name="planqk-quantum",
            module="qumulus.apis.planqk.quantum.app",
            prefixes=("/quantum",),
            cut=True,
            options=lambda _settings, secret: {"secret": secret},
        ),
        Api(
            name="planqk-service",
            module="qumulus.apis.planqk.service.app",
            prefixes=("/services", "/token"),
            options=lambda settings, secret: {"secret": secret, "relative_links": settings.services_relative_links},
            at_root="qumulus.apis.planqk.service.at_root:AtRoot",
        ),
        Api(
            name="planqk-user",
            module="qumulus.apis.planqk.user.app",
            prefixes=("/user-service",),
            cut=True,
            options=lambda _settings, secret: {"secret": secret},
        ),
    ),
    credentials=(
        Credential(
            scheme="planqk",
            documents=("PersonalAccessToken", "ApplicationCredentials"),
            headers=("authorization", "x-auth-token"),
        ),
    ),
    logins=("/token",),
    clients=Clients(
        path="/quantum",
        templates=MappingProxyType(
            {
                "QHUB_QUANTUM_BASE_URL": "{url}/quantum",
                "PLANQK_QUANTUM_BASE_URL": "{url}/quantum",
                "KQH_PERSONAL_ACCESS_TOKEN": "{token}",
                "PLANQK_PERSONAL_ACCESS_TOKEN": "{token}",
            }
        ),
        note="Managed services read no variable: HubServiceClient(service_endpoint='{url}/services/NAME', "
        "access_key_id='qumulus', secret_access_key=…, token_endpoint='{url}/token')",
    ),
    sites=(  # managed services behind the gateways, quantum backends behind the others
        Site("gateway.hub.kipu-quantum.com", *SERVICE),
        Site("gateway.platform.planqk.de", *SERVICE),
        Site("api.hub.kipu-quantum.com", *PLATFORM),
        Site("platform.planqk.de"),
    ),
    kinds=("kipu", "service", "runtime.sampler", "runtime.estimator", "runtime.executor", "runtime.noise-learner"),
)
