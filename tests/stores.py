"""A local S3 store: moto's server, as a process of its own, with one bucket."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

from servers import free_port

BUCKET = "qumulus"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "somebody",
    "AWS_SECRET_ACCESS_KEY": "the-secret-of-somebody",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Store:
    """The store. Use it in a `with`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, prefix: str = "values", **more: str) -> str:
        """As QUMULUS_BLOBS names it."""
        query = "&".join(f"{name}={value}" for name, value in ({"endpoint": self.endpoint} | more).items())
        return f"s3://{BUCKET}/{prefix}?{query}"

    def start(self) -> Store:
        """Begin; what was stored before is gone."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            env=os.environ | CREDENTIALS,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                request = urllib.request.Request(f"{self.endpoint}/{BUCKET}", method="PUT")
                with urllib.request.urlopen(request, timeout=5):
                    return self
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.1)

    def pause(self) -> None:
        """Let nobody through: nothing is lost, and nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """After `pause`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """As if it had crashed."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Store:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
