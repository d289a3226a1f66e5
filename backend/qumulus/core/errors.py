"""Every error that the core raises; an API family maps each class once to its own status, code and body.

QumulusError
├── InvalidRequest              what was asked for cannot be, whatever the state
│   ├── Excluded                  two members that exclude each other were both given
│   └── TooLarge                  over a limit of size, depth or number
├── NotFound
│   ├── UnknownDevice
│   ├── UnknownCalibration
│   ├── UnknownJob
│   ├── UnknownSession
│   ├── UnknownService
│   ├── UnknownPool
│   ├── UnknownFile
│   ├── UnknownFault
│   ├── UnknownApplication
│   ├── UnknownSubscription
│   ├── UnknownAccount
│   ├── UnknownAnnouncement
│   └── NoResult                  the job exists, its result does not (yet)
├── WrongState                  possible, but not in the state that the thing is in
│   ├── IllegalTransition
│   ├── SessionClosed
│   └── DeviceUnavailable
├── NotAuthenticated
├── NotAllowed
│   ├── AccountClosed            an administrator has not approved, or suspended, the account; also a NotAuthenticated
│   ├── DeviceNotAllowed         the account may not use the device; also an InvalidRequest
│   └── LimitReached              a quota of the account or instance is used up
│       └── QuotaReached            the account may not store more; also a TooLarge, for APIs that know no other word
└── Unavailable                 try again later
    ├── Draining                  the server is stopping
    └── StorageFull

A text is a whole sentence that says what to do. No text carries a credential.
"""


class QumulusError(Exception):
    """Root of all errors that a person caused or has to know of."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequest(QumulusError):
    """What was asked for cannot be done in any state."""


class Excluded(InvalidRequest):
    """Two members exclude each other and both were given."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second} exclude each other: send only one of them.")


class TooLarge(InvalidRequest):
    """Something is over a limit of size, depth or number."""


class NotFound(QumulusError):
    """Nothing of that name is there for this caller."""


class UnknownDevice(NotFound):
    """No device has that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no device named {name[:80]!r}: list the devices to see the names.")
        self.name = name


class UnknownCalibration(NotFound):
    """The device has no calibration with that id."""

    def __init__(self, device: str, calibration: str) -> None:
        super().__init__(f"Device {device} has no calibration with the id {calibration[:80]!r}.")


class UnknownJob(NotFound):
    """No job with that id belongs to this caller."""

    def __init__(self, job_id: str, message: str | None = None) -> None:
        """``message`` is the sentence where a service has one of its own."""
        super().__init__(message or f"There is no job with the id {job_id[:80]!r}.")
        self.job_id = job_id


class UnknownSession(NotFound):
    """No session with that id belongs to this caller."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"There is no session with the id {session_id[:80]!r}.")


class UnknownService(NotFound):
    """No service of that name is deployed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no service named {name[:80]!r}: deploy it with `qumulus services add`.")


class UnknownPool(NotFound):
    """No data pool with that id belongs to this caller."""

    def __init__(self, pool_id: str) -> None:
        super().__init__(f"There is no data pool with the id {pool_id[:80]!r}.")


class UnknownFile(NotFound):
    """No file of that name or id is there."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no file {name[:80]!r}.")


class UnknownFault(NotFound):
    """No fault with that id is in force."""

    def __init__(self, fault_id: str) -> None:
        super().__init__(f"There is no fault with the id {fault_id[:80]!r}: list the faults to see the ids.")


class UnknownApplication(NotFound):
    """No application has that id."""

    def __init__(self, application_id: str) -> None:
        super().__init__(f"There is no application {application_id!r}: list the applications to see theirs.")


class UnknownSubscription(NotFound):
    """No subscription has that id."""

    def __init__(self, subscription_id: str) -> None:
        super().__init__(f"There is no subscription {subscription_id!r}: list those of an application.")


class UnknownAccount(NotFound):
    """No account has that id."""

    def __init__(self, account_id: str) -> None:
        super().__init__(f"There is no account with the id {account_id[:80]!r}: list the accounts to see the ids.")


class UnknownAnnouncement(NotFound):
    """No announcement has that number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"There is no announcement {number}: list the announcements to see them.")


class NoResult(NotFound):
    """The job exists and its result does not, or not yet."""

    def __init__(self, job_id: str, state: str) -> None:
        super().__init__(f"Job {job_id} has no result: it is {state}.")


class WrongState(QumulusError):
    """Possible, but not in the state that the thing is in."""


class IllegalTransition(WrongState):
    """The transition table has no such step."""

    def __init__(self, job_id: str, state: str, event: str) -> None:
        super().__init__(f"Job {job_id} is {state}: it cannot {event}.")
        self.state = state
        self.event = event


class SessionClosed(WrongState):
    """The session takes no more jobs."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"Session {session_id} is closed and takes no more jobs: open another one.")


class DeviceUnavailable(WrongState):
    """The device takes no jobs now."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Device {name} takes no jobs now: choose another one or wait.")


class NotAuthenticated(QumulusError):
    """No credential was sent, or none that is known."""


class NotAllowed(QumulusError):
    """The caller is known and may not do this."""


class AccountClosed(NotAllowed, NotAuthenticated):
    """The account is not approved, or no more."""

    def __init__(self, status: str) -> None:
        super().__init__(f"The account is {status}: an administrator has to approve it before it can be used.")


class DeviceNotAllowed(NotAllowed, InvalidRequest):
    """The account may use some devices only, and not this one."""

    def __init__(self, device: str) -> None:
        super().__init__(f"This account may not use {device}: list the devices to see those that it may use.")
        self.device = device


class LimitReached(NotAllowed):
    """A quota of the account or the instance is used up."""


class QuotaReached(LimitReached, TooLarge):
    """The account may not store more, or has too many jobs that have not ended."""


class Unavailable(QumulusError):
    """Not now; the same request may succeed later."""

    retry_after_seconds = 1


class Draining(Unavailable):
    """The server is stopping and takes no new work."""

    def __init__(self) -> None:
        super().__init__("The server is stopping and takes no new work: send the request again in a few seconds.")


class StorageFull(Unavailable):
    """The disk that holds the state is full."""

    retry_after_seconds = 30

    def __init__(self) -> None:
        super().__init__("The disk that holds the state is full: free some space and send the request again.")
