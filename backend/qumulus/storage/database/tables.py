"""The tables, in plain SQLAlchemy Core, alike on SQLite and PostgreSQL.

A change here comes with a migration in `migrations/versions`; a test holds that both say the same.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Table,
    literal_column,
)

from .columns import Moment, Number, Prose, Word

AnyRow: TypeAlias = Row[*tuple[Any, ...]]

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("number", Number, primary_key=True),
    Column("id", Word(64), nullable=False, unique=True),
    Column("account", Word(255), nullable=False),
    Column("device", Word(255), nullable=False),
    Column("kind", Word(255), nullable=False),
    Column("api", Word(255), nullable=False),
    Column("state", Word(16), nullable=False),
    Column("name", Prose),
    Column("note", Prose),
    Column("shots", BigInteger),
    Column("tags", JSON, nullable=False),
    Column("session", Word(64)),
    Column("instance", Word(255)),
    Column("calibration", Word(255)),
    Column("private", Boolean, nullable=False),
    Column("max_seconds", Float),
    Column("request", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("queued_at", Moment),
    Column("claimed_at", Moment),
    Column("running_at", Moment),
    Column("ended_at", Moment),
    Column("attempt", Integer, nullable=False),  # the fencing token: counts every claim
    Column("reason", Prose),
    Column("reason_code", Integer),
    Column("failure", Word(16)),
    Column("run_seconds", Float),
    Column("metadata", JSON, nullable=False),
    # What only the queue reads.
    Column("lane", Word(511), nullable=False),  # device and account: the queue in which it waits
    Column("ticket", BigInteger),  # its place in the lane; it keeps it when it is handed back
    Column("attempts", Integer, nullable=False),  # how many attempts may count
    Column("counted", Integer, nullable=False),  # attempts whose worker died by itself
    Column("returned", Integer, nullable=False),  # attempts that were handed back
    Column("put_back", Integer, nullable=False, server_default="0"),  # claims that were put back before anything began
    Column("owner", Word(255)),  # who holds the claim
    Column("lease_until", Moment),  # None: held without a lease
    Column("due_at", Moment),  # when it ends by the clock of the cloud, where its outcome is known before
    Column("idempotency_key", Word(255)),
    Column("trace", Word(64)),  # of the request that made it
    Column("lost_because", Prose),  # why its last run ended without an outcome
    Column("payload_size", BigInteger),  # bytes; None: of an earlier version, or gone
    # Last, so that reading the other columns never follows a payload's overflow pages.
    Column("payload_blob", Word(255)),  # the key of a payload that is too large for the row
    Column("payload", LargeBinary),
    Index("ix_jobs_account", "account", "created_at", "number"),
    Index("ix_jobs_created", "created_at", "number"),
    # What lists filter by, each in the order of lists: `jobs.conditions` chooses the one with the fewest jobs.
    Index("ix_jobs_device", "device", "created_at", "number"),
    Index("ix_jobs_api", "api", "created_at", "number"),
    Index("ix_jobs_kind", "kind", "created_at", "number"),
    Index(
        "ix_jobs_submitted", "account", "queued_at", "number", "api"
    ),  # how many of an API is counted without the rows
)

# Conditions of partial indexes are written out, not bound: only then a planner sees that an index serves a query.
IS_QUEUED = jobs.c.state == literal_column("'queued'")
HELD_STATES = ("claimed", "running", "cancelling")
IS_HELD = jobs.c.state.in_([literal_column(f"'{state}'") for state in HELD_STATES])
ENDED_STATES = ("cancelled", "failed", "succeeded")
IS_ENDED = jobs.c.state.in_([literal_column(f"'{state}'") for state in ENDED_STATES])
PENDING_STATES = ("registered", "queued", *HELD_STATES)
IS_PENDING = jobs.c.state.in_([literal_column(f"'{state}'") for state in PENDING_STATES])
IN_SESSION = jobs.c.session.is_not(None)
IN_INSTANCE = jobs.c.instance.is_not(None)
HAS_KEY = jobs.c.idempotency_key.is_not(None)

_IN_ORDER = (jobs.c.created_at, jobs.c.number)

for _index in (
    ("ix_jobs_queued", IS_QUEUED, False, (jobs.c.lane, jobs.c.ticket, jobs.c.number)),
    ("ix_jobs_held", IS_HELD, False, (jobs.c.device, jobs.c.account)),
    ("ix_jobs_pending", IS_PENDING, False, (jobs.c.created_at, jobs.c.number)),
    ("ix_jobs_ended", IS_ENDED, False, (jobs.c.state, jobs.c.created_at, jobs.c.number)),
    # With what its lists ask of each: how many there are of a time is counted without the rows.
    ("ix_jobs_instance", IN_INSTANCE, False, (jobs.c.instance, *_IN_ORDER, jobs.c.account, jobs.c.kind, jobs.c.device)),
    ("ix_jobs_session", IN_SESSION, False, (jobs.c.session, jobs.c.ticket, jobs.c.number)),
    ("ux_jobs_key", HAS_KEY, True, (jobs.c.account, jobs.c.idempotency_key)),
):
    _name, _where, _unique, _columns = _index
    # PostgreSQL's condition stands in the migrations: named here, it would have every start import that dialect.
    Index(_name, *_columns, unique=_unique, sqlite_where=_where)

results = Table(
    "results",
    metadata,
    Column("job", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Word(1024), primary_key=True),  # empty: the result itself; else a file beside it
    Column("media_type", Word(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("blob", Word(255)),  # the key of a value that is too large for the row
    Column("value", LargeBinary),
)

log_lines = Table(
    "log_lines",
    metadata,
    Column("number", Number, primary_key=True),
    Column("job", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("time", Moment, nullable=False),
    Column("severity", Word(16), nullable=False),
    Column("text", Prose, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Word(64), primary_key=True),
    Column("account", Word(255), nullable=False),
    Column("device", Word(255), nullable=False, index=True),
    Column("mode", Word(16), nullable=False),
    Column("instance", Word(255)),
    Column("max_seconds", Float, nullable=False),
    Column("interactive_seconds", Float, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("closing_at", Moment),
    Column("request", JSON, nullable=False, server_default="{}"),  # what its API echoes
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Word(255), primary_key=True),
    Column("name", Word(255), nullable=False),
    Column("email", Word(255)),
    Column("organization", Word(255)),
    Column("group_id", Word(255)),
    Column("status", Word(16), nullable=False, server_default="approved"),
    Column("devices", JSON(none_as_null=True)),  # null: all
)

profiles = Table(  # what people say of themselves
    "profiles",
    metadata,
    Column("account", Word(255), primary_key=True),
    Column("position", Prose),
    Column("homepage", Prose),
    Column("about", Prose),
    Column("picture_type", Word(64)),
    Column("picture", LargeBinary),
)

provider_tokens = Table(  # sealed with the secret of the state
    "provider_tokens",
    metadata,
    Column("account", Word(255), primary_key=True),
    Column("provider", Word(32), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

instances = Table(
    "instances",
    metadata,
    Column("crn", Word(255), primary_key=True),
    Column("name", Word(255), nullable=False),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("plan", Word(255), nullable=False),
    Column("region", Word(255), nullable=False),
    Column("tags", JSON, nullable=False),
    Column("limit_seconds", Float),  # as its account wants it
    Column("granted_seconds", Float),  # as the administrator wants it
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Word(64), primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("scheme", Word(32), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("built_in", Boolean, nullable=False),
    Column("name", Prose),
    Column("used_at", Moment),  # last
    Index("ux_tokens_digest", "scheme", "digest", unique=True),
)

device_settings = Table(
    "device_settings",
    metadata,
    Column("device", Word(255), primary_key=True),
    Column("online", Boolean, nullable=False),
    Column("message", Prose, nullable=False),
    Column("one_at_a_time", Boolean, nullable=False),
    Column("least_queue_seconds", Float, nullable=False),
    Column("least_run_seconds", Float, nullable=False),
    Column("provider", Boolean, nullable=False),
)

device_reports = Table(
    "device_reports",
    metadata,
    Column("device", Word(255), primary_key=True),
    Column("n_qubits", Integer),
    Column("information", LargeBinary),
    Column("calibrated_at", Moment),
)

added_devices = Table(  # besides those of the package
    "added_devices",
    metadata,
    Column("name", Word(255), primary_key=True),
    Column("about", JSON, nullable=False),
    Column("configuration", LargeBinary, nullable=False),  # compressed JSON
)

device_calibrations = Table(
    "device_calibrations",
    metadata,
    Column("device", ForeignKey("added_devices.name", ondelete="CASCADE"), primary_key=True),
    Column("id", Word(64), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("properties", LargeBinary, nullable=False),  # compressed JSON
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", Word(255), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

writers = Table(  # what each process has committed last; only PostgreSQL needs it
    "writers",
    metadata,
    Column("id", Word(64), primary_key=True),
    Column("commits", BigInteger, nullable=False),
    Column("written_at", Moment, nullable=False),
)

large_values = Table(  # what stands in files elsewhere; only PostgreSQL needs it
    "large_values",
    metadata,
    Column("key", Word(64), primary_key=True),
    Column("stored_at", Moment, nullable=False),
    Column("value", LargeBinary, nullable=False),
)

services = Table(
    "services",
    metadata,
    Column("name", Word(64), primary_key=True),
    Column("version", Word(64), nullable=False),
    Column("title", Prose, nullable=False),
    Column("description", Prose, nullable=False),
    Column("state", Word(16), nullable=False),
    Column("reason", Prose),
    Column("api_version", Integer, nullable=False),
    Column("entrypoint", Prose, nullable=False),
    Column("deployed_at", Moment, nullable=False),
    Column("built_at", Moment),
    Column("deployment", JSON, nullable=False),
    Column("listing", JSON),  # how a family offers it to people
    Column("package_blob", Word(255)),  # the key of a package that is too large for the row
    Column("package", LargeBinary),
)

sealed_secrets = Table(  # of executions, which only processes can read that share a key
    "sealed_secrets",
    metadata,
    Column("job", Word(64), primary_key=True),
    Column("kept_at", Moment, nullable=False),
    Column("value", LargeBinary, nullable=False),
)

data_pools = Table(  # they and their files stand in the folder on SQLite
    "data_pools",
    metadata,
    Column("id", Word(64), primary_key=True),
    Column("account", Word(255), nullable=False),
    Column("about", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
)

pool_files = Table(
    "pool_files",
    metadata,
    Column("pool", ForeignKey("data_pools.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Word(255), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("blob", Word(255)),  # the key of a value that is too large for the row
    Column("value", LargeBinary),
)

faults = Table(
    "faults",
    metadata,
    Column("number", Number, primary_key=True),
    Column("id", Word(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("rule", JSON, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("hits", BigInteger, nullable=False),
)

applications = Table(  # who calls services with access keys
    "applications",
    metadata,
    Column("id", Word(64), primary_key=True),
    Column("account", Word(255), nullable=False),
    Column("name", Prose, nullable=False),
    Column("created_at", Moment, nullable=False),
)

subscriptions = Table(  # the services that each may call
    "subscriptions",
    metadata,
    Column("id", Word(64), primary_key=True),
    Column("application", Word(64), nullable=False),
    Column("service", Word(255), nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("ix_subscriptions_application", "application", "service", unique=True),
)

emulation = Table(  # what somebody has set of what the cloud does by itself: its clock, queues, calibrations
    "emulation",
    metadata,
    Column("kind", Word(32), primary_key=True),
    Column("name", Word(255), primary_key=True),
    Column("value", JSON, nullable=False),
)

NAMING_BLOBS = (jobs.c.payload_blob, results.c.blob, services.c.package_blob, pool_files.c.blob)
"""The columns that name large values: a value that none of them names is swept."""
