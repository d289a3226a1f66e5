"""From the core's words to our own API's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from pydantic import MISSING

from qumulus.core import accounts, devices, jobs, ports, results
from qumulus.core.health import Check, first_need

from .schemas import emulator
from .schemas.accounts import Account
from .schemas.devices import Device, DeviceDetails, DeviceKind, DeviceSettings
from .schemas.instances import Instance, NewInstance
from .schemas.jobs import Job, JobState, Log, LogLine, Severity
from .schemas.state import Forgotten
from .schemas.tokens import CreatedToken, Token, TokenApi


def health(checks: Sequence[Check]) -> emulator.Health:
    """Whether the server is well."""
    reason = first_need(checks)
    looked_at = [
        emulator.Check(name=emulator.CheckName(each.name), well=each.well, reason=each.reason or MISSING)
        for each in checks
    ]
    return emulator.Health(live=True, ready=reason is None, checks=looked_at or MISSING, reason=reason or MISSING)


def job(known: jobs.Job) -> Job:
    """A job."""
    return Job(
        id=known.id,
        account=known.account,
        api=known.api,
        kind=known.kind,
        device=known.device,
        state=JobState(known.state),
        name=known.name,
        shots=known.shots,
        tags=list(known.tags),
        session=known.session,
        instance=known.instance,
        created_at=known.created_at,
        queued_at=known.queued_at,
        running_at=known.running_at,
        ended_at=known.ended_at,
        attempt=known.attempt,
        reason=known.reason,
        reason_code=known.reason_code,
        run_seconds=known.run_seconds,
        metadata=dict(known.metadata),
    )


def log(lines: tuple[results.LogLine, ...]) -> Log:
    """The lines of a job."""
    return Log(lines=[LogLine(time=line.time, severity=Severity(line.severity), text=line.text) for line in lines])


def device(known: devices.Device, settings: devices.DeviceSettings, pending: int) -> Device:
    """A device as lists show it."""
    return Device(
        name=known.name,
        kind=DeviceKind(known.kind),
        n_qubits=known.n_qubits,
        family=known.family,
        calibrated_at=known.calibrated_at,
        pending=pending,
        settings=device_settings(settings),
    )


def device_details(known: devices.Device, settings: devices.DeviceSettings, pending: int) -> DeviceDetails:
    """A device with its gates."""
    short = device(known, settings, pending)
    return DeviceDetails(**dict(short), basis_gates=list(known.basis_gates), description=known.description)


def device_settings(known: devices.DeviceSettings) -> DeviceSettings:
    """What is set for a device."""
    return DeviceSettings(**asdict(known))


def core_settings(body: DeviceSettings) -> devices.DeviceSettings:
    """What is to be set for a device."""
    return devices.DeviceSettings(**dict(body))


def token(known: accounts.Token) -> Token:
    """A credential, whose secret nobody knows."""
    return Token(
        id=known.id,
        account=known.account,
        api=TokenApi(known.scheme),
        expires_at=known.expires_at,
        built_in=known.built_in,
    )


def created_token(known: accounts.Token, secret: str) -> CreatedToken:
    """A credential with its secret, shown once."""
    return CreatedToken(**dict(token(known)), secret=secret)


def forgotten(known: ports.Forgotten) -> Forgotten:
    """How much a reset removed."""
    return Forgotten(jobs=known.jobs, sessions=known.sessions, tokens=known.tokens)


def account(known: accounts.Account) -> Account:
    """Somebody who owns jobs."""
    return Account(id=known.id, name=known.name, email=known.email or MISSING)


def core_account(body: Account) -> accounts.Account:
    """The same in the core's words."""
    return accounts.Account(
        id=body.id,
        name=body.id if body.name is MISSING else body.name,
        email=None if body.email is MISSING else body.email,
    )


def instance(known: accounts.Instance) -> Instance:
    """A service instance."""
    return Instance(
        crn=known.crn,
        name=known.name,
        account=known.account,
        plan=known.plan,
        region=known.region,
        tags=list(known.tags),
        limit_seconds=known.limit_seconds,
        built_in=known.crn in (accounts.LOCAL_CRN, accounts.TEST_CRN),
    )


def core_instance(body: NewInstance) -> accounts.Instance:
    """A service instance that is to be made, in the core's words."""
    owner = accounts.DEFAULT_ACCOUNT if body.account is MISSING else body.account
    region = accounts.REGION if body.region is MISSING else body.region
    return accounts.Instance(
        crn=accounts.crn_of(body.name, owner, region),
        name=body.name,
        account=owner,
        plan=accounts.PLAN if body.plan is MISSING else body.plan.value,
        region=region,
        tags=() if body.tags is MISSING else tuple(body.tags),
        limit_seconds=None if body.limit_seconds is MISSING else body.limit_seconds,
    )
