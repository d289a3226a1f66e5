"""The lines of the log."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator

import pytest

from qumulus.serving.logging import configure
from qumulus.settings import Settings


@pytest.fixture
def restored() -> Iterator[None]:
    """The log of the tests, as it was, afterwards."""
    logger = logging.getLogger("qumulus")
    before = logger.handlers, logger.propagate, logger.level
    yield
    logger.handlers, logger.propagate = before[:2]
    logger.setLevel(before[2])


@pytest.mark.usefixtures("restored")
def test_a_line_for_people_begins_with_the_time_of_day():
    stream = io.StringIO()
    configure(Settings(log="text"), stream)
    logging.getLogger("qumulus.request").info("→ GET / from 127.0.0.1")
    assert re.fullmatch(r"\d\d:\d\d:\d\d → GET / from 127.0.0.1\n", stream.getvalue())
