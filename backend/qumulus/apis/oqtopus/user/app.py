"""The application."""

from __future__ import annotations

from fastapi import FastAPI

from qumulus.apis.oqtopus.bearers import Bearers
from qumulus.apis.oqtopus.presigning import Presigning
from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, Subjects, serve

from . import account, announcements, devices, hello, jobs, tasks
from .errors import ERRORS
from .translate.devices import RenderedDevices

DOCUMENT = Document("qumulus.apis.oqtopus.user.schemas")
SUBJECTS = Subjects(
    jobs=("/jobs/{jobId}", "/task/{taskId}"),
    devices=("/devices/{deviceId}",),
    members=("device_id", "device"),
    device=str.lower,
    submits=("postTask", "registerJobId", "submitJob"),
    results=("getTaskResultByTaskId",),
)
RESOURCES = (hello, tasks, devices, jobs, account, announcements)


def create(cloud: Cloud, *, secret: bytes, token_needed: bool = False, inline: bool = False) -> FastAPI:
    """The User API over ``cloud``.

    Args:
        cloud: what the handlers call.
        secret: what presigned requests to the storage, and the tokens of a login, are signed with.
        token_needed: whether the task API wants a token as well; its own document asks for none.
        inline: whether devices tell of their qubits in the answer itself, as JSON text.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    app.state.token_needed = token_needed
    app.state.inline = inline
    app.state.rendered_devices = RenderedDevices()
    app.state.presigning = Presigning(secret, cloud.clock)
    app.state.bearers = Bearers(secret, cloud.clock)
    serve(app, DOCUMENT, *(resource.operation for resource in RESOURCES), errors=ERRORS, subjects=SUBJECTS)
    return app
