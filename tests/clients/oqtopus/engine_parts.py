"""The engine of OQTOPUS as it is run: its services as processes, from source that variables name, with their own configuration files.

Nothing is changed in them but addresses, which they read from the environment, and the port of the device gateway, which stands in its file.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from clients.environments import NoPython, environment
from servers import free_port
from sources import source_of

SECONDS = 90  # until a service listens, on a busy machine


@dataclass(frozen=True)
class Source:
    """A repository of OQTOPUS that is on no index."""

    variable: str
    repository: str
    revision: str
    folders: tuple[str, ...]

    def into(self, folder: Path) -> Path:
        """The folder that has its source. The test is skipped, with the reason, where the source isn't named."""
        named = source_of(self.variable, f"oqtopus-team/{self.repository}")
        folder.mkdir(parents=True)
        if all((Path(named) / each).is_dir() for each in self.folders):
            for each in self.folders:
                shutil.copytree(Path(named) / each, folder / each)
            return folder
        archive = subprocess.run(
            ["git", "-C", named, "archive", self.revision, *self.folders], capture_output=True, check=True
        ).stdout
        subprocess.run(["tar", "x", "-C", folder], input=archive, check=True)
        return folder


ENGINE = Source(
    "OQTOPUS_ENGINE_SOURCE", "oqtopus-engine 2.1.1", "v2.1.1", ("core", "combiner", "estimator", "mitigator")
)
TRANQU = Source("OQTOPUS_TRANQU_SERVER_SOURCE", "tranqu-server", "HEAD", ("src", "config"))
GATEWAY = Source("OQTOPUS_DEVICE_GATEWAY_SOURCE", "device-gateway", "HEAD", ("src", "config"))


@dataclass(frozen=True)
class Part:
    """A process of the engine."""

    python: str  # the environment that has its packages
    command: tuple[str, ...]
    folder: Path
    address: str | None = None  # the variable that says where it listens


def parts(folder: Path) -> dict[str, Part]:
    """What is started, in this order, by the names of their ports."""
    engine, tranqu, gateway = (source.into(folder / source.variable.lower()) for source in (ENGINE, TRANQU, GATEWAY))
    given = ("-c", "config/config.yaml", "-l", "config/logging.yaml")
    services = "oqtopus-engine-services-2.1.1"
    found = {
        name: Part(services, ("-m", f"oqtopus_engine_{name}.app", *given), engine / name, f"{name.upper()}_ADDRESS")
        for name in ("combiner", "estimator", "mitigator")
    }
    found["tranqu"] = Part(
        "oqtopus-tranqu-server-1.0.1", ("-m", "tranqu_server.proto.service", *given), tranqu, "TRANQU_ADDRESS"
    )
    shutil.copytree(gateway / "config" / "example", gateway / "config", dirs_exist_ok=True)
    shutil.copy(gateway / "config" / "config.yaml.qulacs", gateway / "config" / "config.yaml")
    found["gateway"] = Part(
        "oqtopus-device-gateway-1.1.9", ("src/device_gateway/service.py", *given), gateway, "GATEWAY_ADDRESS"
    )
    found["core"] = Part(services, ("-m", "oqtopus_engine_core.app", *given), engine / "core")
    return found


@contextmanager
def running(parts: Mapping[str, Part], logs: Path, settings: Mapping[str, str]) -> Iterator[None]:
    """Start all, each once the one before listens; all are killed at the end."""
    try:
        pythons = {part.python: environment(part.python) for part in parts.values()}
    except NoPython as error:
        pytest.skip(f"{error} The engine runs on no other version.")
    addresses = {part.address: f"localhost:{free_port()}" for part in parts.values() if part.address}
    with ExitStack() as stack:
        for name, part in parts.items():
            (part.folder / "logs").mkdir(exist_ok=True)
            if name == "gateway":
                file = part.folder / "config" / "config.yaml"
                port = addresses["GATEWAY_ADDRESS"].rpartition(":")[2]
                file.write_text(file.read_text().replace("[::]:51021", f"localhost:{port}"))
            log = stack.enter_context((logs / f"{name}.log").open("wb"))
            process = subprocess.Popen(
                [pythons[part.python], *part.command],
                cwd=part.folder,
                env={
                    **settings,
                    **addresses,
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": str(part.folder / "src"),
                    "OTEL_SDK_DISABLED": "true",
                },
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            if part.address:
                _listening(addresses[part.address], process, logs / f"{name}.log")
        yield


def _listening(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    host, _, port = address.partition(":")
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection((host, int(port)), 1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing listens on {address}:\n{log.read_text()[-3000:]}")
