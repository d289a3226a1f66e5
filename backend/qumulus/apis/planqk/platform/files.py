"""Files of data pools."""

from __future__ import annotations

from qumulus.apis.dependencies import Pools
from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.apis.planqk.media_types import media_type_of
from qumulus.openapi.contract import Operations, Reply

from .schemas import file as wire
from .schemas.pool import Id
from .translate import datapools as translate

UNNAMED = "upload"

operation = Operations()


@operation("getDataPoolFiles")
def get_data_pool_files(id: Id, caller: PersonalCaller, pools: Pools) -> list[wire.DataPoolFile]:
    return [translate.file(file) for file in pools.files(id, caller)]


@operation("addDataPoolFile")
def add_data_pool_file(
    id: Id, body: wire.Upload, caller: PersonalCaller, pools: Pools, filename: wire.Name | None = None
) -> wire.DataPoolFile:
    sent = getattr(body.file, "filename", "").rpartition("/")[2].rpartition("\\")[2]
    return translate.file(pools.add(id, filename or sent or UNNAMED, body.file, caller))


@operation("getDataPoolFile")
def get_data_pool_file(id: Id, file_id: wire.Id, caller: PersonalCaller, pools: Pools) -> Reply[bytes]:
    file, content = pools.read(id, file_id, caller)
    return Reply(content, media_type=media_type_of(file.name, content), headers={"X-Content-Type-Options": "nosniff"})


@operation("deleteDataPoolFile")
def delete_data_pool_file(id: Id, file_id: wire.Id, caller: PersonalCaller, pools: Pools) -> None:
    pools.discard(id, file_id, caller)
