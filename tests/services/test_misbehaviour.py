"""Programs that misbehave: each fails with its reason, nothing else notices, nothing is left behind."""

from __future__ import annotations

import errno
import os
import platform
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from dispatchers import wait_for
from qumulus.core.results import Failure
from qumulus.services.child.inside import seccomp
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
    assert time.monotonic() - started < 30
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
    assert time.monotonic() - started < 40
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


def test_a_program_can_not_write_what_it_is_shown_even_where_that_is_its_users_own(tmp_path: Path, here: Sandbox):
    if not here.private_root:
        pytest.skip("Without a root of its own, Landlock keeps it from that.")
    shown = tmp_path / "shown"
    shown.mkdir()
    (shown / "there").touch()
    done = Programs(tmp_path, replace(here, namespaces="user", drops_user=False)).run(
        """
        import os
        def run(shown):
            written = []
            for name in ("there", "new"):
                try:
                    with open(os.path.join(shown, name), "w") as file: written.append(file.write("x"))
                except OSError:
                    pass
            return {"seen": os.listdir(shown), "written": written}
        """,
        {"shown": str(shown)},
        prefixes=[shown],
    )
    assert done.result == {"seen": ["there"], "written": []}
    assert [(path.name, path.stat().st_size) for path in shown.iterdir()] == [("there", 0)]


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
    for source, told in (("{(1,): 2}", "keys must be str"), ("endless", "Circular reference")):
        done = programs.run(f"endless = []\nendless.append(endless)\ndef run():\n    return {source}")
        assert done.result["title"] == "NotJson", source
        assert told in done.result["detail"]


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
    wait_for(lambda: programs.log)
    asked = time.monotonic()
    execution.stop()
    thread.join(60)
    return ended[0], time.monotonic() - asked


def stopped_within(programs: Programs, most: float, source: str) -> tuple[Done, float]:
    """`stopped`; again, where something else on the machine may have held it up."""
    for _ in range(9):
        done, seconds = stopped(programs, source)
        if seconds < most:
            return done, seconds
    done, seconds = stopped(programs, source)
    assert seconds < most
    return done, seconds


def test_cancelling_ends_a_busy_loop_in_under_two_seconds(programs: Programs):
    done, _ = stopped_within(programs, 2, "def run():\n    print('on')\n    while True: pass")
    assert done.result["title"] == "Cancelled"


def test_cancelling_ends_a_program_that_ignores_sigterm(programs: Programs):
    done, seconds = stopped_within(
        programs,
        2.5,
        """
        import signal
        def run():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("on")
            while True: pass
        """,
    )
    assert seconds > 0.9
    assert done.result["title"] == "Cancelled"


