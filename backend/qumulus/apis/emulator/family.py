"""Our own API: the server's root falls to it, and no client but our own asks it."""

from __future__ import annotations

from qumulus.apis.family import Credential, Family

EMULATOR = Family(
    name="emulator",
    title="Qumulus",
    apis=(),  # it is told of all others, and so made after them: see `serving.app`
    credentials=(Credential(scheme="admin", setting="admin_token", documents=("Administrator",)),),
    kinds=("drawing",),
)
