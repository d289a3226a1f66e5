"""What programs of an administrator are told where the answer is not the JSON that they asked for."""

from __future__ import annotations

import pytest

from answering import answering
from qumulus.control.administration import Administration, CloudRefused

ANSWERS = {
    "connections": (503, "text/plain; charset=utf-8", b"Too many are open: close some.\n", "answers 503: Too many are"),
    "a proxy": (502, "text/html", b"<html><h1>502 Bad Gateway</h1></html>", r"is no Qumulus \(it says 502\)"),
    "nothing": (504, "application/json", b"", r"is no Qumulus \(it says 504\)"),
    "a text as JSON": (400, "application/json", b'"no"', r"is no Qumulus \(it says 400\)"),
    "a page": (200, "text/html", b"<html>Welcome</html>", "is no Qumulus: name the address"),
    "no text at all": (200, "application/json", b"\xff\xfe\x00", "is no Qumulus: name the address"),
    "our own": (409, "application/json", b'{"detail": "There is one already."}', "^There is one already.$"),
}


@pytest.mark.parametrize(("status", "media_type", "body", "told"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_is_none_is_told_in_a_sentence(status, media_type, body, told):
    with answering(status, media_type, body) as url, pytest.raises(CloudRefused, match=told):
        Administration(url)("GET", "/namespaces")


def test_a_success_without_a_body_is_nothing():
    with answering(204, "application/json", b"") as url:
        assert Administration(url)("DELETE", "/faults") is None
