"""Who is held while a job goes on."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest

from qumulus.apis.oqtopus.user.app import create
from qumulus.core.clock import CloudClock, SystemClock
from qumulus.core.cloud import Cloud
from qumulus.core.errors import NotAuthenticated

ID = "01a21a0a-d047-7005-ae43-70fc0195af8d"


class Nobody:
    """Accounts that know no credential."""

    def authenticate(self, _scheme: str, _secret: str):
        raise NotAuthenticated("The credential is unknown.")


class Settled:
    """Tells what was waited for."""

    def __init__(self) -> None:
        self.waited: list[str] = []

    async def wait(self, job_id: str, _seconds: float | None = None) -> bool:
        self.waited.append(job_id)
        return False


@pytest.mark.parametrize("path", [f"/jobs/{ID}", f"/jobs/{ID}/status", f"/task/{ID}/status", f"/task/{ID}/result"])
@pytest.mark.parametrize("headers", [{}, {"q-api-token": "a.b"}])
def test_who_may_not_ask_is_not_held(path: str, headers: dict[str, str]):
    settled = Settled()
    cloud: Any = SimpleNamespace(
        accounts=Nobody(), settled=settled, clock=CloudClock(SystemClock()), jobs=None, devices=None
    )
    app = create(cast(Cloud, cloud), secret=b"a secret", token_needed=True, inline=False)

    async def ask() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost") as client:
            return await client.get(path, headers=headers)

    assert asyncio.run(ask()).status_code == 401
    assert settled.waited == []
