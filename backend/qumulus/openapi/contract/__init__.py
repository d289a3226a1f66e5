"""The contract: what a document declares is what is served, or the server does not start.

    operation = Operations()

    @operation("getTask")
    def get_task(task_id: TaskId, caller: Caller, jobs: Jobs) -> Task: ...

    def create(cloud: Cloud) -> FastAPI:
        app = FastAPI(openapi_url=None)
        app.state.cloud = cloud
        serve(app, Document("qumulus.apis.….schemas"), tasks.operation, errors=ERRORS)
        return app

Path, method, status, places and names of parameters come from the document. A handler names its operationId and takes

- ``body``, the generated model of the request body (``str`` or ``bytes`` for text and binary bodies),
- parameters under their names in snake case (``taskId`` is ``task_id``, ``IBM-API-Version`` is ``ibm_api_version``), with
  the generated types and the declared defaults; optional ones without a default are ``T | None = None``,
- named dependencies (``Annotated[T, Depends(…)]``), which the document knows nothing of; what a handler wants of the request
  itself is one of them.

It returns the generated model, ``str``, ``bytes`` or None as declared, `Rendered` for bytes made from a model beforehand,
a `Reply` for another declared status or for headers, or a `Stream` of events that are sent as they come.
"""

from .document import Document
from .operations import ContractError, Operations
from .problems import STATUSES, Errors, Problem, Refused, invalid
from .replies import Rendered, Reply, Stream
from .rules import RULES, Call, Fault, Rule, Send, Subjects
from .serving import serve

__all__ = [
    "RULES",
    "STATUSES",
    "Call",
    "ContractError",
    "Document",
    "Errors",
    "Fault",
    "Operations",
    "Problem",
    "Refused",
    "Rendered",
    "Reply",
    "Rule",
    "Send",
    "Stream",
    "Subjects",
    "invalid",
    "serve",
]
