"""Containers: how they are built, what they get, and what holds them."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from qumulus.core.results import Failure, Severity
from qumulus.core.services import Deployment, ServiceState
from qumulus.services import images
from qumulus.services.host import registry_of
from qumulus.services.images import Image, Images
from qumulus.services.installing import NotInstalled
from qumulus.services.printed import LINE_TAKES, PrintedResult
from qumulus.services.resources import Resources
from qumulus.services.sandbox import Sandbox
from qumulus.services.unpacking import unpack
from qumulus.storage import open_storage
from services.programs import Done, Programs
from services.roots import root_of

Run = Callable[..., Done]
TAG = "localhost/qumulus-service-echo:latest"
BODY = {"data": {"values": [1, 2]}, "params": {"round_up": True}}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with a shell, as an image has it when it is unpacked."""
    root = root_of(tmp_path_factory.mktemp("image"))
    images.complete(root)
    return root


@pytest.fixture
def run(programs: Programs, root: Path, here: Sandbox) -> Run:
    """Runs a script of the shell as the command of an image."""
    if not here.private_root:
        pytest.skip("this machine has no namespaces, in which a container would have its root")

    def script(text: str, body: Any = None, **options: Any) -> Done:
        image = Image(root=root, command=["/bin/sh", "-c", text], environment={"FROM_IMAGE": "yes"}, workdir="/root")
        return programs.run("", body, image=image, **options)

    return script


def test_the_input_stands_where_both_generations_look_for_it(run: Run):
    text = "cat /var/input/data.json /var/runtime/input/params.json; cat $INPUT_DIRECTORY/data.json"
    assert "".join(run(text, BODY).texts) == '{"values": [1, 2]}{"round_up": true}{"values": [1, 2]}'


def test_files_of_the_output_directory_are_the_result(run: Run):
    done = run("echo '{\"sum\": 3}' > $OUTPUT_DIRECTORY/output.json; echo hi > /var/runtime/output/hi.txt", BODY)
    assert done.outcome.failure is None
    assert done.result == {"sum": 3}
    assert done.outcome.files["hi.txt"] == b"hi\n"


@pytest.mark.parametrize(
    ("printed", "result"),
    [
        ('PlanQK:Job:Result: {"sum": 3}', {"sum": 3}),
        ("starting\nPlanQK:Job:Result:[1, 2]\nPlanQK:Job:Result: {}", [1, 2]),
        ('PlanQK:Job:MultilineResult\n{\n  "sum": 3\n}\nPlanQK:Job:MultilineResult\nDone', {"sum": 3}),
    ],
)
def test_a_result_may_be_printed(run: Run, printed: str, result: Any):
    assert run(f"cat <<'END'\n{printed}\nEND").result == result


@pytest.mark.parametrize(
    ("printed", "said"),
    [("PlanQK:Job:Result: {sum}", "is no JSON"), ("PlanQK:Job:MultilineResult\n{}", "does not end")],
)
def test_a_printed_result_that_is_none_is_said_to_be_none(run: Run, printed: str, said: str):
    done = run(f"cat <<'END'\n{printed}\nEND")
    assert done.outcome.files == {}
    assert [line.severity for line in done.log if said in line.text] == [Severity.WARNING]


def test_a_container_has_its_image_and_nothing_of_the_machine(run: Run, root: Path):
    done = run("echo $FROM_IMAGE; echo changed > /bin/cat && echo mine > /new && echo $PWD; cat < /dev/null; echo /*")
    said = [line.text for line in done.log if line.severity is Severity.INFO]  # the shell's own words are errors
    assert said[:2] == ["yes", "/root"]
    assert said[2].split() == sorted(
        f"/{name}" for name in {*(path.name for path in root.iterdir()), "new", "dev", "proc"}
    )
    assert not (root / "new").exists()
    assert (root / "bin" / "cat").stat().st_size > 100


