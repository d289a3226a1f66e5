"""Which control groups a server may make, by what the kernel says of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qumulus.services.child.inside import cgroup
from qumulus.services.control_groups import OWN_LEAF, ControlGroups, NoGroups, delegated
from qumulus.services.resources import Resources
from qumulus.services.sandbox import Sandbox

MOUNT = "31 24 0:27 / {place} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"


def tree(folder: Path, controllers: str = "cpu io memory pids", processes: str = "", enabled: str = "") -> Path:
    """A group as the kernel shows it, with this server in it."""
    group = folder / "user.slice" / "app.scope"
    group.mkdir(parents=True)
    (group / "cgroup.controllers").write_text(controllers)
    (group / "cgroup.subtree_control").write_text(enabled)
    (group / "cgroup.procs").write_text(processes)
    return group


def asked(folder: Path, own: str = "0::/user.slice/app.scope\n") -> ControlGroups:
    return delegated(own, MOUNT.format(place=folder))


def test_a_group_of_the_servers_own_is_opened_for_groups_below_it(tmp_path: Path):
    group = tree(tmp_path)
    assert asked(tmp_path) == ControlGroups(group)
    assert set((group / "cgroup.subtree_control").read_text().split()) == {"+memory", "+pids", "+cpu"}
    assert (group / OWN_LEAF).is_dir()


def test_a_group_that_is_open_already_is_left_as_it_is(tmp_path: Path):
    group = tree(tmp_path, enabled="cpu memory pids", processes="1\n")
    assert asked(tmp_path).folder == group
    assert not (group / OWN_LEAF).exists()


def test_other_processes_in_the_group_are_not_moved(tmp_path: Path):
    tree(tmp_path, processes=f"{os.getppid()}\n")
    with pytest.raises(NoGroups, match="other processes: start it with `systemd-run --user --scope`"):
        asked(tmp_path)


@pytest.mark.parametrize(
    ("own", "mounts", "controllers", "said"),
    [
        ("4:memory:/x\n", MOUNT, "memory", "there are no control groups of version 2"),
        ("0::/user.slice/app.scope\n", "", "memory", "there are no control groups of version 2"),
        ("0::/user.slice/app.scope\n", MOUNT, "io pids", "don't have cpu and memory"),
        ("0::/elsewhere\n", MOUNT, "cpu memory pids", "can't be made (No such file or directory)"),
    ],
)
def test_where_none_can_be_had_the_reason_is_said(tmp_path: Path, own: str, mounts: str, controllers: str, said: str):
    tree(tmp_path, controllers)
    with pytest.raises(NoGroups) as caught:
        delegated(own, mounts.format(place=tmp_path))
    assert said in str(caught.value)


def test_the_group_of_an_execution_has_its_limits(tmp_path: Path):
    groups = ControlGroups(tmp_path)
    made = groups.make("a", Resources(cores=2, memory_bytes=128 << 20, processes=20))
    written = {file.name: file.read_text().strip() for file in made.iterdir()}
    assert written == {
        "memory.max": str(128 << 20),
        "memory.oom.group": "1",
        "pids.max": "20",
        "cpu.max": "200000 100000",
    }


@pytest.mark.parametrize(("told", "over"), [("oom 1\noom_kill 0\n", False), ("oom 1\noom_kill 2\n", True), ("", False)])
def test_a_group_that_the_kernel_has_ended_for_its_memory_is_told_apart(tmp_path: Path, told: str, over: bool):
    (tmp_path / "memory.events").write_text(told)
    assert cgroup.over_memory(str(tmp_path)) is over
    assert cgroup.over_memory(None) is False


def test_a_process_enters_the_group_that_was_made_for_it(tmp_path: Path):
    cgroup.enter(str(tmp_path))
    cgroup.enter(None)
    assert (tmp_path / "cgroup.procs").read_text() == "0"


def test_the_start_says_what_holds_programs_to_their_memory(tmp_path: Path):
    counted = Sandbox("own", False, True, why_counted="there are no control groups of version 2")
    assert counted.words().endswith("is counted 20 times a second, since there are no control groups of version 2.")
    held = Sandbox("own", False, True, filtered=True, groups=ControlGroups(tmp_path))
    assert held.words().endswith("The kernel holds their memory, processes and processor time by control groups.")