def test_a_program_may_clean_up_when_it_is_told_to_end(programs: Programs):
    done, _ = stopped_within(
        programs,
        1,
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


SHARED_WAYS = {
    "anonymous": "m = mmap.mmap(-1, SIZE); fill(m)",
    "of_dev_zero": "m = mmap.mmap(os.open('/dev/zero', os.O_RDWR), SIZE); fill(m)",
    "unmapped_again": """
    m = mmap.mmap(-1, SIZE)
    for at in range(0, SIZE, STEP):
        m[at:at + STEP] = b"x" * STEP
        m.madvise(mmap.MADV_DONTNEED, at, STEP)""",
    "of_system_v": """
    libc.shmat.restype = ctypes.c_void_p
    for _ in range(SIZE // (16 * STEP)):
        found = libc.shmget(0, ctypes.c_size_t(16 * STEP), 0o1600)
        if found < 0: raise MemoryError(os.strerror(ctypes.get_errno()))
        at = libc.shmat(found, None, 0)
        ctypes.memset(at, 1, 16 * STEP)
        libc.shmdt(ctypes.c_void_p(at))""",
    "in_a_file_without_a_name": """
    file = os.memfd_create("held")
    for _ in range(SIZE // STEP): os.write(file, b"x" * STEP)""",
    "in_dev_shm": """
    for number in range(8):
        with open(f"/dev/shm/qumulus-test-{os.getpid()}-{number}", "wb") as file:
            os.unlink(file.name)
            held.append(os.dup(file.fileno()))
            for _ in range(SIZE // STEP // 8): file.write(b"x" * STEP)""",
    "in_tables_of_pages": """
    for _ in range(30):
        if os.fork() == 0:
            m = mmap.mmap(-1, 4 << 30, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ)
            for at in range(0, len(m), 2 * STEP): m[at]
            time.sleep(60)
    time.sleep(10)""",
    "in_messages_of_system_v": """
    libc.msgget.restype = ctypes.c_int
    message, sent = ctypes.create_string_buffer(b"x" * 8192), 0
    while sent < SIZE:
        queue = libc.msgget(0, 0o1600)
        if queue < 0: raise MemoryError(os.strerror(ctypes.get_errno()))
        while not libc.msgsnd(queue, message, ctypes.c_size_t(8000), 0o4000): sent += 8000""",
    "in_sockets": """
    import socket
    def send():
        sent = 0
        while sent < SIZE // 4:
            held.extend(socket.socketpair())
            for each in held[-2:]:
                each.setblocking(False)
                try:
                    while True: sent += each.send(bytes(4096))
                except BlockingIOError: pass
        time.sleep(60)
    for _ in range(4):
        if os.fork() == 0:
            try: send()
            except OSError: time.sleep(60)
    time.sleep(10)""",
    "in_connections": """
    import socket
    sent = 0
    with socket.create_server(("127.0.0.1", 0)) as server:
        while sent < SIZE:
            held.extend((socket.create_connection(server.getsockname()), server.accept()[0]))
            for each in held[-2:]:
                each.setblocking(False)
                try:
                    while True: sent += each.send(bytes(65536))
                except BlockingIOError: pass
    time.sleep(10)""",
}


@pytest.mark.parametrize("own_root", [True, False])
@pytest.mark.parametrize("way", SHARED_WAYS)
def test_memory_that_processes_could_share_counts_against_the_limit(
    tmp_path: Path, here: Sandbox, way: str, own_root: bool
):
    without = replace(here, namespaces="none", landlock=True, drops_user=False, groups=None)
    done = Programs(tmp_path, here if own_root else without).run(
        "import ctypes, mmap, os, time\n"
        "SIZE, STEP, held = 384 << 20, 1 << 20, []\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "def fill(m):\n    for at in range(0, SIZE, STEP): m[at:at + STEP] = b'x' * STEP\n"
        f"def run():\n    {SHARED_WAYS[way].strip()}\n    time.sleep(1)\n    return {{'held_mib': SIZE >> 20}}",
        memory_bytes=128 << 20,
    )
    assert done.outcome.failure is not None, done.result
    assert not list(Path("/dev/shm").glob("qumulus-test-*"))
    if done.outcome.failure is not Failure.MEMORY:  # the kernel refused it at once
        assert done.result["title"] in ("OSError", "MemoryError"), done.result


@pytest.mark.parametrize("filtered", [True, False])
def test_a_program_can_not_hide_what_it_holds_from_who_counts(tmp_path: Path, here: Sandbox, filtered: bool):
    if here.namespaces == "none":
        pytest.skip("This machine has no namespaces, where a program has the user of who counts.")
    counted = replace(here, namespaces="user", drops_user=False, groups=None, filtered=filtered and here.filtered)
    done = Programs(tmp_path, counted).run(
        """
        import ctypes, mmap, time
        def run():
            time.sleep(0.2)
            ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
            shared = mmap.mmap(-1, 256 << 20)
            for at in range(0, len(shared), 1 << 20): shared[at:at + (1 << 20)] = b"x" * (1 << 20)
            time.sleep(60)
        """,
        memory_bytes=128 << 20,
    )
    hidden = (
        Failure.REFUSED,
        "Hidden: A process of the run kept from being seen what it holds, which is counted against the limits.",
    )
    over = (Failure.MEMORY, "Memory limit: The run used more than 128 MiB of memory.")
    assert (done.outcome.failure, done.outcome.reason) in ([over] if counted.filtered else [hidden, over])


def test_shared_memory_within_the_limit_is_to_be_had(programs: Programs):
    done = programs.run(
        """
        import mmap, multiprocessing
        from multiprocessing import shared_memory
        def fill(name):
            block = shared_memory.SharedMemory(name)
            block.buf[:] = b"x" * len(block.buf)
            block.close()
        def run():
            own = mmap.mmap(-1, 32 << 20)
            own[:] = b"x" * (32 << 20)
            block = shared_memory.SharedMemory(create=True, size=16 << 20)
            context = multiprocessing.get_context("fork")
            with context.Pool(2) as pool: pool.map(fill, [block.name] * 2)
            seen = bytes(block.buf[-3:]).decode()
            block.close(); block.unlink()
            return {"seen": seen}
        """,
        memory_bytes=256 << 20,
    )
    assert done.outcome.succeeded, done.outcome.reason
    assert done.result == {"seen": "xxx"}


def test_the_kernel_ends_a_program_before_any_other_process_and_the_program_can_not_change_that(programs: Programs):
    done = programs.run(
        """
        def run():
            try:
                with open("/proc/self/oom_score_adj", "w") as score: score.write("0")
            except OSError:
                pass
            return {"score": int(open("/proc/self/oom_score_adj").read())}
        """
    )
    assert done.result == {"score": 1000}


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("unshare", "0x10000000"),  # CLONE_NEWUSER
        ("unshare", "0x00020000"),  # CLONE_NEWNS
        ("setns", "0, 0"),
        ("mount", "b'none', b'/tmp', b'tmpfs', 0, None"),
        ("ptrace", "0, 0, None, None"),
        ("prctl", "4, 0, 0, 0, 0"),  # PR_SET_DUMPABLE: others of its user, who count, would not see what it holds
        ("syscall", "ctypes.c_long(NUMBERS['bpf']), 0, None, 0"),
        ("syscall", "ctypes.c_long(NUMBERS['keyctl']), 0, -3, 0"),
        ("syscall", "ctypes.c_long(NUMBERS['userfaultfd']), 1"),
        ("syscall", "ctypes.c_long(NUMBERS['perf_event_open']), None, 0, -1, -1, 0"),
        ("syscall", "ctypes.c_long(NUMBERS['io_uring_setup']), 1, None"),
        ("syscall", "ctypes.c_long(NUMBERS['clone']), 0x10000000 | 17, None, None, None, None"),
        ("socket", "40, 1, 0"),  # AF_VSOCK: to the machine that this one is a guest of
    ],
)
def test_a_system_call_that_leads_out_of_a_sandbox_is_refused(
    programs: Programs, here: Sandbox, call: str, arguments: str
):
    if not here.filtered:
        pytest.skip("This machine has no filter of system calls.")
    column = 1 if platform.machine() == "aarch64" else 0
    tables = {**seccomp.REFUSED, **seccomp.MISSING, "clone": seccomp.CLONE}
    numbers = {name: table[column] for name, table in tables.items()}
    done = programs.run(
        f"""
        import ctypes, os
        NUMBERS = {numbers}
        libc = ctypes.CDLL(None, use_errno=True)
        def run():
            answer = libc.{call}({arguments})
            if answer == 0 and {call == "syscall"} and os.getpid() == 1: os._exit(0)
            status = open("/proc/self/status").read()
            return {{"answer": answer, "error": ctypes.get_errno(), "mode": status.partition("Seccomp:")[2].split()[0]}}
        """
    )
    assert done.result["answer"] == -1
    assert done.result["error"] in (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT)
    assert done.result["mode"] == "2"


