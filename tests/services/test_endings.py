"""What programs say when they end: how they return, leave, fail, and in which order they told it."""

from __future__ import annotations

import json

import pytest

from qumulus.core.results import Failure, Severity
from services.programs import Programs


def test_the_text_that_a_program_leaves_with_is_its_reason(programs: Programs):
    done = programs.run("import sys\ndef run():\n    sys.exit('something is wrong')")
    assert done.texts == ["something is wrong"]
    assert (done.result["title"], done.result["detail"]) == ("SystemExit", "something is wrong")
    assert done.outcome.reason == "SystemExit: something is wrong"


@pytest.mark.parametrize(("leaves", "succeeded"), [("sys.exit()", True), ("sys.exit(0)", True), ("sys.exit(3)", False)])
def test_a_program_may_leave_with_a_number(programs: Programs, leaves: str, succeeded: bool):
    done = programs.run(f"import sys\ndef run():\n    {leaves}")
    assert done.outcome.succeeded is succeeded
    assert succeeded or done.result["exit_code"] == 3


def test_the_error_that_a_program_of_the_first_generation_returns_is_a_failure(programs: Programs):
    done = programs.run(
        """
        class ErrorResponse:
            def __init__(self, code, detail):
                self.code, self.detail = code, detail
        def run(data, params): return ErrorResponse("400", "No values.")
        """
    )
    assert done.outcome.failure is Failure.PROGRAM
    assert done.outcome.reason == "400: No values."
    assert done.result == {"code": "400", "detail": "No values."}


def test_values_that_json_has_no_word_for_are_written_as_the_platform_does(programs: Programs):
    done = programs.run(
        """
        import decimal, uuid
        def run(): return {"nan": float("nan"), "bytes": b"ab", "range": range(2), "decimal": decimal.Decimal("1.50")}
        """
    )
    assert done.outcome.succeeded, done.texts
    assert '"nan": NaN' in done.outcome.result.decode()
    del done.result["nan"]
    assert {name: value for name, value in done.result.items() if name != "nan"} == {
        "bytes": "b'ab'",
        "range": "range(0, 2)",
        "decimal": "1.50",
    }


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("deep(900)", "nested more than 180 deep"),
        ("deep(100_000)", "nested more than 180 deep"),
        (r"{'text': '\ud800'}", r"has a text with '\ud800', half of a character"),
    ],
    ids=["deep", "deeper than the encoder goes", "half a character"],
)
def test_what_others_could_not_read_is_a_failure_that_says_why(programs: Programs, returned: str, told: str):
    done = programs.run(
        f"""
        def deep(levels):
            value = 1
            for _ in range(levels):
                value = [value]
            return {{"value": value}}
        def run(): return {returned}
        """
    )
    assert done.result["title"] == "NotJson"
    assert told in done.result["detail"]


def test_what_others_can_read_is_returned(programs: Programs):
    done = programs.run(
        r"""
        def run():
            value = 1
            for _ in range(150):
                value = [value]
            return {"value": value, "text": "\\ud800 and \U0001f680"}
        """
    )
    assert done.result["text"] == "\\ud800 and \U0001f680"


def test_both_streams_come_in_the_order_in_which_they_were_written(programs: Programs):
    done = programs.run(
        """
        import sys
        def run():
            for number in range(50):
                print("out", number)
                print("error", number, file=sys.stderr)
        """
    )
    assert done.texts == [f"{stream} {number}" for number in range(50) for stream in ("out", "error")]
    assert {line.severity for line in done.log[1::2]} == {Severity.ERROR}
    assert {line.severity for line in done.log[::2]} == {Severity.INFO}


def test_what_other_programs_write_to_the_standard_error_is_told_too(programs: Programs):
    done = programs.run(
        """
        import os, subprocess, sys
        def run():
            subprocess.run(["sh", "-c", "echo from a shell >&2"], stderr=sys.stderr)
            os.write(2, b"from below\\n")
            kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, 2)
            print("led elsewhere", file=sys.stderr)
            os.dup2(kept, 2)
        """
    )
    assert [(line.text, line.severity) for line in done.log] == [
        ("from a shell", Severity.ERROR),
        ("from below", Severity.ERROR),
    ]


def test_more_memory_than_the_limit_is_an_error_with_the_figure(programs: Programs):
    done = programs.run("def run():\n    bytearray(1 << 33)", memory_bytes=256 << 20)
    assert done.outcome.failure is Failure.MEMORY
    assert done.result["detail"] == "MemoryError: the run may use 256 MiB of memory."
    assert "NOTICE: the run may use 256 MiB of memory." in done.texts


def test_who_writes_to_the_services_folder_is_told_where_else(programs: Programs):
    done = programs.run("def run():\n    open('plot.png', 'wb')")
    assert "OUTPUT_DIRECTORY" in done.result["detail"]
    assert any("OUTPUT_DIRECTORY" in text for text in done.texts)


def test_threads_and_exit_handlers_end_before_the_program_does(programs: Programs):
    done = programs.run(
        """
        import atexit, os, threading, time
        def later():
            time.sleep(0.3)
            open(os.path.join(os.environ["OUTPUT_DIRECTORY"], "later.txt"), "w").write("done")
        def run():
            atexit.register(print, "goodbye")
            threading.Thread(target=later).start()
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            return {}
        """
    )
    assert done.outcome.files["later.txt"] == b"done"
    assert done.texts == ["goodbye"]


def test_an_error_with_half_a_character_can_be_told(programs: Programs):
    done = programs.run("def run():\n    raise ValueError('\\ud800')")
    assert json.loads(done.outcome.result)["title"] == "ValueError"
