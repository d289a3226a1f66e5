"""What commands say where the answer is not the JSON that they asked for."""

from __future__ import annotations

import pytest
import typer

from answering import answering
from qumulus.commands.cloud import Cloud
from qumulus.commands.services import _Service
from qumulus.device_engine.cloud import CloudAway, ProviderCloud

TEXT = "text/plain; charset=utf-8"
PROBLEM = b'{"detail": "The database is away."}'
PAGE = b"<html>Welcome</html>"


def told(capsys, call, *arguments):
    with pytest.raises(typer.Exit) as ended:
        call(*arguments)
    assert ended.value.exit_code == 1
    return capsys.readouterr().err


def test_a_server_that_has_no_connection_left_is_heard(capsys):
    with answering(503, TEXT, b"Too many connections are open: close some.") as url:
        assert "answers 503: Too many connections are open" in told(capsys, Cloud(url).get, "/")
        assert "answers 503: Too many connections are open" in told(capsys, Cloud(url).get, "/health")


def test_what_can_not_be_done_now_is_not_taken_for_done(capsys):
    with answering(503, "application/problem+json", PROBLEM) as url:
        assert told(capsys, Cloud(url).delete, "/emulator/services/sum") == "The database is away.\n"
        assert told(capsys, Cloud(url).get, "/emulator/devices") == "The database is away.\n"
        assert Cloud(url).get("/health") == {"detail": "The database is away."}


def test_a_page_in_the_place_of_an_answer_is_no_cloud(capsys):
    with answering(200, "text/html", PAGE) as url:
        assert "is no Qumulus: name the address" in told(capsys, Cloud(url).get, "/")
        assert "is no Qumulus: name the address" in told(capsys, _Service(url, "sum").json, "POST", "/")
        with pytest.raises(CloudAway, match="sends no JSON"):
            ProviderCloud(url, "lima", "key").fetch(1)
