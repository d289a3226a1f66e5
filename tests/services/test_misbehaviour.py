"""Programs that misbehave: each fails with its reason, nothing else notices, nothing is left behind."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import psutil
import pytest

from qumulus.core.results import Failure
from qumulus.services.sandbox import Sandbox
from services.programs import Done, Programs


def left(place: Path) -> list[str]:
    """What a run left in its folder."""
    return sorted(os.listdir(place)) if place.exists() else []


def running(marker: str) -> list[psutil.Process]:
    """The processes whose command line has ``marker``."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if process.pid != os.getpid() and marker in " ".join(process.info["cmdline"] or [])
    ]


def test_a_program_that_never_ends_is_ended_at_its_time_limit(programs: Programs):
    started = time.monotonic()
    done = programs.run("def run():\n    while True: pass", seconds=1.0)
    assert time.monotonic() - started < 3.5
    assert done.outcome.failure is Failure.TIME
    assert done.outcome.reason == "Time limit: The run took longer than 1 s."
    assert done.result == {
        "type": "about:blank",
        "status": 500,
        "title": "Time limit",
        "detail": "The run took longer than 1 s.",
    }
    assert left(done.place) == []


def test_a_program_that_uses_up_its_processor_time_in_many_threads_is_ended(programs: Programs):
    done = programs.run(
        """
        import hashlib, threading
        def burn():
            while True: hashlib.sha256(bytes(10_000_000)).digest()
        def run():
            for _ in range(8): threading.Thread(target=burn, daemon=True).start()
            burn()
        """,
        seconds=1.0,
    )
    assert done.outcome.failure is Failure.TIME


def test_a_program_that_allocates_without_end_fails_with_a_memory_error(programs: Programs):
    done = programs.run(
        "def run():\n    held = []\n    while True: held.append(bytearray(10_000_000))", memory_bytes=256 << 20
    )
    assert done.outcome.failure is not None
    assert done.result["title"] == "MemoryError"


def test_the_memory_of_all_processes_of_a_run_counts_together(programs: Programs):
    done = programs.run(
        """
        import os, time
        def run():
            for _ in range(8):
                if os.fork() == 0:
                    held = bytearray(os.urandom(1 << 20) * 60)
                    time.sleep(30)
            time.sleep(30)
        """,
        memory_bytes=200 << 20,
    )
    assert done.outcome.failure is Failure.MEMORY
    assert done.outcome.reason == "Memory limit: The run used more than 200 MiB of memory."


def test_a_program_that_forks_without_end_stops_at_the_limit_of_processes(programs: Programs):
    done = programs.run(
        """
        import os, time
        def run():
            made = 0
            while True:
                try:
                    if os.fork() == 0:
                        time.sleep(60)
                        os._exit(0)
                    made += 1
                except BlockingIOError:
                    return {"made": made}
        """,
        processes=20,
    )
    assert done.outcome.succeeded, done.outcome.reason
    assert 5 <= done.result["made"] <= 20
    assert left(done.place) == []


def test_a_fork_bomb_ends_with_its_run(programs: Programs):
    started = time.monotonic()
    done = programs.run(
        """
        import os
        def run():
            while True:
                try: os.fork()
                except OSError: pass
        """,
        processes=20,
        seconds=2.0,
    )
    assert done.outcome.failure is Failure.TIME
    assert time.monotonic() - started < 8
    assert left(done.place) == []


@pytest.mark.parametrize("folder", ["OUTPUT_DIRECTORY", "TMPDIR", "INPUT_DIRECTORY"])
def test_a_program_that_fills_the_disk_is_ended(programs: Programs, folder: str):
    done = programs.run(
        f"""
        import itertools, os
        def run():
            for number in itertools.count():
                with open(os.path.join(os.environ["{folder}"], f"f{{number}}"), "wb") as file:
                    file.write(bytes(1 << 20))
        """,
        disk_bytes=20 << 20,
    )
    assert done.outcome.failure is Failure.REFUSED
    assert done.outcome.reason == "Disk limit: The run wrote more than 20 MiB or 20,000 files."
    assert set(done.outcome.files) == {"output.json"}
    assert left(done.place) == []


def test_a_program_that_makes_files_without_end_is_ended(programs: Programs):
    done = programs.run(
        """
        import itertools, os
        def run():
            for number in itertools.count():
                os.mkdir(f"/tmp/{number}" if os.environ["TMPDIR"] == "/tmp" else os.environ["TMPDIR"] + f"/{number}")
        """,
        disk_entries=500,
    )
    assert done.outcome.failure is Failure.REFUSED
    assert left(done.place) == []


def test_one_file_can_not_be_larger_than_its_limit(programs: Programs):
    done = programs.run(
        """
        import os
        def run():
            with open(os.path.join(os.environ["OUTPUT_DIRECTORY"], "big"), "wb") as file:
                while True: file.write(bytes(1 << 20))
        """,
        file_bytes=5 << 20,
    )
    assert done.result["title"] == "OSError"
    assert "File too large" in done.result["detail"]


