"""The table of endpoints: method and path to handler and the permission it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from freqtrade_fundhedge.sandbox.auth import Need
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.params import Params

Handler = Callable[[Exchange, Params], object]


@dataclass(frozen=True)
class Endpoint:
    """One endpoint."""

    handler: Handler
    need: Need


class Routes:
    """Endpoints by method and path."""

    def __init__(self) -> None:
        self.table: dict[tuple[str, str], Endpoint] = {}

    def add(self, method: str, path: str, need: Need = Need.NOTHING) -> Callable[[Handler], Handler]:
        """Register a handler."""

        def register(handler: Handler) -> Handler:
            self.table[method, path] = Endpoint(handler, need)
            return handler

        return register
