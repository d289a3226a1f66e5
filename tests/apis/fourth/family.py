"""Acme's quantum cloud, made up: one API with one operation."""

from __future__ import annotations

from types import MappingProxyType

from qumulus.apis.family import Api, Clients, Credential, Family
from qumulus.interception.sites import Site

ACME = Family(
    name="acme",
    title="Acme Quantum",
    apis=(Api(name="acme", module="apis.fourth.app", prefixes=("/acme",), cut=True),),
    credentials=(Credential(scheme="acme", form="{id}-{secret}", more=("acme-for-all",)),),
    clients=Clients(
        path="/acme",
        templates=MappingProxyType({"ACME_URL": "{url}/acme", "ACME_KEY": "local-{token}"}),
        note="For acme.Client().",
        aside=("ACME_PROXY",),
    ),
    sites=(Site("quantum.acme.example", r"^/v7(?=/|$)", "/acme"),),
)
