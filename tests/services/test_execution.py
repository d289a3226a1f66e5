"""Programs that behave: what they get and what becomes of what they give."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from qumulus.apis.planqk.service.interim import interim_results
from qumulus.core.results import Failure, Severity
from qumulus.services.execution import Pool
from qumulus.services.sandbox import Sandbox
from services.programs import Programs


def test_run_with_data_and_params_and_no_annotations_gets_objects(programs: Programs):
    done = programs.run(
        "def run(data, params):\n    return {'sum': sum(data['values']), 'up': params['round_up']}",
        {"data": {"values": [1, 2, 3]}, "params": {"round_up": True}},
    )
    assert done.result == {"sum": 6, "up": True}
    assert done.outcome.result == done.outcome.files["output.json"]


FORMS = [
    ("def run(name: str): return {'v': name}", {"name": "bob"}, {"v": "bob"}),
    ("def run(flag: bool): return {'v': flag}", {"flag": False}, {"v": False}),
    ("def run(n: int): return {'v': n}", {"n": 3}, {"v": 3}),
    ("def run(x: float): return {'v': x}", {"x": 3}, {"v": 3.0}),
    ("from typing import Optional\ndef run(x: Optional[str]): return {'v': x}", {"x": None}, {"v": None}),
    ("def run(x: str | None): return {'v': x}", {}, {"v": None}),
    ("def run(x: int = 7): return {'v': x}", {}, {"v": 7}),
    ("from typing import Any\ndef run(data: dict[str, Any]): return data", {"data": {"a": "12"}}, {"a": "12"}),
    ("def run(flags: list[bool]): return {'v': flags}", {"flags": [True, False]}, {"v": [True, False]}),
    ("def run(pair: tuple[int, str]): return {'v': list(pair)}", {"pair": [1, "a"]}, {"v": [1, "a"]}),
    ("def run(x: set[int]): return {'v': sorted(x)}", {"x": [2, 1, 2]}, {"v": [1, 2]}),
    ("def run(**all): return all", {"a": 1, "b": 2}, {"a": 1, "b": 2}),
    ("def run(a, /, *, b): return {'v': [a, b]}", {"a": 1, "b": 2}, {"v": [1, 2]}),
    ("async def run(x): return {'v': x}", {"x": 1}, {"v": 1}),
    (
        "from __future__ import annotations\nfrom uuid import UUID\ndef run(x: UUID): return {'v': x.version}",
        {"x": "00000000-0000-4000-8000-000000000001"},
        {"v": 4},
    ),
    (
        "from datetime import datetime\ndef run(at: datetime): return {'v': at.year}",
        {"at": "2026-01-31T12:00:00Z"},
        {"v": 2026},
    ),
    (
        "from enum import Enum\nclass C(Enum):\n    RED = 'red'\ndef run(c: C): return {'v': c.name}",
        {"c": "red"},
        {"v": "RED"},
    ),
    (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    y: int = 2\ndef run(p: P): return {'v': p.x + p.y}",
        {"p": {"x": 1}},
        {"v": 3},
    ),
    (
        "from pydantic import BaseModel\nclass P(BaseModel):\n    x: int\n    y: list[float] = []\ndef run(p: P) -> P: return p",
        {"p": {"x": 1, "y": [1]}},
        {"x": 1, "y": [1.0]},
    ),
    (
        "from pydantic import BaseModel\nclass P(BaseModel):\n    x: int = 5\ndef run(params: P): return params",
        {},
        {"x": 5},
    ),
    ("from typing import Literal\ndef run(m: Literal['a', 'b']): return {'v': m}", {"m": "b"}, {"v": "b"}),
    ("def run(data, params): return {'v': [data, params]}", {}, {"v": [{}, {}]}),
]


@pytest.mark.parametrize(("source", "body", "result"), FORMS, ids=[form[0].splitlines()[-1][:60] for form in FORMS])
def test_run_may_be_written_in_every_form(programs: Programs, source: str, body: dict, result: dict):
    done = programs.run(source, body)
    assert done.outcome.succeeded, (done.outcome.reason, done.texts)
    assert done.result == result


WRONG = [
    ("def run(n: int): pass", {"n": "3"}, "n must be a whole number, not the text '3'."),
    ("def run(n: int): pass", {"n": True}, "n must be a whole number, not a truth value."),
    ("def run(f: bool): pass", {"f": 0}, "f must be true or false, not 0."),
    ("def run(v: list[int]): pass", {"v": [1, "x"]}, "v[1] must be a whole number, not the text 'x'."),
    ("def run(v: list[int]): pass", {"v": {"a": 1}}, "v must be an array, not an object."),
    ("def run(values): pass", {}, "The request has no values, which run() needs."),
    (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\ndef run(p: P): pass",
        {"p": {"z": 1}},
        "p lacks x.",
    ),
    ("def run(s: range): pass", {"s": 1}, "s: run() asks for range, which can't be made from JSON."),
]


@pytest.mark.parametrize(("source", "body", "detail"), WRONG, ids=[case[2] for case in WRONG])
def test_input_that_does_not_fit_fails_in_a_sentence(programs: Programs, source: str, body: dict, detail: str):
    done = programs.run(source, body)
    assert done.outcome.failure is not None
    assert done.result["detail"] == detail
    assert done.texts == [detail]


def test_members_that_run_does_not_take_are_named_in_the_log(programs: Programs):
    done = programs.run("def run(a): return {'v': a}", {"a": 1, "b": 2, "c/../d": 3})
    assert done.result == {"v": 1}
    assert done.texts == ["WARNING: run() has no parameter named b, c/../d: left out."]
    assert done.log[0].severity is Severity.WARNING


@pytest.mark.parametrize(("value", "text"), [("'bob'", '"bob"'), ("1", "1"), ("1.5", "1.5"), ("False", "false")])
def test_a_single_value_becomes_output_txt(programs: Programs, value: str, text: str):
    done = programs.run(f"def run(): return {value}")
    assert done.outcome.files == {"output.txt": text.encode()}
    assert done.outcome.result == b""


def test_no_value_becomes_no_file(programs: Programs):
    done = programs.run("def run(): pass")
    assert done.outcome.succeeded
    assert done.outcome.files == {}


def test_arrays_of_numpy_and_dataclasses_become_json(programs: Programs):
    done = programs.run(
        """
        from dataclasses import dataclass
        import numpy
        @dataclass
        class Result:
            values: numpy.ndarray
            best: numpy.float64
        def run(): return Result(numpy.arange(3), numpy.float64(0.5))
        """
    )
    assert done.result == {"values": [0, 1, 2], "best": 0.5}


def test_the_input_is_there_as_files_too(programs: Programs):
    done = programs.run(
        """
        import json, os
        def run(data, params):
            folder = os.environ["INPUT_DIRECTORY"]
            return {name: json.load(open(f"{folder}/{name}")) for name in sorted(os.listdir(folder))}
        """,
        {"data": {"a": 1}, "params": None},
    )
    assert done.result == {"data.json": {"a": 1}, "params.json": None}


def test_the_platforms_literal_paths_are_in_their_place(programs: Programs):
    if not programs.sandbox.private_root:
        pytest.skip("this machine allows no namespaces")
    done = programs.run(
        """
        def run(data):
            open("/var/runtime/output/hello.txt", "w").write("Hello")
            return {"new": open("/var/runtime/input/data.json").read(), "old": open("/var/input/data.json").read()}
        """,
        {"data": 1},
    )
    assert done.result == {"new": "1", "old": "1"}
    assert done.outcome.files["hello.txt"] == b"Hello"


def test_the_environment_is_clean_and_holds_the_secrets(programs: Programs, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("QUMULUS_ADMIN_TOKEN", "not for programs")
    done = programs.run(
        """
        import os, sys
        def run():
            print("token is", os.environ["SECRET_IBM_TOKEN"])
            return {"names": sorted(os.environ), "input": sys.stdin.read()}
        """,
        secrets={"SECRET_IBM_TOKEN": "very-secret"},
    )
    assert "SECRET_IBM_TOKEN" in done.result["names"]
    assert not [name for name in done.result["names"] if name.startswith("QUMULUS")]
    assert done.result["input"] == ""
    assert done.texts == ["token is [redacted]"]


def test_lines_carry_time_and_severity_in_the_order_of_their_coming(programs: Programs):
    done = programs.run(
        """
        import logging, sys
        def run():
            logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
            print("plain")
            logging.getLogger("mine").debug("small")
            logging.getLogger("mine").warning("careful")
            print("2026-01-01 12:00:00.000 | SUCCESS  | src.program:run:3 - done")
            print("WARNINGS are no level")
        """
    )
    assert [(line.text, line.severity) for line in done.log] == [
        ("plain", Severity.INFO),
        ("DEBUG:mine:small", Severity.DEBUG),
        ("WARNING:mine:careful", Severity.WARNING),
        ("2026-01-01 12:00:00.000 | SUCCESS  | src.program:run:3 - done", Severity.NOTICE),
        ("WARNINGS are no level", Severity.INFO),
    ]
    times = [line.time for line in done.log]
    assert times == sorted(times)


def test_the_log_can_be_read_while_the_program_runs(programs: Programs, tmp_path: Path):
    execution = programs.execution(
        """
        import time
        def run():
            print('PlanQK:Job:InterimResult: {"step": 1}')
            print("PlanQK:Job:InterimResult: not json")
            time.sleep(30)
        """
    )
    thread = threading.Thread(target=execution.run)
    thread.start()
    while thread.is_alive() and len(programs.log) < 2:
        time.sleep(0.01)
    assert thread.is_alive()
    execution.stop()
    thread.join(60)
    assert list(interim_results(programs.log)) == [b'{"step":1}']


def test_data_pools_are_folders_under_the_parameters_name(programs: Programs, tmp_path: Path):
    pool = tmp_path / "pool"
    pool.mkdir()
    (pool / "a.csv").write_text("1,2")
    pool.chmod(0o755)
    done = programs.run(
        """
        import os
        def run(files=None):
            folder = os.path.join(os.environ["DATAPOOL_DIRECTORY"], "files")
            try:
                open(folder + "/new", "w")
                wrote = True
            except OSError:
                wrote = False
            return {"names": os.listdir(folder), "text": open(folder + "/a.csv").read(), "wrote": wrote}
        """,
        pools={"files": Pool(pool)},
    )
    assert done.outcome.succeeded, done.texts
    assert done.result["names"] == ["a.csv"]
    assert done.result["text"] == "1,2"
    assert os.listdir(pool) == ["a.csv"]


def test_a_part_replaces_the_parameter_of_its_name(programs: Programs):
    done = programs.run("def run(data, params): return {'v': data}", {"params": {}}, parts={"data": b'{"a": 1}'})
    assert done.result == {"v": {"a": 1}}


def test_network_can_be_off(programs: Programs):
    if not programs.sandbox.private_root:
        pytest.skip("this machine allows no namespaces")
    source = "import socket\ndef run():\n    return {'n': len(socket.if_nameindex())}"
    assert programs.run(source, network=False).result == {"n": 1}
    done = programs.run("import socket\ndef run():\n    socket.create_connection(('127.0.0.1', 9), 1)", network=False)
    assert done.outcome.failure is not None
    assert "unreachable" in done.result["detail"]


def test_a_program_is_not_run_where_its_network_can_not_be_taken_away(tmp_path: Path):
    done = Programs(tmp_path, Sandbox("none", landlock=True, drops_user=False)).run(
        "def run():\n    return {}", network=False
    )
    assert done.outcome.failure is Failure.REFUSED
    assert "can't take the network away" in done.result["detail"]
    assert done.log == ()


def test_a_child_without_qumulus_and_its_packages_runs_programs(programs: Programs, tmp_path: Path):
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    done = programs.run(
        """
        import importlib.util
        def run(x: int): return {"found": [n for n in ("qumulus", "pydantic", "numpy") if importlib.util.find_spec(n)]}
        """,
        {"x": 1},
        python=tmp_path / "bare" / "bin" / "python",
    )
    assert done.outcome.succeeded, done.texts
    assert done.result == {"found": []}


def test_ten_parallel_runs_keep_their_files_and_logs_apart(programs: Programs):
    executions, logs = [], []
    for n in range(10):
        executions.append(
            programs.execution(
                """
            import os, time
            def run(n):
                print("I am", n)
                open(os.environ["OUTPUT_DIRECTORY"] + "/mine.txt", "w").write(str(n))
                time.sleep(0.2)
                return {"n": n, "files": os.listdir(os.environ["OUTPUT_DIRECTORY"])}
            """,
                {"n": n},
            )
        )
        logs.append(programs.log)
    ended = {}

    def run(n: int) -> None:
        ended[n], rest = executions[n].run()
        logs[n].extend(rest)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for n, outcome in ended.items():
        assert outcome.files["mine.txt"] == str(n).encode()
        assert [line.text for line in logs[n]] == [f"I am {n}"]
    assert len(ended) == 10
