"""How the family whose clients name service instances names them; this API only passes the names on."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from qumulus.core import accounts as core


def _naming(request: Request) -> core.InstanceNaming:
    return request.app.state.naming


Naming = Annotated[core.InstanceNaming, Depends(_naming)]
