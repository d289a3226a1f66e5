"""Applications and their subscriptions, on the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from qumulus.core.accounts import Caller
from qumulus.core.applications import Application, Subscription
from qumulus.core.errors import UnknownApplication, UnknownSubscription
from qumulus.core.ports import Clock

from .database.database import Database
from .database.tables import applications, subscriptions
from .ids import Ids


class SqlApplications:
    """`core.applications.Applications` on the database."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._ids = ids
        self._clock = clock

    def applications(self, caller: Caller) -> Sequence[Application]:
        """Return the caller's applications. See `Applications.applications`."""
        wanted = select(applications).where(applications.c.account == caller.account)
        with self._database.read() as connection:
            rows = connection.execute(wanted.order_by(applications.c.created_at, applications.c.id))
            return [Application(**row._mapping) for row in rows]

    def application(self, application_id: str) -> Application:
        """Return an application. See `Applications.application`."""
        with self._database.read() as connection:
            row = connection.execute(select(applications).where(applications.c.id == application_id)).first()
        if row is None:
            raise UnknownApplication(application_id)
        return Application(**row._mapping)

    def make(self, name: str, caller: Caller) -> Application:
        """Make an application. See `Applications.make`."""
        made = Application(
            id=self._ids.new("application"), account=caller.account, name=name, created_at=self._clock.now()
        )
        values = {"id": made.id, "account": made.account, "name": made.name, "created_at": made.created_at}
        self._database.writer.run(lambda connection: connection.execute(insert(applications).values(values)))
        return self.application(made.id)

    def remove(self, application_id: str) -> None:
        """Forget an application. See `Applications.remove`."""

        def work(connection: Connection) -> None:
            connection.execute(delete(subscriptions).where(subscriptions.c.application == application_id))
            connection.execute(delete(applications).where(applications.c.id == application_id))

        self._database.writer.run(work)

    def subscriptions(self, *, application: str | None = None, service: str | None = None) -> Sequence[Subscription]:
        """Return subscriptions. See `Applications.subscriptions`."""
        wanted = select(subscriptions).order_by(subscriptions.c.created_at, subscriptions.c.id)
        if application is not None:
            wanted = wanted.where(subscriptions.c.application == application)
        if service is not None:
            wanted = wanted.where(subscriptions.c.service == service)
        with self._database.read() as connection:
            return [Subscription(**row._mapping) for row in connection.execute(wanted)]

    def subscription(self, subscription_id: str) -> Subscription:
        """Return a subscription. See `Applications.subscription`."""
        with self._database.read() as connection:
            row = connection.execute(select(subscriptions).where(subscriptions.c.id == subscription_id)).first()
        if row is None:
            raise UnknownSubscription(subscription_id)
        return Subscription(**row._mapping)

    def subscribe(self, application: str, service: str) -> Subscription:
        """Let an application call a service. See `Applications.subscribe`."""
        new_id, now = self._ids.new("subscription"), self._clock.now()

        def work(connection: Connection) -> str:
            same = (subscriptions.c.application == application) & (subscriptions.c.service == service)
            present = connection.execute(select(subscriptions.c.id).where(same)).scalar()
            if present is None:
                values = {"id": new_id, "application": application, "service": service, "created_at": now}
                connection.execute(insert(subscriptions).values(values))
            return present or new_id

        return self.subscription(self._database.writer.run(work))

    def unsubscribe(self, subscription_id: str) -> None:
        """End a subscription. See `Applications.unsubscribe`."""
        ended = delete(subscriptions).where(subscriptions.c.id == subscription_id)
        self._database.writer.run(lambda connection: connection.execute(ended))
