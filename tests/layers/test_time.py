"""Time is that of the cloud or that of the machine, and who takes the second says why."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SOURCE = REPOSITORY / "backend" / "qumulus"
RUFF = Path(sys.executable).with_name("ruff")

OF_THE_MACHINE = {
    "core/clock.py": "reads it",
    "core/ports/time.py": "is the port",
    "core/ports/__init__.py": "is the list of ports",
    "apis/ibm/tokens.py": "clients renew bearer tokens by their own clock",
    "apis/oqtopus/bearers.py": "a page renews its login by the clock of its own machine",
    "apis/oqtopus/login/pool.py": "second factors and sessions of a page, which go by the clocks of people's machines",
    "apis/emulator/translate/clock.py": "shows it beside that of the cloud",
    "storage/storage.py": "opens the state",
    "storage/clock.py": "is the clock of the cloud, on top of it",
    "storage/jobs/at_once.py": "leases",
    "storage/jobs/queue.py": "leases",
    "storage/secrets.py": "sealed secrets that nobody fetched are swept",
    "storage/pools.py": "changes of files, which have the dates of the disk where files are on one",
    "storage/trial.py": "a row that is written to see whether rows can be written",
    "storage/blobs/disk.py": "unfinished values are swept",
    "storage/blobs/table.py": "unfinished values are swept",
    "storage/database/database.py": "what leases and sweeping go by",
    "storage/database/sqlite.py": "what leases and sweeping go by",
    "storage/database/postgres.py": "what leases go by: machines that share a database differ",
    "storage/database/clock_jump.py": "whether leases can be believed",
    "storage/database/reconnect.py": "how long the database has been away",
    "storage/backup.py": "when a copy was made",
    "storage/examination.py": "opens a database to look at it",
    "serving/diagnosis.py": "whether certificates and the clock of the machine are well",
    "commands/doctor.py": "whether the clocks of two machines differ",
    "services/unpacked.py": "files of versions that nobody runs are swept",
    "cluster/services/actor.py": "files of versions that nobody runs are swept, and log lines that are dated again here",
    "execution/worker.py": "log lines, which the slot dates by the cloud",
    "simulation/drifting.py": "what it is in the cloud, in a process without its state",
    "simulation/programs/runtime/submission.py": "what it is in the cloud, in a process without its state",
    "device_engine/serving.py": "a device elsewhere, whose clock nobody sets",
}
TAKES = re.compile(r"\b(MachineClock|SystemClock)\b|\.wall\(|database\.clock\b")

WRONG = {
    "import time\n\nprint(time.time())\n": "time.time",
    "from time import time\n\nprint(time())\n": "time.time",
    "from datetime import UTC, datetime\n\nprint(datetime.now(UTC))\n": "datetime.datetime.now",
    "import datetime\n\nprint(datetime.datetime.utcnow())\n": "datetime.datetime.utcnow",
}


def test_who_takes_the_clock_of_the_machine_is_known_with_a_reason():
    """Anything that people see belongs to the clock of the cloud: then it follows when somebody sets that."""
    takers = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if TAKES.search(path.read_text())}
    assert takers == OF_THE_MACHINE.keys()


@pytest.mark.parametrize("code", WRONG)
def test_a_time_that_is_nobodys_is_refused(code):
    command = [RUFF, "check", "--output-format=concise", "--stdin-filename", SOURCE / "core" / "made_up.py", "-"]
    said = subprocess.run(command, input=code, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert f"TID251 `{WRONG[code]}` is banned: Say whose time it is" in said.stdout
