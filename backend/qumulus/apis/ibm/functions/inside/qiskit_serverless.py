"""The side of qiskit-serverless that functions use, for those that bring no packages along and run with the server's own.

A function that names packages gets the real one beside these. What is distributed runs here, at once and one after the other.
"""

import functools
import json
import logging
import os
import urllib.error
import urllib.request

from qiskit_ibm_runtime import QiskitRuntimeService, RuntimeDecoder, RuntimeEncoder

SECONDS = 30


class QiskitServerlessException(Exception):
    """What goes wrong between a function and its gateway."""


class ServerlessError(Exception):
    """What a function raises that knows what went wrong: a code, a message, and details."""

    def __init__(self, code, message, details=None):
        """Keep them, and say them as one text."""
        self.code, self.message, self.details = code, message, details
        super().__init__(message)

    def __str__(self):
        """Return code, message and details."""
        return f"[{self.code}] {self.message}" + (f"\n{self.details}" if self.details else "")


class Job:
    """The names of what a function may be doing."""

    MAPPING = "MAPPING"
    OPTIMIZING_HARDWARE = "OPTIMIZING_HARDWARE"
    WAITING_QPU = "WAITING_QPU"
    EXECUTING_QPU = "EXECUTING_QPU"
    POST_PROCESSING = "POST_PROCESSING"


def get_arguments():
    """Return the arguments that the function was run with."""
    with open(os.environ["ARGUMENTS_PATH"], encoding="utf-8") as file:
        return json.loads(file.read(), cls=RuntimeDecoder)


def save_result(result):
    """Keep the result of the function; say whether that could be done."""
    try:
        text = json.dumps(result or {}, cls=RuntimeEncoder)
    except (TypeError, ValueError):
        logging.warning("Object passed is not json serializable.")
        return False
    with open(os.environ["RESULTS_PATH"], "w", encoding="utf-8") as file:
        file.write(text)
    return True


def update_status(status):
    """Say what the function is doing; return whether the gateway took it."""
    return _sent("PATCH", "sub_status", {"sub_status": status})


def send_error(code, message, exception, args=None):
    """Tell the gateway of an error, which the job lists among its events; return whether it took it."""
    return _sent(
        "POST", "event", {"type": "ERROR", "code": code, "message": message, "exception": exception, "args": args}
    )


def get_logger():
    """Return the logger for what whoever runs the function may read."""
    return _logger("user", "[PUBLIC]")


def get_provider_logger():
    """Return the logger for what only the provider of the function may read."""
    return _logger("provider", "[PRIVATE]")


def _logger(name, mark):
    logger = logging.getLogger(name)
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(_Marked(mark))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    return logger


class _Marked(logging.Formatter):
    """Puts a mark before each line."""

    def __init__(self, mark):
        super().__init__("%(levelname)s: %(message)s")
        self.mark = mark

    def format(self, record):
        """Return the lines of a record."""
        lines = record.getMessage().splitlines()
        return "\n".join(f"{self.mark} {record.levelname}: {line}" for line in lines)


def is_running_in_serverless():
    """Return True: whoever imports this runs as a function."""
    return "ENV_JOB_ID_GATEWAY" in os.environ


def is_trial():
    """Return False: nothing is tried here."""
    return False


class ServerlessRuntimeService(QiskitRuntimeService):
    """A Runtime service whose jobs the gateway counts among those of the function."""

    def _run(self, *args, **kwargs):
        job = super()._run(*args, **kwargs)
        _sent("POST", "runtime_jobs", {"runtime_job": job.job_id(), "runtime_session": job.session_id})
        return job


def get_runtime_service(channel=None, token=None, instance=None, url=None):
    """Return the Runtime service of whoever runs the function."""
    return ServerlessRuntimeService(
        channel=channel or os.environ["QISKIT_IBM_CHANNEL"],
        token=token or os.environ["QISKIT_IBM_TOKEN"],
        instance=instance or os.environ["QISKIT_IBM_INSTANCE"],
        url=url or os.environ.get("QISKIT_IBM_URL"),
    )


class _Done:
    """What a distributed task gave."""

    def __init__(self, value):
        self.value = value


def distribute_task(target=None, working_dir=None):
    """Return a decorator: a call of the task runs it, and gives a reference for `get`."""
    del target, working_dir

    def decorated(task):
        @functools.wraps(task)
        def call(*args, **kwargs):
            return _Done(task(*map(get, args), **{name: get(value) for name, value in kwargs.items()}))

        return call

    return decorated


distribute_qiskit_function = distribute_task


def get(reference):
    """Return the value of a reference, or of each in a list."""
    if isinstance(reference, list):
        return [get(each) for each in reference]
    return reference.value if isinstance(reference, _Done) else reference


def put(value):
    """Return a reference of a value."""
    return _Done(value)


def _sent(method, what, body):
    """Tell the gateway something of this job; say whether it took it."""
    form = method == "PATCH"
    request = urllib.request.Request(  # noqa: S310 - the gateway's own address
        f"{os.environ['ENV_JOB_GATEWAY_HOST']}/api/v1/jobs/{os.environ['ENV_JOB_ID_GATEWAY']}/{what}",
        data=f"sub_status={body['sub_status']}".encode() if form else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {os.environ['ENV_JOB_GATEWAY_TOKEN']}",
            "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
        },
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
            return True
    except urllib.error.URLError as error:
        logging.warning("The gateway did not take %s: %s", what, error)
        return False
