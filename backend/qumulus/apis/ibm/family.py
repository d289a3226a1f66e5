"""IBM Quantum."""

from __future__ import annotations

from types import MappingProxyType

from qumulus.apis.family import Api, Clients, Credential, Family
from qumulus.interception.sites import Site

from .instances import LOCAL_CRN, NAMING

CATALOG = (r"^/api/v1(?=/|$)", "/catalog/api/v1")  # apart from the Runtime API, which has /api/v1 here
OLDER = (r"^/(?!api/)", "/api/v1/")  # the hosts of earlier years have the same paths at their root

IBM = Family(
    name="ibm",
    title="IBM Quantum",
    apis=(
        Api(
            name="ibm-runtime",
            module="qumulus.apis.ibm.runtime.app",
            prefixes=("/v1", "/api/v1", "/experimental/api/v1"),
            cut=True,
            options=lambda settings, _secret: {"service_limits": settings.ibm_limits == "on"},
        ),
        Api(
            name="ibm-account",
            module="qumulus.apis.ibm.account.app",
            prefixes=("/identity", "/v3/resources", "/catalog/api/v1", "/v2/resource_instances"),
        ),
        Api(
            name="ibm-functions",
            module="qumulus.apis.ibm.functions.app",
            prefixes=("/functions",),
            cut=True,
            options=lambda settings, _secret: {"accounts_install": settings.accounts_install},
        ),
    ),
    credentials=(
        Credential(scheme="ibm", documents=("IBMCloudAuth",), more=("test-token",)),
    ),  # the one in the first examples of the IBM server
    logins=("/identity/token",),
    clients=Clients(
        path="/identity/token",
        templates=MappingProxyType(
            {
                "IAM_URL": "{url}",
                "GLOBAL_SEARCH_URL": "{url}",
                "GLOBAL_CATALOG_URL": "{url}/catalog/api/v1",
                "QISKIT_IBM_URL": "{url}/experimental/api/v1",
                "QISKIT_IBM_TOKEN": "{token}",
                "QISKIT_IBM_INSTANCE": "{instance}",
                "USAGE_DATA_OPT_OUT": "True",  # else the client looks through its call stack for each request
                "IBM_SERVERLESS_HOST_URL_OVERRIDE": "{url}/functions",
            }
        ),
        note="For qiskit-ibm-runtime 0.49 and newer: QiskitRuntimeService(). Older ones: qumulus run -- python script.py",
        instance=LOCAL_CRN,
        proxied=True,  # those before 0.49 read no variables
        aside=("RESOURCE_CONTROLLER_URL",),
    ),
    sites=(  # token, search, catalog, resource controller, the Runtime API of every region; public and private endpoints
        Site("iam.cloud.ibm.com"),
        Site("private.iam.cloud.ibm.com"),
        Site("api.global-search-tagging.cloud.ibm.com"),
        Site("api.private.global-search-tagging.cloud.ibm.com"),
        Site("globalcatalog.cloud.ibm.com", *CATALOG),
        Site("private.globalcatalog.cloud.ibm.com", *CATALOG),
        Site("resource-controller.cloud.ibm.com"),
        Site("private.resource-controller.cloud.ibm.com"),
        Site("quantum.cloud.ibm.com"),
        Site("*.quantum.cloud.ibm.com"),
        Site("qiskit-serverless.quantum.ibm.com", r"^/", "/functions/"),
        Site("*.quantum-computing.cloud.ibm.com", *OLDER),
    ),
    kinds=(
        *("runtime.sampler", "runtime.estimator", "runtime.executor", "runtime.noise-learner", "runtime.calibrate"),
        "service",
    ),
    naming=NAMING,
    wanted="qumulus.apis.ibm.untouched:wanted",
    hints="qumulus.apis.ibm.untouched:hints",
)
