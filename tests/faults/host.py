"""A server without a web: a process with a storage and a dispatcher on a folder, which takes jobs as lines and answers with ids.

`python host.py HOME WORKERS`: each line `KIND PAYLOAD KEY` is submitted; the id is printed once it is on disk.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from qumulus.core.jobs import NewJob
from qumulus.core.programs import Limits
from qumulus.execution import Dispatcher
from qumulus.storage import open_storage


def main() -> None:
    home, workers = Path(sys.argv[1]), int(sys.argv[2])
    storage = open_storage(home, url=os.environ.get("QUMULUS_DATABASE"))
    dispatcher = Dispatcher(storage, "programs:run", workers=workers, limits=Limits(seconds=60, memory_bytes=512 << 20))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    dispatcher.start()
    print("up", flush=True)
    try:
        for line in sys.stdin:
            kind, payload, key = line.split()
            new = NewJob(
                account="local", device="d", api="test", kind=kind, payload=payload.encode(), idempotency_key=key
            )
            print(storage.jobs.submit(new).id, flush=True)
    finally:
        dispatcher.drain(3)
        dispatcher.stop()
        storage.close()


if __name__ == "__main__":
    main()
