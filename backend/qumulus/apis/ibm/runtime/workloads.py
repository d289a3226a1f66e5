"""Operations on workloads: sessions, batches and single jobs in one list."""

from __future__ import annotations

from qumulus.apis.dependencies import Address, Devices, Workloads
from qumulus.apis.ibm import names
from qumulus.openapi.contract import Operations

from .callers import Caller
from .schemas.backend import BackendName, IncludeMocks
from .schemas.job import CreatedAt, Tags
from .schemas.workload import Cursor, Limit, Mode, Search, Sort, Statuses, User, WorkloadsResponse
from .translate import workloads as translate

operation = Operations()


@operation("listWorkloads")
def list_workloads(
    address: Address,
    caller: Caller,
    devices: Devices,
    workloads: Workloads,
    user: User | None = None,
    sort: Sort = Sort.CREATED_AT,
    limit: Limit = 10,
    previous: Cursor | None = None,
    next: Cursor | None = None,
    backend: BackendName | None = None,
    search: Search | None = None,
    status: Statuses | None = None,
    mode: Mode | None = None,
    created_after: CreatedAt | None = None,
    created_before: CreatedAt | None = None,
    tags: Tags | None = None,
    include_mocks: IncludeMocks = False,
) -> WorkloadsResponse:
    """A page of the caller's workloads in the instance."""
    query = translate.query(
        caller,
        hidden=frozenset() if include_mocks else names.mocks(devices),
        backend=backend,
        mode=mode,
        statuses=status,
        search=search,
        tags=tags,
        created=(created_after, created_before),
        newest_first=sort is not Sort.CREATED_AT,
        cursors=(previous, next),
        limit=limit,
    )
    return translate.page(workloads.find(query), limit, address)
