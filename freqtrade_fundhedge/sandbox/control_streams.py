"""The part of the control API about the user-data streams.

==================  =================================================================================
GET streams         open streams, messages sent, listen keys, faults of the streams
POST streams        dead, refuse, delay_ms, duplicate, reorder (how many), drop_every (n-th): from now on;
                    disconnect, expire (the listen keys): once; clear: streams work again
==================  =================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from freqtrade_fundhedge.sandbox.streams import StreamFaults
from freqtrade_fundhedge.sandbox.views import Body, Desk

_ONCE = {"disconnect", "expire", "clear"}


def show_streams(desk: Desk, body: Body) -> object:
    """Show who listens, and how that goes wrong."""
    streams = desk.streams
    return {
        "connections": len(streams.listeners),
        "opened": streams.opened,
        "sent": streams.sent,
        "keys": list(desk.exchange.listen_keys.until),
        "faults": asdict(streams.faults),
    }


def set_streams(desk: Desk, body: Body) -> None:
    """Make the user-data streams go wrong, or right again."""
    if body.get("clear"):
        desk.streams.set_faults(**asdict(StreamFaults()))
    desk.streams.set_faults(**{str(name): value for name, value in body.items() if name not in _ONCE})
    if body.get("expire"):
        desk.streams.expire()
    if body.get("disconnect"):
        desk.streams.disconnect()


STREAM_CONTROLS: dict[tuple[str, str], Callable[[Desk, Body], object]] = {
    ("GET", "streams"): show_streams,
    ("POST", "streams"): set_streams,
}
