"""What listens, and stops listening as faults say, while the state can't be read or written."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from qumulus.core.errors import StorageFull, Unavailable
from qumulus.core.faults import FaultKind, FaultRule
from qumulus.http.connections import Bounded
from qumulus.http.front import Message, Receive, Scope, Send
from qumulus.serving import refusing
from qumulus.serving.refusing import Doors, Refusing
from qumulus.serving.sockets import address, listen
from qumulus.storage import Storage, open_storage

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="connections are refused on Linux only")


class Troubled:
    """The store of faults on a disk that is full, in a database that is away at first."""

    def __init__(self, storage: Storage) -> None:
        self._faults = storage.faults
        self.away = 2

    def __getattr__(self, name: str) -> Any:
        return getattr(self._faults, name)

    def count(self, _fault: object) -> bool:
        raise StorageFull

    def fault(self, fault_id: str) -> object:
        if self.away:
            self.away -= 1
            raise Unavailable("The database is away.")
        return self._faults.fault(fault_id)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = open_storage(tmp_path / "state")
    yield opened
    opened.close()


async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
    answer: Message = {"type": "http.response.start", "status": 204, "headers": []}
    await send(answer)
    await send({"type": "http.response.body", "body": b""})


async def until(wanted: bool, doors: Doors) -> None:
    async with asyncio.timeout(30):
        while doors.closed is not wanted:
            await asyncio.sleep(0.005)


async def answered(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    found = await reader.read()
    writer.close()
    return found


def test_connections_are_refused_and_taken_again_though_nothing_can_be_counted_and_the_database_was_away(
    storage, tmp_path, monkeypatch
):
    monkeypatch.setattr(refusing, "AGAIN_SECONDS", 0.01)
    faults = Troubled(storage)
    asks = Refusing(faults, storage.clock, tmp_path, served=True)  # ty: ignore[invalid-argument-type]
    listener = listen("127.0.0.1", 0, "--port")
    config = uvicorn.Config(app, http=Bounded, log_config=None, ws="none", lifespan="off")
    server, port = uvicorn.Server(config), listener.getsockname()[1]
    doors = Doors(asks, config, listener, address(listener))

    async def story() -> None:
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.005)
        await doors.begin(server, first=True, alone=True)
        assert (await answered(port)).startswith(b"HTTP/1.1 204")
        made = storage.faults.add(FaultRule(kind=FaultKind.REFUSED))
        await until(True, doors)
        with pytest.raises(ConnectionRefusedError):
            await answered(port)
        storage.faults.remove(made.id)
        await until(False, doors)
        assert (await answered(port)).startswith(b"HTTP/1.1 204")
        server.should_exit = True
        await serving

    asyncio.run(story())
    assert faults.away == 0


def test_one_that_was_made_to_listen_by_another_process_is_closed_again(storage, tmp_path):
    """A process that is started anew at the same socket listens there, before it looks at the faults."""
    asks = Refusing(storage.faults, storage.clock, tmp_path, served=True)
    listener = listen("127.0.0.1", 0, "--port")
    config = uvicorn.Config(app, http=Bounded, log_config=None, ws="none", lifespan="off")
    server = uvicorn.Server(config)
    doors = Doors(asks, config, listener, address(listener))
    other = listener.dup()

    async def story() -> None:
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.005)
        await doors.begin(server, first=True, alone=True)
        fault = storage.faults.add(FaultRule(kind=FaultKind.REFUSED))
        await until(True, doors)
        other.listen()
        await until(True, doors)
        assert storage.faults.fault(fault.id).hits == 1
        server.should_exit = True
        await serving

    asyncio.run(story())
    other.close()
