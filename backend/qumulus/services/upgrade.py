"""What an older version kept in the folder of services, taken over into the stores that came after it.

deployed/<name>/current.json, deployed/<name>/<version>/, entrusted/, and pools/ where data pools stand in no folder any more

Nothing of it is removed: an older version finds what it had.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Generator
from datetime import datetime
from pathlib import Path

from qumulus.core.errors import UnknownPool
from qumulus.core.ports import Deployed, PoolStore, SealedStore, ServiceStore
from qumulus.core.services import Deployment, Service, ServiceState

from . import archive
from .folders import remove
from .pool_folder import PoolFolder

TAKEN = ".taken-over"  # in a folder from which everything was taken over


def take_over(folder: Path, services: ServiceStore, sealed: SealedStore, pools: PoolStore | None) -> None:
    """Take over what ``folder`` has; ``pools`` is None where data pools stay in it."""
    remove(folder / "lent")  # copies of data pools for runs that were killed: those of today stand in `mounted`
    if _has(folder / "deployed"):
        with _alone(folder / "deployed"):
            _take_services(folder, services, sealed)
    if pools is not None and _has(folder / "pools"):
        with _alone(folder / "pools"):
            old = PoolFolder(folder / "pools")
            for pool in old.pools():
                _copy(old, pools, pool.id)


def _take_services(folder: Path, services: ServiceStore, sealed: SealedStore) -> None:
    for current in sorted((folder / "deployed").glob("*/current.json")):
        told = json.loads(current.read_bytes())
        deployed = Deployed(service=_service(told["service"]), deployment=Deployment(**told["deployment"]))
        place = current.parent / deployed.service.version
        files = {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}
        services.put(deployed, archive.zipped(files))
    for path in (folder / "entrusted").glob("*"):
        sealed.keep(path.name, path.read_bytes())


def _copy(old: PoolFolder, pools: PoolStore, pool_id: str) -> None:
    try:
        pools.pool(pool_id)
    except UnknownPool:
        pools.put(old.pool(pool_id))
        pools.add(pool_id, ((file.name, old.content(pool_id, file.name)) for file in old.files(pool_id)))


def _has(folder: Path) -> bool:
    return folder.is_dir() and not (folder / TAKEN).exists()


@contextlib.contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Take over in one process, while the others wait for its end."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _has(folder):
            yield
            (folder / TAKEN).touch()


def _service(told: dict[str, object]) -> Service:
    said = dict(told)
    state, deployed_at = ServiceState(str(said.pop("state"))), datetime.fromisoformat(str(said.pop("deployed_at")))
    return Service(**said, state=state, deployed_at=deployed_at)  # ty: ignore[invalid-argument-type]