def test_output_over_its_limit_is_not_published(programs: Programs):
    done = programs.run(
        """
        import os
        def run():
            for name in "abc":
                with open(os.path.join(os.environ["OUTPUT_DIRECTORY"], name), "wb") as file: file.write(bytes(1 << 20))
        """,
        output_bytes=2 << 20,
    )
    assert done.outcome.failure is Failure.REFUSED
    assert done.outcome.reason == "Output limit: The run wrote more than 2 MiB of output."
    assert set(done.outcome.files) == {"output.json"}


def test_a_program_can_not_write_outside_of_its_folders(programs: Programs, tmp_path: Path):
    done = programs.run(
        """
        import os
        def run():
            refused = []
            for path in (os.environ["OUTPUT_DIRECTORY"] + "/../x", "/etc/x", "/usr/x", "x", "src/program.py", "/x"):
                try:
                    with open(path, "w") as file: file.write("x")
                except OSError as error:
                    refused.append(path)
            return {"refused": len(refused)}
        """,
    )
    assert done.result == {"refused": 6}
    assert left(done.place) == []
    assert not (done.place / "x").exists()


def test_a_program_can_not_read_what_is_not_its_own(programs: Programs, tmp_path: Path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the server's own")
    done = programs.run(
        """
        def run(path):
            try:
                return {"read": open(path).read()}
            except OSError as error:
                return {"refused": type(error).__name__}
        """,
        {"path": str(secret)},
    )
    assert done.result in ({"refused": "FileNotFoundError"}, {"refused": "PermissionError"})


def test_a_program_sees_no_more_of_the_state_than_its_own_where_that_stands_in_a_folder_that_all_see(
    here: Sandbox, tmp_path: Path
):
    if not here.private_root:
        pytest.skip("Without a root of its own, nothing can be hidden in what is shown.")
    state = tmp_path / "state"
    programs = Programs(state, here)
    state.mkdir()
    (state / "presigning.key").write_text("a secret")
    (tmp_path / "pyvenv.cfg").touch()
    for folder in (tmp_path, state):
        folder.chmod(0o755)
    done = programs.run(
        """
        import os
        def run(state):
            written = "nothing"
            try:
                with open(state + "/x", "w"): written = "a file"
            except OSError:
                pass
            return {"seen": sorted(os.listdir(state)), "written": written, "beside": sorted(os.listdir(state + "/.."))}
        """,
        {"state": str(state)},
        prefixes=[tmp_path],
        hidden=state,
    )
    assert done.result == {"seen": ["service-1"], "written": "nothing", "beside": ["pyvenv.cfg", "state"]}


def test_links_and_folders_in_the_output_are_left_out_and_named_in_the_log(programs: Programs):
    done = programs.run(
        """
        import os
        def run():
            os.chdir(os.environ["OUTPUT_DIRECTORY"])
            os.symlink("/etc/passwd", "passwd")
            os.mkdir("deep")
            open("deep/file", "w").close()
            os.mkfifo("pipe")
            with open("kept.txt", "w") as file: file.write("kept")
        """
    )
    assert done.outcome.succeeded
    assert done.outcome.files == {"kept.txt": b"kept"}
    assert done.texts == [
        "The output deep was left out: it is a folder.",
        "The output passwd was left out: it is a link.",
        "The output pipe was left out: it is no regular file.",
    ]


def test_a_file_named_self_is_kept_and_said_to_be_unlisted(programs: Programs):
    done = programs.run("import os\ndef run():\n    open(os.environ['OUTPUT_DIRECTORY'] + '/self', 'w').write('me')")
    assert done.outcome.files == {"self": b"me"}
    assert "download it by name" in done.texts[0]


def test_a_program_that_prints_a_gigabyte_keeps_a_log_under_its_limit(programs: Programs):
    done = programs.run(
        """
        def run():
            line = "x" * 99_999
            for _ in range(10_000): print(line)
            return {"printed": True}
        """,
        log_bytes=1 << 20,
        seconds=60.0,
    )
    assert done.outcome.succeeded, done.outcome.reason
    assert sum(map(len, done.texts)) < 1.1 * (1 << 20)
    assert done.texts[-1] == "The log is over its limit of 1 MiB: what comes after is left out."


def test_a_line_without_an_end_is_cut(programs: Programs):
    done = programs.run("def run():\n    print('x' * 5_000_000, end='')", line_bytes=1000, log_bytes=100_000)
    assert done.outcome.succeeded
    assert len(done.texts) < 120


@pytest.mark.parametrize(("sent", "name"), [("SIGSEGV", "SIGSEGV"), ("SIGRTMIN + 6", "SIGRTMIN+6")])
def test_a_program_that_is_ended_by_a_signal_says_which(programs: Programs, sent: str, name: str):
    done = programs.run(f"import os, signal\ndef run():\n    os.kill(os.getpid(), signal.{sent})")
    assert done.outcome.failure is Failure.PROGRAM
    assert done.result["title"] == f"Killed by {name}"
    assert done.result["exit_code"] < 0


def test_a_program_that_exits_with_a_status_fails_with_it(programs: Programs):
    done = programs.run("import sys\ndef run():\n    sys.exit(3)")
    assert done.outcome.failure is Failure.PROGRAM
    assert done.result["exit_code"] == 3
    assert done.result["detail"] == "The program ended with exit status 3."


def test_a_program_that_raises_fails_with_the_exception_and_its_traceback_in_the_log(programs: Programs):
    done = programs.run("def run():\n    raise ValueError('no such city')")
    assert done.result == {"type": "about:blank", "status": 500, "title": "ValueError", "detail": "no such city"}
    assert done.outcome.reason == "ValueError: no such city"
    assert done.texts[0] == "Traceback (most recent call last):"
    assert not any("inside" in text for text in done.texts)


def test_a_program_that_returns_what_is_not_json_fails_and_says_so(programs: Programs):
    for source in ("object()", "[float('nan')]", "lambda: 1", "b'x'"):
        done = programs.run(f"def run():\n    return {source}")
        if source == "object()":
            assert "object is not JSON" in done.result["detail"]
        assert done.result["title"] == "NotJson", source


def test_a_missing_program_and_a_missing_function_are_said(programs: Programs):
    done = programs.run("x = 1")
    assert done.result["detail"] == "src/program.py has no function named run: define run(data, params)."
    broken = programs.execution("def run(): pass")
    (programs.folder / "service-2" / "src" / "program.py").unlink()
    outcome, _ = broken.run()
    assert outcome.reason == "MissingProgram: There is no src/program.py in the service's folder."


def test_a_program_with_an_import_that_is_not_there_names_the_import(programs: Programs):
    done = programs.run("import nowhere_to_be_found\ndef run(): pass")
    assert done.result["detail"] == "No module named 'nowhere_to_be_found'"


def stopped(programs: Programs, source: str, **options: object) -> tuple[Done, float]:
    """Start it, stop it as soon as it has printed a line, and say how long the end took."""
    execution = programs.execution(source, **options)
    ended: list[Done] = []

    def run() -> None:
        outcome, rest = execution.run()
        ended.append(Done(outcome, (*programs.log, *rest), programs.folder / "runs" / str(programs.count)))

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not programs.log:
        time.sleep(0.01)
    asked = time.monotonic()
    execution.stop()
    thread.join(10)
    return ended[0], time.monotonic() - asked


def test_cancelling_ends_a_busy_loop_in_under_two_seconds(programs: Programs):
    done, seconds = stopped(programs, "def run():\n    print('on')\n    while True: pass")
    assert seconds < 2
    assert done.result["title"] == "Cancelled"


def test_cancelling_ends_a_program_that_ignores_sigterm(programs: Programs):
    done, seconds = stopped(
        programs,
        """
        import signal
        def run():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("on")
            while True: pass
        """,
    )
    assert 0.9 < seconds < 2.5
    assert done.result["title"] == "Cancelled"


def test_a_program_may_clean_up_when_it_is_told_to_end(programs: Programs):
    done, seconds = stopped(
        programs,
        """
        import signal, sys, time
        def tidy(*_):
            print("tidied up")
            sys.exit(0)
        def run():
            signal.signal(signal.SIGTERM, tidy)
            print("on")
            time.sleep(30)
        """,
    )
    assert seconds < 1
    assert done.texts == ["on", "tidied up"]


def test_cancelling_ends_a_grandchild_that_left_the_session(programs: Programs):
    marker = f"qumulus-grandchild-{os.getpid()}"
    done, _ = stopped(
        programs,
        f"""
        import subprocess, sys, time
        def run():
            code = "import os, time; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); time.sleep(60)"
            subprocess.run([sys.executable, "-c", code, "{marker}"])
            print("on")
            time.sleep(60)
        """,
    )
    assert done.result["title"] == "Cancelled"
    assert running(marker) == []


def test_a_process_that_outlives_its_run_is_ended_with_it(programs: Programs):
    marker = f"qumulus-daemon-{os.getpid()}"
    done = programs.run(
        f"""
        import subprocess, sys
        def run():
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "{marker}"], start_new_session=True)
            return {{"started": True}}
        """
    )
    assert done.outcome.succeeded
    assert running(marker) == []


def test_folders_without_rights_and_of_any_depth_are_removed(programs: Programs):
    done = programs.run(
        """
        import os
        def run():
            os.chdir(os.environ["TMPDIR"])
            for _ in range(3000):
                os.mkdir("d")
                os.chdir("d")
            os.chdir(os.environ["OUTPUT_DIRECTORY"])
            os.mkdir("locked")
            open("locked/x", "w").close()
            os.chmod("locked", 0)
        """
    )
    assert done.outcome.succeeded, done.outcome.reason
    assert left(done.place) == []


def test_a_program_whose_interpreter_is_gone_leaves_no_file_open_and_no_folder(programs: Programs, tmp_path: Path):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(FileNotFoundError):
            programs.run("def run(): pass", python=tmp_path / "none" / "bin" / "python")
    assert len(os.listdir("/proc/self/fd")) == before
    assert not list((tmp_path / "runs").iterdir())
