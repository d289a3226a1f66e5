"""The tokens of providers, as they are sent and kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pydantic_core import to_jsonable_python

from qumulus.apis.planqk.platform.schemas import my as wire
from qumulus.core.errors import InvalidRequest

ALONE = ("value",)
MEMBERS: Mapping[wire.Provider, tuple[str, ...]] = {wire.Provider.IBM_CLOUD: ("serviceCrn", "apiKey")}
"""What the token of a provider consists of, where that is not one value."""


def sent(provider: wire.Provider, body: wire.ProviderTokenRequest) -> Mapping[str, str]:
    """Return what is kept of a token.

    Raises:
        InvalidRequest: it is not what a token of that provider consists of.
    """
    given = to_jsonable_python(body, by_alias=True)
    needed = MEMBERS.get(provider, ALONE)
    if given.pop("type", provider.value) != provider.value or given.keys() != set(needed):
        raise InvalidRequest(f"A token of {provider.value} is an object with {' and '.join(needed)}: send that.")
    return given


def availability(known: Collection[str]) -> wire.Availability:
    """Say of each provider whether there is a token."""
    return wire.Availability.model_validate({provider.value: provider.value in known for provider in wire.Provider})


def told(provider: wire.Provider, kept: Mapping[str, str]) -> wire.ProviderToken:
    """Return a token as its owner sees it."""
    return wire.ProviderToken.model_validate({"type": provider.value, **kept})
