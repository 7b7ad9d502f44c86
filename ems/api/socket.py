"""The WebSocket: who may open it, what it is asked, and the one loop that sends."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Any, Final

import orjson
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from domain.errors import LogUnavailable
from domain.ports import EventLog
from ems.api.auth import Gate, Person, same_origin
from ems.api.entitled import sieve
from ems.api.replay import SPEED_MAX, Replay
from ems.api.stream import Feed, Source, Subscription

_log = structlog.get_logger("api")
HEARTBEAT_S: Final = 1.0
STILL_S: Final = 5.0  # how often who asks is looked at again
SUBSCRIPTIONS_MAX: Final = 64
MESSAGE_BYTES_MAX: Final = 16_384
_GRAIN_S: Final = 0.011  # how exactly a flush is kept


class Connection:
    """One browser. What is told without being asked goes out from one loop, so that a slow one waits in one place."""

    def __init__(self, socket: WebSocket, feed: Feed, gate: Gate, person: Person, log: EventLog) -> None:
        self._socket = socket
        self._feed = feed
        self._gate = gate
        self._person = person
        self._subscriptions: dict[int, tuple[Source, Subscription]] = {}
        self._answers: deque[bytes] = deque()
        self._bye = ""
        self._log = log
        self._past: Replay | None = None
        self._player: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Until the browser goes or is sent away."""
        jobs = [asyncio.create_task(job) for job in (self._send(), self._listen(), self._watch())]
        try:
            await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for job in jobs:
                job.cancel()
            for number in list(self._subscriptions):
                self._leave(number)
            if self._player is not None:
                self._player.cancel()
                jobs.append(self._player)
            for outcome in await asyncio.gather(*jobs, return_exceptions=True):
                if isinstance(outcome, Exception) and not isinstance(outcome, WebSocketDisconnect | RuntimeError):
                    raise outcome
        if self._bye:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await self._text(orjson.dumps({"t": "bye", "why": self._bye}))
                await self._socket.close(1008)

    @property
    def person(self) -> Person:
        """Who looks."""
        return self._person

    def send_away(self, why: str) -> None:
        """Say goodbye and close."""
        self._bye = self._bye or why

    # ------------------------------------------------------------------------------------------ sends

    async def _text(self, message: bytes) -> None:
        await self._socket.send_text(message.decode())

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        heartbeat_s = loop.time()
        while not self._bye:
            now_s = loop.time()
            while self._answers:
                await self._text(self._answers.popleft())
            for source, subscription in list(self._subscriptions.values()):
                if subscription.waiting and now_s >= subscription.due_s:
                    subscription.due_s = now_s + subscription.table.topic.flush_ms / 1000
                    await self._text(subscription.take(source.models.seq))
            if now_s >= heartbeat_s:
                heartbeat_s = now_s + HEARTBEAT_S
                await self._text(self._heartbeat())
            await asyncio.sleep(_GRAIN_S)

    def _heartbeat(self) -> bytes:
        feed = self._feed
        told = {"t": "hb", "seq": feed.models.seq, "lag_ms": round(feed.lag_ms, 1), "live": feed.following}
        return orjson.dumps(told | {"t_ns": str(feed.now_ns)})

    async def _watch(self) -> None:
        """Whoever signs out, or whose rights change, looks no longer."""
        while not self._bye:
            await asyncio.sleep(STILL_S)
            try:
                now = await self._gate.still(self._person)
            except LogUnavailable as error:  # what is shown is greyed for want of the log anyway
                _log.warning("who looks cannot be looked up", error=str(error))
                continue
            if now is None:
                self.send_away("signed out, or your rights have changed")

    # ---------------------------------------------------------------------------------------- listens

    async def _listen(self) -> None:
        while not self._bye:
            text = await self._socket.receive_text()
            if (wrong := await self._heard(text)) != "":
                self._answers.append(orjson.dumps({"t": "err", "text": wrong}))

    async def _heard(self, text: str) -> str:
        try:
            said = orjson.loads(text) if len(text) <= MESSAGE_BYTES_MAX else None
        except orjson.JSONDecodeError:
            said = None
        if not isinstance(said, dict):
            return "a message is one JSON object"
        kind, number = said.get("t"), said.get("id")
        if kind in ("sub", "unsub") and (not isinstance(number, int) or isinstance(number, bool)):
            return "a subscription has a number"
        if kind == "sub":
            return await self._subscribe(int(str(number)), said)
        if kind == "unsub":
            self._leave(int(str(number)))
            return ""
        if kind in ("seek", "play", "pause"):
            return await self._moved(kind, said)
        return f"{kind!r} is nothing that is understood here"

    # ----------------------------------------------------------------------------------------- replays

    async def _past_at(self, seq: int) -> Replay:
        """This socket's own past, at an offset; all of its subscriptions there move with it."""
        if self._past is None:
            self._past = Replay(self._log, self._feed.models.world.desk)
        if seq != self._past.models.seq:
            await self._seek(self._past, seq)
        return self._past

    async def _seek(self, past: Replay, seq: int) -> None:
        past.playing = 0.0
        await past.seek(seq)
        for number, (source, old) in list(self._subscriptions.items()):
            if source is past:
                self._leave(number)
                fresh = Subscription(number, past.models.tables[old.table.topic.name], old.sieve)
                self._join(past, fresh)

    async def _moved(self, kind: str, said: dict[str, Any]) -> str:
        past = self._past
        if past is None:
            return "nothing here is of the past: subscribe with an offset"
        if kind == "seek":
            if not _is_number(said.get("at"), 0, 2**62):
                return "an offset is a number"
            await self._seek(past, int(said["at"]))
        elif kind == "pause":
            past.playing = 0.0
        else:
            if not _is_number(said.get("speed"), 0.01, SPEED_MAX):
                return f"a speed is a number up to {SPEED_MAX:g}"
            stood, past.playing = not past.playing, float(said["speed"])
            if stood:
                self._player = asyncio.create_task(past.play(), name="play")
        return ""

    def _join(self, source: Source, subscription: Subscription) -> None:
        self._subscriptions[subscription.number] = (source, subscription)
        source.join(subscription)
        self._answers.append(subscription.snapshot(source.models.seq))

    async def _subscribe(self, number: int, said: dict[str, Any]) -> str:
        source: Source = self._feed
        if said.get("at") is not None:
            if not _is_number(said["at"], 0, 2**62):
                return "an offset is a number"
            source = await self._past_at(int(said["at"]))
        table = source.models.tables.get(str(said.get("topic")))
        if table is None or not table.topic.roles & self._person.roles:
            await self._gate.records.refused(self._person.id, f"sub {said.get('topic')}", "not for these roles", "")
            return f"there is no topic {said.get('topic')!r} for you" + (" in the past" if source is not self._feed else "")
        wanted = said.get("filter") or {}
        if not isinstance(wanted, dict) or not all(table.topic.has(column) for column in wanted):
            return "a filter names columns of its topic"
        try:
            passing = sieve(self._person.account, table.topic, wanted)
        except TypeError:
            return "a filter's values are plain"
        self._leave(number)
        if len(self._subscriptions) >= SUBSCRIPTIONS_MAX:
            return f"at most {SUBSCRIPTIONS_MAX} subscriptions"
        if source is self._feed:
            await self._feed.fresh(table.topic.name)
            source.tell([table])
        self._join(source, Subscription(number, table, passing))
        return ""

    def _leave(self, number: int) -> None:
        if (found := self._subscriptions.pop(number, None)) is not None:
            found[0].leave(found[1])


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


async def serve(socket: WebSocket, feed: Feed, gate: Gate, log: EventLog, connections: set[Connection]) -> None:
    """One socket from its first byte: cookie and origin are looked at before it is accepted."""
    address = socket.client.host if socket.client is not None else ""
    try:
        person = await gate.person(socket.headers, socket.cookies) if same_origin(socket.headers) else None
    except LogUnavailable:
        person = None
    if person is None:
        await gate.records.refused("?", "socket", "not signed in, or a foreign page", address)
        await socket.close(1008)  # before it is accepted: the browser sees a refusal
        return
    await socket.accept()
    connection = Connection(socket, feed, gate, person, log)
    connections.add(connection)
    try:
        await connection.run()
    finally:
        connections.discard(connection)
