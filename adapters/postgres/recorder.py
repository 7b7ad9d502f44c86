"""The event log as a persistence module of the `eventsourcing` library: ``PERSISTENCE_MODULE=adapters.postgres.recorder``.

A synchronous view for threads of the very same log: same tables, same sequence, same hash chain. The library's
applications, subscriptions and projections work on it. Its environment variables name the database
(POSTGRES_DBNAME, POSTGRES_HOST, ...); TOPICS names the catalogue of event classes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, NoReturn

from eventsourcing import persistence, postgres
from eventsourcing.utils import resolve_topic
from psycopg import sql

from adapters.postgres.connection import CHANNEL
from adapters.postgres.mapper import EventMapper
from adapters.postgres.packed_rows import COPY_EVENTS, PackedRow, pack_rows
from domain.errors import ConfigError
from domain.event import Topics, link_hash
from domain.values import StreamId, id_bytes

VIEW: Final = "stored_events"  # the events under the library's names for their columns


class LogSubscription(postgres.PostgresSubscription):
    """The library's subscription, which hears nothing of what is appended after its first reading and before its LISTEN."""

    def _listen(self) -> None:
        try:
            with self._recorder.datastore.get_connection() as connection:
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._recorder.channel_name)))
                self._has_been_notified.set()  # of whatever came in between
                while not self._has_been_stopped and not self._thread_error:
                    for _ in connection.notifies(timeout=0.1, stop_after=1):
                        self._has_been_notified.set()
        except BaseException as error:  # noqa: BLE001 - raised where the subscription is read
            self._thread_error = self._thread_error or error
            self.stop()


class LogRecorder(postgres.PostgresApplicationRecorder):
    """Reads as the library does, through a view; inserts by our rule: claim the head, chain, copy.

    Notification ids are the log's sequence numbers: gapless, in order of commit.

    Args:
        clock_ns: gives recorded_time_ns.
    """

    def __init__(
        self,
        datastore: postgres.PostgresDatastore,
        *,
        events_table_name: str = VIEW,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        super().__init__(datastore, events_table_name=events_table_name)
        self.channel_name = CHANNEL
        self._clock_ns = clock_ns

    def create_table(self) -> None:
        """Nothing: migrations alone make the schema."""

    def insert_events(self, stored_events: Sequence[persistence.StoredEvent], **_: Any) -> Sequence[int] | None:
        """Append events in one transaction and return their sequence numbers.

        Unlike the library's own recorder it never tries again by itself: after a lost answer a second try would
        report a conflict with the first.

        Raises:
            eventsourcing.persistence.IntegrityError: a stream already has an event of that version; nothing is written.
            eventsourcing.persistence.OperationalError: the database went; read back before trying again.
        """
        if not stored_events:
            return []
        with self.datastore.get_connection() as connection, connection.transaction(), connection.cursor() as cursor:
            cursor.execute("SELECT seq, hash FROM log_lock(NULL)")
            head = cursor.fetchone()
            if head is None:
                raise persistence.ProgrammingError("the log has no head: its database has not been migrated")
            rows = _chained(stored_events, head["seq"], bytes(head["hash"]), self._clock_ns())
            last = rows[-1]
            cursor.execute("SELECT log_claim(%s, %s, %s, %s, NULL)", (head["seq"], head["hash"], last[0], last[-1]))
            with cursor.copy(COPY_EVENTS) as copy:
                copy.write(pack_rows(rows))
        return [row[0] for row in rows]

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> LogSubscription:
        """Every event after number gt, and then each as it is appended."""
        return LogSubscription(recorder=self, gt=gt, topics=topics)


def _chained(events: Sequence[persistence.StoredEvent], seq: int, hash_: bytes, time_ns: int) -> list[PackedRow]:
    rows: list[PackedRow] = []
    for event in events:
        seq, prev_hash = seq + 1, hash_
        stream, version, topic = id_bytes(StreamId(str(event.originator_id))), event.originator_version, event.topic.encode()
        hash_ = link_hash(prev_hash, seq, stream, version, time_ns, topic, event.state)
        rows.append((seq, stream, version, topic, time_ns, event.state, prev_hash, hash_))
    return rows


class LogFactory(postgres.PostgresFactory):
    """Makes recorder and mapper for the library. One log serves every application: the name makes no tables."""

    TOPICS: ClassVar[str] = "TOPICS"
    application_recorder_class = LogRecorder

    def env_create_table(self) -> bool:
        """Never: migrations alone make the schema."""
        return False

    def application_recorder(self) -> LogRecorder:
        """The recorder over the log."""
        return LogRecorder(self.datastore)

    def mapper(self, transcoder: persistence.Transcoder | None = None, mapper_class: Any = None) -> Any:
        """The `EventMapper` over our envelope; the transcoder that the library hands to every mapper has no use.

        Raises:
            ConfigError: a cipher, a compressor or another mapper is asked for.
        """
        del transcoder
        asked = [key for key in ("CIPHER_KEY", "CIPHER_TOPIC", "COMPRESSOR_TOPIC", "MAPPER_TOPIC") if self.env.get(key)]
        if asked or mapper_class is not None:
            raise ConfigError(
                f"the event log stores readable bytes by its own mapper, so not with {', '.join(asked) or mapper_class}"
            )
        topics = resolve_topic(self.env.get(self.TOPICS) or "domain.catalogue:TOPICS")
        if not isinstance(topics, Topics):
            raise ConfigError(f"{self.env.get(self.TOPICS)} is not a catalogue of topics")
        return EventMapper(topics)

    def aggregate_recorder(self, purpose: str = "events") -> NoReturn:
        """Refused: there are no snapshots; state is what the log folds to."""
        raise persistence.NotSupportedError(f"the event log keeps no {purpose} beside itself")

    def process_recorder(self) -> NoReturn:
        """Refused: a reader keeps its position with its own views, not in the log's schema."""
        raise persistence.NotSupportedError("the event log does not record the positions of its readers")
