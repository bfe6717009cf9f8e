"""Who listens to the account, what they are told, and how that goes wrong on demand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Protocol

from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.shape_stream import (
    account_position,
    account_update,
    execution_report,
    listen_key_expired,
    order_trade_update,
)

SPOT = "spot"
HELD_BEATS = 4


@dataclass
class StreamFaults:
    """How messages go wrong. ``reorder`` holds that many back and sends the last first."""

    dead: bool = False
    refuse: bool = False
    delay_ms: int = 0
    duplicate: bool = False
    reorder: int = 0
    drop_every: int = 0


class Listener(Protocol):
    """One connection: ``topic`` is a listen key, or spot."""

    topic: str

    def push(self, text: str, delay_s: float) -> None:
        """Send after a delay."""

    def cut(self) -> None:
        """Break the connection off."""


@dataclass
class Streams:
    """The open connections of the one account."""

    exchange: Exchange
    faults: StreamFaults = field(default_factory=StreamFaults)
    listeners: list[Listener] = field(default_factory=list)
    opened: int = 0
    sent: int = 0
    _made: int = 0
    _held: list[tuple[str, str]] = field(default_factory=list)
    _beats: int = 0

    def join(self, listener: Listener) -> None:
        """Tell this one too from now on."""
        self.listeners.append(listener)
        self.opened += 1

    def leave(self, listener: Listener) -> None:
        """Tell this one no more."""
        if listener in self.listeners:
            self.listeners.remove(listener)

    def flush(self) -> None:
        """Send what has happened since the last time."""
        for topic, event in self._events():
            self._tell(topic, json.dumps(event, separators=(",", ":")))

    def beat(self) -> None:
        """Let go of what was held back for long enough."""
        self._beats = self._beats + 1 if self._held else 0
        if self._beats >= HELD_BEATS:
            self._release()

    def set_faults(self, **settings: object) -> None:
        """Change how messages go wrong.

        Raises
        ------
        ValueError : no such fault
        """
        known = {item.name: item.default for item in fields(StreamFaults)}
        for name, value in settings.items():
            if name not in known:
                raise ValueError(f"no such stream fault: {name}; there are {', '.join(known)}")
            setattr(self.faults, name, bool(value) if isinstance(known[name], bool) else int(str(value)))
        if not self.faults.reorder:
            self._release()

    def disconnect(self) -> None:
        """Break every connection off."""
        for listener in list(self.listeners):
            listener.cut()

    def expire(self) -> None:
        """End every listen key, and say so as Binance does."""
        for key in self.exchange.listen_keys.expire():
            self._send(key, json.dumps(listen_key_expired(self.exchange, key)))

    def _events(self) -> Iterator[tuple[str, object]]:
        exchange = self.exchange
        while exchange.futures.store.changes:
            change = exchange.futures.store.changes.popleft()
            if self.listeners and change.fill is not None:
                yield "", account_update(exchange, change)
            if self.listeners:
                yield "", order_trade_update(exchange, change)
        while exchange.spot.store.changes:
            change = exchange.spot.store.changes.popleft()
            if self.listeners:
                yield SPOT, {"subscriptionId": 0, "event": execution_report(exchange, change)}
            if self.listeners and change.fill is not None:
                yield SPOT, {"subscriptionId": 0, "event": account_position(exchange, change)}

    def _tell(self, topic: str, text: str) -> None:
        faults = self.faults
        self._made += 1
        if faults.dead or (faults.drop_every and self._made % faults.drop_every == 0):
            return
        if faults.reorder:
            self._held.append((topic, text))
            if len(self._held) >= faults.reorder:
                self._release()
            return
        self._send(topic, text)

    def _release(self) -> None:
        held, self._held = self._held, []
        for topic, text in reversed(held):
            self._send(topic, text)

    def _send(self, topic: str, text: str) -> None:
        """To everybody on a topic; futures events go to every listen key that is valid."""
        now = self.exchange.now_ms()
        for listener in self.listeners:
            futures = listener.topic != SPOT
            if listener.topic != topic and not (not topic and futures and self._valid(listener, now)):
                continue
            for _ in range(2 if self.faults.duplicate else 1):
                self.sent += 1
                listener.push(text, self.faults.delay_ms / 1000)

    def _valid(self, listener: Listener, now: int) -> bool:
        return self.exchange.listen_keys.valid(listener.topic, now)
