"""Running jobs on the machines of a Ray cluster.

```
server process ── dispatcher, slots (threads)
   └─ driver (this package)          speaks with the server as a fork server does; the only process that knows Ray
        ┆ calls of actors: bytes of our own frames, nothing else
        └─ actor (on any node)       one place; holds a fork server of its own, runs nothing itself
             └─ fork server ── worker
```

The driver takes the place of the fork server (`execution.fork_server`): the same five-byte commands, the same frames. So the
dispatcher, its slots and how a run may end are the same on one machine and on many. Ray finds a place for each actor by its CPU
and memory and says when one is gone; workers, limits and isolation are those of `execution.worker`. A worker that dies, dies
of its job: the attempt counts. An actor that dies was lost with its node: the attempt does not count.

Ray is imported in the driver and in the actors, never in a process that serves requests or decodes what people send.
"""

from __future__ import annotations

import importlib.util
import sys

LOCAL = "ray"
"""The name of the cluster that the driver starts itself, on this machine."""


ANSWER_SECONDS = 60.0
"""A place that says nothing for so long is lost, and its jobs are begun again elsewhere."""


def command(address: str, places: int | None = None, answer_seconds: float = ANSWER_SECONDS) -> tuple[str, ...]:
    """Return the command of the driver: the cluster's address or `LOCAL`, how many places to have at most (None: one a CPU), and for how
    long a place may say nothing."""
    driver = (sys.executable, "-m", "qumulus.cluster.driver")
    return (*driver, address, str(places or 0), str(answer_seconds))


def missing() -> str | None:
    """Why jobs can't be run on a cluster from here, in a sentence; None if they can."""
    if importlib.util.find_spec("ray") is None:
        return "Running jobs on a cluster needs the extra 'cluster': install it with `pip install 'qumulus[cluster]'`."
    return None
