"""The base of every generated model."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Wire(BaseModel):
    """A model of what goes over the wire.

    Its validator is built when it is first used, which keeps some hundreds of models out of the start-up. Infinities
    and NaN are refused because JSON has no word for them. Our code may use the names of the fields where the wire has
    others; a request may not (`contract` reads bodies by alias alone).
    """

    model_config = ConfigDict(defer_build=True, allow_inf_nan=False, validate_by_name=True)
