"""Running the programs of users (executions of services) on the machines of a Ray cluster.

```
server process ── slot (thread) ── execution (`remote`)
   └─ driver                      one for all executions of a process; the only one that knows Ray
        ┆ calls of actors: bytes of our own frames, nothing else
        └─ actor (on any node)         one execution; has the CPU and memory of the service from Ray
             └─ sandboxed child   as on one machine: `services.execution`
```

The slot keeps the claim, and what it hears from an actor that was given up changes nothing: that is what fences off a lost node.
"""

from __future__ import annotations

import sys


def command(address: str) -> tuple[str, ...]:
    """Return the command of the driver for the cluster at that address."""
    return (sys.executable, "-m", "qumulus.cluster.services.driver", address)