def test_a_container_that_fails_says_how(run: Run):
    done = run("echo broken >&2; exit 3")
    assert (done.outcome.failure, done.outcome.reason) == (
        Failure.PROGRAM,
        "Failed: The program ended with exit status 3.",
    )
    assert [(line.text, line.severity) for line in done.log] == [("broken", Severity.ERROR)]


def test_a_command_that_is_not_there_is_named(programs: Programs, root: Path, here: Sandbox):
    if not here.private_root:
        pytest.skip("this machine has no namespaces, in which a container would have its root")
    image = Image(root=root, command=["python", "main.py"], environment={}, workdir="/root")
    done = programs.run("", image=image)
    assert "python can't be started in /root" in done.texts[0]


def test_a_container_is_held_to_the_limits_of_every_program(run: Run):
    assert run("sleep 60", seconds=0.5).outcome.failure is Failure.TIME
    full = run("dd if=/dev/zero of=/large bs=1048576 count=30 2> /dev/null; sleep 5", disk_bytes=10 << 20)
    assert full.outcome.reason == "Disk limit: The run wrote more than 10 MiB or 20,000 files."


def test_without_namespaces_a_container_is_refused(programs: Programs, root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(programs, "sandbox", Sandbox("none", landlock=True, drops_user=False))
    image = Image(root=root, command=["/bin/sh"], environment={}, workdir="/")
    assert "no namespaces" in str(programs.run("", image=image).outcome.reason)


def packed(*members: tuple[str, dict[str, Any]]) -> io.BytesIO:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, told in members:
            member = tarfile.TarInfo(name)
            for key, value in told.items():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    content.seek(0)
    return content


def test_an_archive_that_leads_out_of_the_root_is_refused(tmp_path: Path):
    members = [("out", {"type": tarfile.SYMTYPE, "linkname": str(tmp_path)}), ("out/file", {"size": 1})]
    (tmp_path / "root").mkdir()
    with pytest.raises(NotInstalled, match="can't be unpacked"):
        unpack(packed(*members), tmp_path / "root")
    assert not (tmp_path / "file").exists()


def test_the_folder_above_the_root_keeps_its_mode(tmp_path: Path):
    (tmp_path / "root").mkdir()
    tmp_path.chmod(0o700)
    with pytest.raises(NotInstalled, match="leads out of it"):
        unpack(packed(("..", {"type": tarfile.DIRTYPE, "mode": 0o777})), tmp_path / "root")
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_devices_of_an_image_are_left_out(tmp_path: Path):
    unpack(packed(("disk", {"type": tarfile.BLKTYPE}), ("file", {"size": 1, "mode": 0o400})), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666


def test_an_image_with_a_link_where_the_platform_has_its_folders_is_refused(tmp_path: Path):
    (tmp_path / "var").symlink_to("/srv")
    with pytest.raises(NotInstalled, match="a link or a file at /var"):
        images.complete(tmp_path)


def test_an_image_without_a_command_is_refused(tmp_path: Path):
    with pytest.raises(NotInstalled, match="add CMD or ENTRYPOINT"):
        images.configured(tmp_path, {"Env": ["PATH=/bin"]})


def test_what_an_image_says_of_its_user_becomes_the_home(tmp_path: Path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n")
    image = images.configured(tmp_path, {"Cmd": ["node", "."], "User": "1000:1000", "WorkingDir": "/app"})
    assert (image.environment["USER"], image.environment["HOME"]) == ("node", "/home/node")
    assert (image.command, image.workdir) == (["node", "."], "/app")


@pytest.fixture
def engine() -> Iterator[str]:
    """What builds images here; what the test has built is gone when it ends."""
    command = images.engine()
    if command is None:
        pytest.skip("neither podman nor docker is here, of which one builds images")
    yield command
    subprocess.run([command, "rmi", TAG], capture_output=True)  # unless none was built


def _id_of(engine: str) -> str:
    command = [engine, "image", "inspect", "--format", "{{.Id}}", TAG]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_folder_with_a_dockerfile_is_built_and_runs(tmp_path: Path, programs: Programs, here: Sandbox, engine: str):
    context, store = tmp_path / "context", Images(tmp_path / "images")
    root_of(context / "files", ("sh", "cat"))
    (context / "Dockerfile").write_text(
        'FROM scratch\nCOPY files /\nWORKDIR /app\nENV X=1\nCMD ["/bin/sh", "main.sh"]\n'
    )
    (context / "files" / "app").mkdir()
    (context / "files" / "app" / "main.sh").write_text('echo "PlanQK:Job:Result: $(cat /var/input/data.json)"')
    store.make("1", "echo", context)
    assert store.ready("1")
    assert not store.ready("2")
    if here.private_root:
        assert programs.run("", BODY, image=store.image("1")).result == BODY["data"]
    first = _id_of(engine)
    (context / "files" / "app" / "main.sh").write_text("exit 1")
    store.make("3", "echo", context)
    assert _id_of(engine) != first
    assert subprocess.run([engine, "image", "inspect", first], capture_output=True).returncode  # nobody's any more
    (context / "Dockerfile").write_text("FROM scratch\nCOPY nothing /\n")
    with pytest.raises(NotInstalled, match=r"The image could not be built:\n.*nothing"):
        store.make("2", "echo", context)
    store.remove("1")
    assert not store.ready("1")
    assert store.tagged() == ["echo"]
    store.forget("echo")
    assert store.tagged() == []
    assert subprocess.run([engine, "image", "inspect", TAG], capture_output=True).returncode


@pytest.mark.parametrize("left", ["removed", "program", "reset"])
def test_the_image_of_a_service_that_is_no_container_any_more_leaves_the_engine(tmp_path: Path, engine: str, left: str):
    files = {"Dockerfile": b'FROM scratch\nCOPY run /\nCMD ["/run"]\n', "run": b"#!/bin/sh\n"}
    with closing(open_storage(tmp_path / "state")) as storage:
        registry, _ = registry_of(storage, resources=Resources(), secret=bytes)
        registry.deploy("echo", files, Deployment())
        deadline = time.monotonic() + 120
        while registry.service("echo").state is ServiceState.BUILDING:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert _id_of(engine)
        if left == "removed":
            registry.remove("echo")
        elif left == "program":
            registry.deploy("echo", {"src/program.py": b"def run():\n    pass\n"}, Deployment())
        else:  # as where another process removes it
            storage.services.remove("echo")
            registry.own()
        assert subprocess.run([engine, "image", "inspect", TAG], capture_output=True).returncode


def test_an_image_without_a_registry_is_looked_for_where_docker_looks(tmp_path: Path, engine: str):
    (tmp_path / "Dockerfile").write_text("FROM qumulus-has-no-such-image:none\n")
    with pytest.raises(NotInstalled, match=r"docker\.io|denied"):
        Images(tmp_path / "images").make("1", "absent", tmp_path)


def test_what_is_printed_as_a_result_is_read_once_it_is_whole():
    heard = PrintedResult(1000)
    for line in ("PlanQK:Job:MultilineResult", "[1,", "2]"):
        heard.hear(line)
    assert heard.read() == (None, "The result that it printed does not end.")
    heard.hear("PlanQK:Job:MultilineResult ")
    assert json.loads(heard.read()[0] or b"") == [1, 2]


def test_a_printed_result_of_empty_lines_takes_no_more_memory_than_a_result_may():
    heard = PrintedResult(1 << 20)
    heard.hear("PlanQK:Job:MultilineResult")
    for _ in range(100_000):
        heard.hear("")
    assert len(heard._lines or ()) <= (1 << 20) // LINE_TAKES


def test_a_printed_result_of_very_many_values_is_left_out():
    heard = PrintedResult(256 << 20)
    heard.hear(f"PlanQK:Job:Result: [{'[0],' * 1_000_000}0]")
    assert heard.read() == (None, "The result that it printed has too many values: write it to output.json.")
