"""Numbers are computed on one thread, as in a worker: the package says so before numpy is there."""

import qumulus.simulation  # noqa: F401
