"""What one execution may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

KiB, MiB, GiB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Limits of one execution; over one of them it is ended and FAILED with the figure."""

    seconds: float = 3600.0  # from its start to its end
    cores: int = 1
    memory_bytes: int = 4 * GiB  # of all its processes together
    processes: int = 256  # threads count too
    files: int = 1024  # open at once
    file_bytes: int = 512 * MiB
    disk_bytes: int = 1 * GiB  # of all that it writes, the temporary files included
    disk_entries: int = 20_000
    output_bytes: int = 256 * MiB
    output_files: int = 1000
    log_bytes: int = 16 * MiB
    line_bytes: int = 1 * MiB  # a longer line is cut
    grace_seconds: float = 1.0  # between SIGTERM and SIGKILL

    def for_child(self) -> Mapping[str, float]:
        """Return the members by which the child and the kernel hold an execution to its limits."""
        known = asdict(self)
        wanted = ("memory_bytes", "processes", "files", "file_bytes", "disk_bytes", "disk_entries")
        return {name: known[name] for name in wanted} | {"cpu_seconds": self.seconds * max(1, self.cores) + 1}
