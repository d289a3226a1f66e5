"""How jobs are run: a dispatcher in one server process, a fork server, and workers that it forks.

```
server process ─┬─ dispatcher, slots (threads)       claims, finishes: the only ones that write
                └─ fork server (exec)                imports, freezes; forks, kills, reaps; never runs anything
                     ├─ worker                       decodes and runs one program at a time, over its own socket to its slot
                     └─ worker
```

Workers have no access to the state. A worker that dies takes one run with it; a fork server that dies takes its workers along
(the kernel sees to it), and the jobs are handed back; a server that dies takes the fork server along, and the process that next
owns the folder hands the jobs back. Another way of running takes the place of the fork server, and speaks as it does: see
`cluster`, which has jobs run on the machines of a Ray cluster.
"""

from .dispatcher import ENTRY, Dispatcher
from .worker_pool import HERE

__all__ = ["ENTRY", "HERE", "Dispatcher"]
