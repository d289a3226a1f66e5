"""What the driver of a cluster says when there is no cluster that it could use. Ray itself is not asked."""

from __future__ import annotations

import logging
import socket
import time

import pytest

from qumulus.cluster import driver

MISMATCH = (
    "Version mismatch: The cluster was started with:\n    Ray: 2.1\nThis process was started with:\n    Ray: 2.2\n"
)


def test_a_refusal_is_told_whole_and_in_one_line(monkeypatch, caplog):
    def refuse(**_: object) -> None:
        raise RuntimeError(MISMATCH)

    monkeypatch.setattr(driver.ray, "init", refuse)
    monkeypatch.setattr(driver.process, "end_with_parent", lambda _server: None)
    monkeypatch.setattr(driver.signal, "signal", lambda *_: None)
    ours, theirs = socket.socketpair()
    with ours, pytest.raises(SystemExit):
        driver.begin("head:6379", theirs.detach(), 1)
    (record,) = caplog.records
    assert record.getMessage() == (
        "The cluster at head:6379 can't be reached, trying again: Version mismatch: The cluster was started with: "
        "Ray: 2.1 This process was started with: Ray: 2.2"
    )


def test_a_cluster_that_does_not_answer_is_told_while_it_is_waited_for(monkeypatch, caplog):
    monkeypatch.setattr(driver, "LATE_SECONDS", 0.05)
    monkeypatch.setattr(driver.ray, "init", lambda **_: time.sleep(0.5))
    with caplog.at_level(logging.WARNING):
        driver.connect("head:6379")
    (record,) = caplog.records
    assert record.getMessage().startswith("The cluster at head:6379 has not answered for 0.05 s")


def test_a_cluster_that_answers_is_not_told_of(monkeypatch, caplog):
    monkeypatch.setattr(driver, "LATE_SECONDS", 0.05)
    monkeypatch.setattr(driver.ray, "init", lambda **_: None)
    driver.connect("head:6379")
    time.sleep(0.2)
    assert not caplog.records
