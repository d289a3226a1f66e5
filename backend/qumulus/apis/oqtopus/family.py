"""OQTOPUS."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType

from qumulus.apis.family import Api, Clients, Credential, Family

OQTOPUS = Family(
    name="oqtopus",
    title="OQTOPUS",
    apis=(
        Api(
            name="user",
            module="qumulus.apis.oqtopus.user.app",
            prefixes=("/hello", "/task", "/devices", "/jobs", "/api-token", "/announcements", "/users", "/system"),
            options=lambda settings, secret: {
                "secret": secret(),
                "token_needed": not settings.loopback,
                "inline": settings.device_info == "inline",
            },
        ),
        Api(
            name="provider",
            module="qumulus.apis.oqtopus.provider.app",
            prefixes=("/provider",),
            cut=True,
            options=lambda settings, secret: {
                "secret": secret(),
                "lease": timedelta(seconds=settings.provider_lease) if settings.provider_lease else None,
            },
            in_front=("/hello", "/jobs", "/devices"),
            front_note="OQTOPUS Provider API: {url}/jobs with the header x-api-key, "
            "of QUMULUS_PROVIDER_KEY (qumulus-provider if not set)",
        ),
        Api(
            name="admin",
            module="qumulus.apis.oqtopus.admin.app",
            prefixes=("/admin",),
            cut=True,
            in_front=("/devices",),
            front_note="OQTOPUS Admin API: {url}/devices with the administrator's token, "
            "of QUMULUS_ADMIN_TOKEN (qumulus-admin if not set)",
        ),
        Api(
            name="login",
            module="qumulus.apis.oqtopus.login.app",
            prefixes=("/cognito",),
            options=lambda settings, secret: {
                "secret": secret(),
                "password": settings.token.get_secret_value(),
                "totp": settings.login_totp and settings.login_totp.get_secret_value(),
            },
        ),
        Api(
            name="storage",
            module="qumulus.apis.oqtopus.storage.app",
            prefixes=("/storage",),
            options=lambda _settings, secret: {"secret": secret()},
        ),
    ),
    credentials=(
        Credential(
            scheme="oqtopus",
            form="{id}.{secret}",
            documents=("ApiToken",),
            headers=("q-api-token", "authorization"),
        ),
        Credential(scheme="provider", setting="provider_key", documents=("ApiKey",), headers=("x-api-key",)),
    ),
    clients=Clients(
        path="/jobs",
        templates=MappingProxyType({"OQTOPUS_URL": "{url}", "OQTOPUS_API_TOKEN": "local.{token}"}),
        note="For OqtopusConfig.from_env() of oqtopus-client, and for quri-parts-oqtopus.",
        aside=("OQTOPUS_BASE_URL", "OQTOPUS_PROXY"),
    ),
    kinds=("openqasm", "openqasm.job", "program"),
    programs="qumulus.apis.oqtopus.programs:UserPrograms",
    wanted="qumulus.apis.oqtopus.untouched:wanted",
)
