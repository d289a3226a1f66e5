"""Time, queues, calibrations and the state by commands, against a running cloud."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import databases
from commands.cli import qumulus
from servers import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("emulator") / "state") as running:
        yield running


def run(server: Server, words: str, status: int = 0) -> str:
    ended = qumulus("emulator", *words.split(), QUMULUS_URL=server.url)
    assert ended.returncode == status, ended.stderr
    return ended.stdout if status == 0 else ended.stderr


def read(server: Server, words: str) -> Any:
    return json.loads(run(server, f"{words} --json"))


def test_the_clock_is_set_advanced_and_given_back(server):
    assert read(server, "clock set manual --now 2026-03-02T08:00")["now"] == "2026-03-02T08:00:00Z"
    assert read(server, "clock advance 2 h")["now"] == "2026-03-02T10:00:00Z"
    assert "manual" in run(server, "clock show")
    assert read(server, "clock set scaled --rate 60")["rate"] == 60
    assert "Say --rate with scaled" in run(server, "clock set scaled", status=2)
    assert read(server, "clock set real")["mode"] == "real"


def test_others_queue_and_go(server):
    assert "3 jobs of others are at torino" in run(server, "queue set Torino --waiting 3 --mean-run 600")
    assert "torino" in run(server, "queue list")
    run(server, "queue clear torino")
    assert read(server, "queue list") == []


def test_a_device_drifts_and_gets_its_own_calibration_back(server):
    assert len(read(server, "calibrations add fez --number 2 --bad-qubit 3")["calibrations"]) == 3
    assert "no qubit 999" in run(server, "calibrations add fez --bad-qubit 999", status=1)
    run(server, "calibrations clear fez")
    assert len(read(server, "calibrations list fez")["calibrations"]) == 1


@pytest.mark.skipif(databases.kind() == "postgres", reason="the folder is one of SQLite")
def test_a_state_is_forked_while_it_is_used(server, tmp_path):
    read(server, "clock set manual --now 2026-03-02T08:00")
    fork: Path = tmp_path / "fork"
    assert f"{fork} has the state of" in run(server, f"state fork {fork} --home {server.home}")
    with Server(fork) as other:
        assert read(other, "clock show")["now"] == "2026-03-02T08:00:00Z"
        read(other, "clock advance 1 d")
        assert read(server, "clock show")["now"] == "2026-03-02T08:00:00Z"
    run(server, "clock set real")