def test_what_programs_need_passes_the_filter(programs: Programs):
    done = programs.run(
        """
        import multiprocessing, socket, subprocess, sys, tempfile, threading
        def run():
            import numpy
            threads = [threading.Thread(target=len, args=("x",)) for _ in range(3)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            said = subprocess.run([sys.executable, "-c", "print(1 + 1)"], capture_output=True, text=True).stdout.strip()
            with multiprocessing.get_context("spawn").Pool(1) as pool: three = pool.apply(max, (2, 3))
            pair = socket.socketpair()
            with socket.create_server(("127.0.0.1", 0)) as server: port = server.getsockname()[1] > 0
            with tempfile.TemporaryFile() as file: file.write(b"x")
            return {"said": said, "three": three, "port": port, "eigen": float(numpy.linalg.eigvalsh(numpy.eye(300))[0])}
        """
    )
    assert done.outcome.succeeded, (done.outcome.reason, done.texts)
    assert done.result == {"said": "2", "three": 3, "port": True, "eigen": 1.0}


def test_a_program_that_tries_nine_ways_to_have_another_process_ended_ends_none(programs: Programs, here: Sandbox):
    """The victims run as the same user as the program, whom the kernel would let through but for what is around the program."""
    if not here.private_root:
        pytest.skip("Without namespaces a program that runs as the server's user can signal that user's processes.")
    user = here.user(f"00000000-0000-4000-8000-{programs.count + 1:012}")
    victims = [subprocess.Popen(["sleep", "120"], user=user) for _ in range(2)]
    numbers = {"kill": 62, "tgkill": 234, "tkill": 200}
    if platform.machine() == "aarch64":
        numbers |= {"kill": 129, "tgkill": 131, "tkill": 130}
    try:
        done = programs.run(
            f"""
            import ctypes, fcntl, os, resource, signal, socket
            libc = ctypes.CDLL(None, use_errno=True)
            NUMBERS = {numbers}
            def call(name, *arguments):
                if libc.syscall(ctypes.c_long(NUMBERS[name]), *map(ctypes.c_long, arguments)) < 0:
                    raise OSError(ctypes.get_errno(), name)
            def by_signal_of_a_socket(pid):
                ours, theirs = socket.socketpair()
                fcntl.fcntl(ours, 10, signal.SIGKILL)  # F_SETSIG
                fcntl.fcntl(ours, fcntl.F_SETOWN, pid)
                fcntl.fcntl(ours, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
                theirs.send(b"x")
            def by_score(pid):
                with open(f"/proc/{{pid}}/oom_score_adj", "w") as score: score.write("1000")
            def by_memory(pid):
                with open(f"/proc/{{pid}}/mem", "r+b", 0) as memory: memory.write(b"x")
            WAYS = {{
                "kill": lambda pid: call("kill", pid, 9),
                "the group": lambda pid: call("kill", -pid, 9),
                "tgkill": lambda pid: call("tgkill", pid, pid, 9),
                "tkill": lambda pid: call("tkill", pid, 9),
                "pidfd": lambda pid: signal.pidfd_send_signal(os.pidfd_open(pid), 9),
                "a limit": lambda pid: resource.prlimit(pid, resource.RLIMIT_CPU, (0, 0)),
                "the kernel's choice": by_score,
                "its memory": by_memory,
                "the owner of a socket": by_signal_of_a_socket,
            }}
            def run(victims):
                through = []
                for pid in victims:
                    for name, way in WAYS.items():
                        try:
                            way(pid)
                            through.append(name)
                        except OSError:
                            pass
                return {{"through": through}}
            """,
            {"victims": [victim.pid for victim in victims] + [os.getpid()]},
        )
        assert [victim.poll() for victim in victims] == [None, None]
    finally:
        for victim in victims:
            victim.kill()
            victim.wait()
    assert done.outcome.succeeded, done.outcome.reason
    assert done.result["through"] == []
