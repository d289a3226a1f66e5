"""`qumulus provider`: this machine as a device of an OQTOPUS cloud."""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import Annotated

import typer

from qumulus.core.errors import QumulusError
from qumulus.core.programs import Limits
from qumulus.serving.server import read_settings

from .options import address, fail

Url = Annotated[
    str,
    typer.Option(
        "--url", callback=address, help="The Provider API: a server's port 8888, or its address with /provider."
    ),
]
Named = Annotated[str, typer.Option("--device", help="The device's name in the cloud.")]
Like = Annotated[
    str | None,
    typer.Option(
        "--like", help="The device of `qumulus devices list` that jobs run on; the one of the same name if not set."
    ),
]
Workers = Annotated[int | None, typer.Option(min=1, help="Jobs that run at once; the number of cores if not set.")]
Poll = Annotated[float, typer.Option(min=0.05, help="Seconds between two looks for jobs.")]
Seconds = Annotated[float, typer.Option(min=1, help="Longest run of one job.")]
Drain = Annotated[float, typer.Option(min=0, help="Seconds that running jobs get when it is stopped.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing of single jobs.")]


def provider(
    device: Named,
    url: Url = "http://127.0.0.1:8888",
    like: Like = None,
    workers: Workers = None,
    poll: Poll = 0.5,
    job_seconds: Seconds = 3600.0,
    drain_seconds: Drain = 7.0,
    quiet: Quiet = False,
) -> None:
    """Be the engine of a device in an OQTOPUS cloud.

    Fetches its jobs over the Provider API, runs them on this machine and reports.

    Ctrl-C stops fetching, gives what runs some seconds, and hands the rest back. The key of the Provider API is read from
    QUMULUS_PROVIDER_KEY. A cloud of `qumulus serve` has to know that an engine runs the device:
    qumulus devices set DEVICE --provider
    """
    from qumulus.catalogue import SnapshotCatalogue
    from qumulus.device_engine import serving
    from qumulus.device_engine.cloud import ProviderCloud
    from qumulus.device_engine.remote import RemoteQueue

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger().handlers[0].addFilter(_Changes())
    catalogue = SnapshotCatalogue()
    try:
        simulated = catalogue.device(like or device)
    except QumulusError:
        fail(
            f"There is no device named {like or device!r} to run jobs on: name one of `qumulus devices list` with --like."
        )
    settings = read_settings([])
    cloud = ProviderCloud(url, device, settings.provider_key.get_secret_value())
    try:
        serving.announce(cloud, simulated, catalogue)
    except QumulusError as error:
        fail(f"{error} Set --url, --device and QUMULUS_PROVIDER_KEY to those of the cloud.")
    queue = RemoteQueue(cloud, simulated.name, poll_seconds=poll, tell=(lambda _: None) if quiet else _say)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    _say(f"{device} is getting ready …")
    serving.serve(
        cloud,
        queue,
        simulated=simulated.name,
        workers=workers,
        limits=Limits(seconds=job_seconds, approximate=True),
        noise=settings.noise,
        drain_seconds=drain_seconds,
        stop=stop,
        on_ready=lambda count: _say(f"{device} takes jobs of {url}, {count} at once. Ctrl-C stops it."),
    )
    _say(", ".join(f"{count} {what}" for what, count in sorted(queue.tally.items())) or "No jobs came.")


def _say(text: str) -> None:
    typer.echo(f"{time.strftime('%H:%M:%S')} {text}")


class _Changes(logging.Filter):
    """Lets a sentence through when it is another one than the last: a cloud that is away is told of once."""

    def __init__(self) -> None:
        super().__init__()
        self._last = ""

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a record is to be printed."""
        text = record.getMessage()
        repeated, self._last = text == self._last, text
        return not repeated
