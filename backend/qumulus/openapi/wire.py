"""The base of every generated model."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict

_DATE_AND_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}.*", re.DOTALL)


def _date_and_time(value: Any) -> Any:
    if isinstance(value, str) and not _DATE_AND_TIME.fullmatch(value):
        raise ValueError("should be a date and a time with an offset, such as 2026-11-21T09:00:00Z")
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_date_and_time)]
"""A time in a parameter, where Pydantic alone would take a number for seconds since 1970."""


class Wire(BaseModel):
    """A model of what goes over the wire.

    Its validator is built when it is first used, which keeps some hundreds of models out of the start-up. Infinities
    and NaN are refused because JSON has no word for them. Our code may use the names of the fields where the wire has
    others; a request may not (`contract` reads bodies by alias alone).
    """

    model_config = ConfigDict(defer_build=True, allow_inf_nan=False, validate_by_name=True)
