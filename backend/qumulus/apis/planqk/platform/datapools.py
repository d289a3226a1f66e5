"""Data pools and grants."""

from __future__ import annotations

from datetime import timedelta

from qumulus.apis.dependencies import Pools
from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.core.pools import GRANT_SECONDS
from qumulus.openapi.contract import Operations

from .schemas.grant import Grant, GrantRequest
from .schemas.pool import DataPool, DataPoolRequest, Id
from .translate import datapools as translate

operation = Operations()


@operation("getDataPools")
def get_data_pools(caller: PersonalCaller, pools: Pools) -> list[DataPool]:
    return [translate.pool(pool) for pool in pools.pools(caller)]


@operation("createDataPool")
def create_data_pool(body: DataPoolRequest, caller: PersonalCaller, pools: Pools) -> DataPool:
    return translate.pool(pools.make(translate.about(body), caller))


@operation("getDataPool")
def get_data_pool(id: Id, caller: PersonalCaller, pools: Pools) -> DataPool:
    return translate.pool(pools.pool(id, caller))


@operation("updateDataPool")
def update_data_pool(id: Id, body: DataPoolRequest, caller: PersonalCaller, pools: Pools) -> DataPool:
    return translate.pool(pools.describe(id, translate.about(body), caller))


@operation("deleteDataPool")
def delete_data_pool(id: Id, caller: PersonalCaller, pools: Pools) -> None:
    pools.remove(id, caller)


@operation("createDataPoolGrant")
def create_data_pool_grant(id: Id, body: GrantRequest, caller: PersonalCaller, pools: Pools) -> Grant:
    lifetime = timedelta(seconds=GRANT_SECONDS)
    return Grant(token=pools.grant(id, body.application_id, body.permission, lifetime, caller))
