"""`qumulus worker`: runs the jobs that servers accept into the same state, without HTTP."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence

from .server import parser, read_settings, stop, stop_without, tell, write_file

DESCRIPTION = (
    "Run the jobs that servers accept into the same state, without HTTP. On SQLite one process runs the jobs of a folder, and "
    "others wait until it ends; on PostgreSQL all do."
)
OF_SERVERS = frozenset(
    [
        "host",
        "port",
        "workers",
        "api_only",
        "auth",
        "token",
        "provider_key",
        "instances",
        "show_mocks",
        "device_info",
        "provider_lease",
        "front",
        "admin_token",
        "allow_exposed",
        "allowed_hosts",
        "tls_certificate",
        "tls_key",
        "intercept_port",
        "intercept_hosts",
        "pass_hosts",
        "upstream",
        "upstream_hosts",
        "listener",
        "siblings",
        "status_hold",
        "max_body_mib",
        "service_at_root",
        "services_relative_links",
    ]
)  # settings that mean nothing here


def main(arguments: Sequence[str] | None = None) -> None:
    """Run jobs until a signal stops the process."""
    settings = read_settings(
        sys.argv[1:] if arguments is None else arguments, parser("worker", DESCRIPTION, OF_SERVERS)
    )
    from . import logging
    from .devices import sent
    from .runners import Runners, opened
    from .start_error import StartError

    logging.configure(settings)
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    try:
        storage = opened(settings, accepts=False)
    except StartError as error:
        stop(str(error), 2)
    storage.queue.sent_devices = sent(storage)
    runners = Runners(settings, storage, accepts=False)
    if settings.parent:
        stop_without(settings.parent)
    runners.start()
    try:
        tell(f"Qumulus runs the jobs in {storage.place}. Stop with Ctrl-C; what runs then is handed back.")
        if settings.ready_file:
            write_file(settings.ready_file, {})
        told.wait()
    finally:
        runners.end()
