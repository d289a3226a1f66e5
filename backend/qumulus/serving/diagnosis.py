"""What could be wrong with this machine, this installation and this state; each with what to do."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from qumulus import __version__
from qumulus.core.clock import SystemClock
from qumulus.core.health import Finding, Grade
from qumulus.settings import Settings
from qumulus.storage import StateUnusable
from qumulus.storage.database import schema
from qumulus.storage.database.sqlite import refuse_network
from qumulus.storage.examination import examine, missing_steps

from .process_limits import SPARE_FILES, objections

LEAST_FREE = 1 << 30  # bytes
LEAST_SHARE = 0.05
SOON = timedelta(days=30)
SKEW = timedelta(seconds=5)
OTHERS = stat.S_IRWXG | stat.S_IRWXO

Check = Callable[[Settings], Iterator[Finding]]


def diagnose(settings: Settings) -> Sequence[Finding]:
    """Look at everything; a server that uses the state goes on."""
    return [finding for check in CHECKS for finding in check(settings)]


def _versions(_settings: Settings) -> Iterator[Finding]:
    from packaging.requirements import Requirement

    told = f"Qumulus {__version__} on Python {platform.python_version()}, {platform.system()} {platform.release()}"
    yield Finding(what="version", told=told)
    wrong = []
    for text in requires("qumulus") or ():
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            wrong.append(f"{wanted.name} is missing")
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            wrong.append(f"{wanted.name} is {found}, not {wanted.specifier}")
    if wrong:
        do = "Install Qumulus again, into an environment of its own."
        yield Finding(what="packages", grade=Grade.WRONG, told="; ".join(wrong), do=do)
    else:
        yield Finding(what="packages", told="as this version needs them")


def _store(settings: Settings) -> Iterator[Finding]:
    home = settings.home.absolute()
    if settings.database is not None:
        yield from _postgres(settings)
        return
    try:
        seen = examine(home)
        if home.exists():
            refuse_network(home)
    except StateUnusable as error:
        yield Finding(what="store", grade=Grade.WRONG, told=str(error), do="See above.")
        return
    if seen is None:
        yield Finding(what="store", told=f"no state in {home} yet: the first start makes one")
        return
    if seen.damage:
        do = "Stop the server, move the folder away, and put back a backup with `qumulus restore`."
        yield Finding(what="store", grade=Grade.WRONG, told=f"the database is damaged: {seen.damage[:120]}", do=do)
        return
    told = f"{seen.jobs} jobs, {seen.size >> 20} MiB in {home}"
    yield Finding(what="store", told=told)
    yield from _tables(seen.tables)
    if seen.lost and settings.blobs is None:
        do = "Put back a backup, or delete the jobs whose results are gone."
        yield Finding(what="values", grade=Grade.WRONG, told=f"{seen.lost} large values are missing", do=do)
    if home.stat().st_mode & OTHERS:
        do = f"chmod 700 {home}"
        yield Finding(what="folder", grade=Grade.LOOK, told="others on this machine can look into the state", do=do)
    if seen.newest and seen.newest > SystemClock().wall() + SKEW:
        do = "Set the clock of this machine, and have it kept by NTP."
        told = f"the newest job was submitted at {seen.newest:%Y-%m-%d %H:%M:%S} UTC, which is still to come"
        yield Finding(what="clock", grade=Grade.WRONG, told=told, do=do)
    else:
        yield Finding(what="clock", told="not behind the newest job")


def _tables(tables: str | None) -> Iterator[Finding]:
    try:
        missing = missing_steps(tables)
    except StateUnusable as error:
        yield Finding(what="tables", grade=Grade.WRONG, told=str(error), do="Install the newer version.")
        return
    if missing:
        do = "Try `qumulus upgrade --check`; the next start does it."
        yield Finding(what="tables", grade=Grade.LOOK, told=f"{len(missing)} upgrades are to be made", do=do)
    else:
        yield Finding(what="tables", told=f"of this version ({schema.HEAD})")


def _postgres(settings: Settings) -> Iterator[Finding]:
    from sqlalchemy.exc import DBAPIError

    from qumulus.core.clock import SystemClock
    from qumulus.core.errors import QumulusError
    from qumulus.storage.storage import open_database

    try:
        database = open_database(settings.home, settings.database, SystemClock())
    except (StateUnusable, QumulusError) as error:
        yield Finding(
            what="store", grade=Grade.WRONG, told=str(error), do="Look at QUMULUS_DATABASE and at the database."
        )
        return
    try:
        with database.engine.connect() as connection:
            tables = schema.current(connection)
        yield Finding(what="store", told=f"PostgreSQL at {database.name}")
        yield from _tables(tables)
    except DBAPIError as error:
        told = f"the tables can't be read: {str(error.orig).splitlines()[0]}"
        yield Finding(what="store", grade=Grade.WRONG, told=told, do="Look at QUMULUS_DATABASE and at the database.")
    finally:
        database.close()


def _disk(settings: Settings) -> Iterator[Finding]:
    place = next(path for path in (settings.home.absolute(), *settings.home.absolute().parents) if path.exists())
    if not os.access(place, os.W_OK):
        do = f"Give {place} to the user who starts the server, or name another folder with --home."
        yield Finding(what="disk", grade=Grade.WRONG, told=f"{place} can't be written", do=do)
        return
    usage = shutil.disk_usage(place)
    told = f"{usage.free / (1 << 30):.3g} GiB of {usage.total / (1 << 30):.3g} GiB are free at {place}"
    if usage.free < max(LEAST_FREE, 0):
        yield Finding(what="disk", grade=Grade.WRONG, told=told, do="Free some space, or keep less with QUMULUS_KEEP.")
    elif usage.free < LEAST_SHARE * usage.total:
        yield Finding(what="disk", grade=Grade.LOOK, told=told, do="Free some space, or keep less with QUMULUS_KEEP.")
    else:
        yield Finding(what="disk", told=told)


def _workers(settings: Settings) -> Iterator[Finding]:
    count, each = settings.simulation_count, settings.worker_memory_mib
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    told = f"{count} simulations of {each} MiB at once, on {os.cpu_count()} cores with {memory} MiB"
    if count * each > memory:
        do = "Nothing, as long as few jobs are large: jobs wait for memory. Else set QUMULUS_SIMULATIONS or QUMULUS_WORKER_MEMORY_MIB lower."
        yield Finding(what="workers", grade=Grade.LOOK, told=told, do=do)
    else:
        yield Finding(what="workers", told=told)


def _limits(settings: Settings) -> Iterator[Finding]:
    for told in objections(settings.max_connections):
        yield Finding(what="limits", grade=Grade.WRONG, told=told, do="Start the server as the sentence says.")
    files, _most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.max_connections + SPARE_FILES
    told = f"{files} open files, {settings.max_connections} connections"
    if files != resource.RLIM_INFINITY and files < wanted:
        do = f"ulimit -n {wanted}, or LimitNOFILE={wanted} in the unit; or QUMULUS_MAX_CONNECTIONS lower."
        yield Finding(what="limits", grade=Grade.LOOK, told=told, do=do)
    else:
        yield Finding(what="limits", told=told)
    address, _ = resource.getrlimit(resource.RLIMIT_AS)
    if address != resource.RLIM_INFINITY:
        do = "ulimit -v unlimited: memory is limited by QUMULUS_WORKER_MEMORY_MIB, run by run."
        told = f"this shell has {address >> 20} MiB of addresses for each process"
        yield Finding(what="addresses", grade=Grade.LOOK, told=told, do=do)


def _sandbox(settings: Settings) -> Iterator[Finding]:
    from qumulus.services.dispatcher import UNSAFE
    from qumulus.services.sandbox import probe

    try:
        found = probe(groups=False)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        yield Finding(what="sandbox", grade=Grade.WRONG, told=str(error), do="See docs/planqk.md.")
        return
    if not found.holds and not settings.allow_unsandboxed:
        yield Finding(what="sandbox", grade=Grade.WRONG, told=UNSAFE, do="See docs/planqk.md.")
        return
    yield Finding(what="sandbox", told=found.kept())
    offered = Path("/sys/fs/cgroup/cgroup.controllers")
    if not offered.is_file() or not {"memory", "pids", "cpu"} <= set(offered.read_text().split()):
        told = "this machine has no control groups of version 2: memory of programs is counted, not held by the kernel"
        do = "Start the kernel with cgroup v2, if programs are not to be trusted."
        yield Finding(what="memory", grade=Grade.LOOK, told=told, do=do)


def _certificates(settings: Settings) -> Iterator[Finding]:
    from cryptography import x509

    own = [] if settings.tls_certificate is None else [("HTTPS", settings.tls_certificate)]
    for name, path in (*own, ("local authority", settings.home / "ca" / "ca.pem")):
        if name != "HTTPS" and not path.is_file():
            continue
        try:
            ends = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
        except (OSError, ValueError) as error:
            yield Finding(
                what="certificate", grade=Grade.WRONG, told=f"{path}: {error}", do="Put a PEM certificate there."
            )
            continue
        yield _certificate(name, path, ends)


def _certificate(name: str, path: Path, ends: datetime) -> Finding:
    told = f"{name}: valid until {ends:%Y-%m-%d} ({path})"
    if ends < SystemClock().wall():
        return Finding(what="certificate", grade=Grade.WRONG, told=told, do="Renew it.")
    grade = Grade.LOOK if ends < SystemClock().wall() + SOON else Grade.WELL
    return Finding(what="certificate", grade=grade, told=told, do="Renew it soon." if grade is Grade.LOOK else None)


def _credentials(settings: Settings) -> Iterator[Finding]:
    if reason := settings.exposure():
        yield Finding(what="credentials", grade=Grade.WRONG, told=reason, do="See docs/security.md.")
    elif settings.loopback:
        yield Finding(what="credentials", told=f"only this machine reaches {settings.host}")
    else:
        yield Finding(what="credentials", told=f"others reach {settings.host}, with credentials of your own")


CHECKS: Sequence[Check] = (
    _versions,
    _store,
    _disk,
    _workers,
    _limits,
    _sandbox,
    _certificates,
    _credentials,
)
