"""Results that no worker of ours made, opened in a process of their own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apis.oqtopus.cloud import packed
from qumulus.apis.oqtopus import unpacking
from qumulus.apis.oqtopus.job_files import LEFT_OUT
from qumulus.apis.oqtopus.unpacking import unpacked
from qumulus.payloads.openqasm import SHOWN

RESULT = {"sampling": {"counts": {"00": 3}}, "estimation": None}


def test_what_fits_is_shown_and_the_rest_is_left_out_with_a_sentence_each():
    files = {
        "result": packed("result.json", RESULT),
        "combined_program": packed("combined_program.json", "OPENQASM 3;"),
        "transpile_result": b"no zip",
        "sse_log": b"of which nothing is shown",
    }
    kept = unpacked(files)
    assert json.loads(kept[SHOWN]) == {"result": RESULT, "combined_program": "OPENQASM 3;"}
    said = "The file transpile_result.zip is not a zip file that can be opened: it is left out."
    assert kept[LEFT_OUT].decode() == said


@pytest.mark.parametrize("document", [{"sampling": {"counts": {"0": float("nan")}}}, "text", [1], None])
def test_what_is_no_result_or_no_json_is_left_out(document: Any):
    kept = unpacked({"result": packed("result.json", document)})
    assert kept[SHOWN] == b"{}"
    assert b"not as OQTOPUS declares it" in kept[LEFT_OUT]


def test_where_time_and_memory_do_not_suffice_the_server_goes_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(unpacking, "SECONDS", 0.01)
    kept = unpacked({"result": packed("result.json", RESULT)})
    assert (kept[SHOWN], kept[LEFT_OUT].decode()) == (b"{}", unpacking.FAILED)
