"""The exchange's fill stream in virtual time: what it tells is real, how it arrives a matter of behaviour and dice."""

from __future__ import annotations

import heapq
import json
import logging
from collections.abc import Callable
from decimal import Decimal
from random import Random
from types import SimpleNamespace
from typing import Any

from freqtrade_fundhedge.venue import order_stream
from freqtrade_fundhedge.venue.port import OrderFill

BEHAVIOURS = ("none", "prompt", "killed", "delayed", "duplicated", "reordered", "all")
PREFIX = "x-cvBPrNm9"
PROMPT_S = (0.01, 0.2)
# Before the bot's next request, before its next loop, and long after: past restarts and closed trades.
DELAYS_S = ((1.0, 5.0), (5.0, 30.0), (60.0, 600.0))
COPIES_WITHIN_S = 120.0
SHUFFLED_WITHIN_S = 20.0
SILENT_S = (5.0, 60.0, 600.0)
LOST = 0.2
BROKEN = (
    None, "", "NaN", "-Infinity", "-1", "1e999999", "9" * 400, 0, [], {}, "NEW_KIND_OF_STATUS",
)  # fmt: skip


class Stream:
    """Listens to the sandbox's futures events, and passes them on when they are due; see `Listener`.

    Parameters
    ----------
    parse : ccxt's reading of an order message
    """

    topic = ""

    def __init__(self, behaviour: str, now_s: Callable[[], float], parse: Callable[[Any], Any], seed: str) -> None:
        self.behaviour, self._now = behaviour, now_s
        self._dice = Random(f"{behaviour} {seed}")
        self._queue: list[tuple[float, int, Any]] = []
        self._made = self._orders = 0
        self._silent_from, self._silent_until = self._dice.randrange(4), 0.0
        self._told: list[OrderFill] = []
        api = SimpleNamespace(parse_ws_order=parse, handle_message=lambda *_: None)
        order_stream._overhear(api, self._told.append)
        self._handle = api.handle_message
        logging.getLogger("freqtrade_fundhedge").addFilter(lambda record: "can't be read" not in record.getMessage())

    def push(self, text: str, delay_s: float) -> None:
        """See `Listener.push`."""
        message = json.loads(text)
        if self.behaviour == "none":
            return
        self._orders += message.get("o", {}).get("x") == "TRADE"
        for after_s in self._dues():
            self._put(after_s, message)
        if self.behaviour == "all":
            self._make_noise(message)

    def cut(self) -> None:
        """See `Listener.cut`."""

    @property
    def due(self) -> float:
        """When it tells next, in seconds since 1970."""
        return self._queue[0][0] if self._queue else float("inf")

    def tell(self) -> list[OrderFill]:
        """What has come in by now."""
        while self.due <= self._now():
            self._handle(SimpleNamespace(), heapq.heappop(self._queue)[2])
        told = self._told[:]
        self._told.clear()
        return told

    def _put(self, after_s: float, message: Any) -> None:
        self._made += 1
        heapq.heappush(self._queue, (self._now() + after_s, self._made, message))

    def _dues(self) -> list[float]:
        """After how many seconds a message comes; nothing: never."""
        dice, prompt = self._dice, self._dice.uniform(*PROMPT_S)
        how = self.behaviour
        if how == "all":
            how = "lost" if dice.random() < LOST else dice.choice(["prompt", "delayed", "duplicated", "reordered"])
        if how == "killed":
            if self._orders > self._silent_from and not self._silent_until:
                self._silent_until = self._now() + dice.choice(SILENT_S)
            return [] if self._now() < self._silent_until else [prompt]
        if how == "delayed":
            return [dice.uniform(*dice.choice(DELAYS_S))]
        if how == "duplicated":
            return [prompt, *(prompt + dice.uniform(0, COPIES_WITHIN_S) for _ in range(dice.randint(1, 3)))]
        if how == "reordered":
            return [dice.uniform(0, SHUFFLED_WITHIN_S)]
        return [] if how == "lost" else [prompt]

    def _make_noise(self, message: dict[str, Any]) -> None:
        """Somebody else's orders, sums that go back, and what cannot be read."""
        order, dice = message.get("o"), self._dice
        if not isinstance(order, dict) or message.get("e") != "ORDER_TRADE_UPDATE":
            return
        number = order["i"] + dice.randint(10**6, 10**7)
        large = str(Decimal(order["q"]) * 1000)
        noises: list[dict[str, Any]] = [
            {"c": f"web_{number}", "i": number},
            {"c": f"web_{number}", "i": number, "S": "BUY", "R": True, "z": order["q"]},
            {"c": f"{PREFIX}{number}", "i": number, "s": "DOGEUSDT", "z": order["q"]},
            {"i": number, "q": large, "z": large, "S": dice.choice(["BUY", "SELL"]), "R": True},
            {"z": "0", "X": "PARTIALLY_FILLED"},
            {dice.choice("scSqzapXT"): dice.choice(BROKEN)},
            {"c": f"web_{number}", "i": number, dice.choice("scSqz"): dice.choice(BROKEN)},
        ]
        for changes in dice.sample(noises, 3):
            self._put(dice.uniform(0, COPIES_WITHIN_S), {**message, "o": {**order, **changes}})
        without = dice.choice(sorted(order))
        self._put(dice.uniform(0, 5), {**message, "o": {name: order[name] for name in order if name != without}})
        self._put(0.0, dice.choice([[], "x", 7, None, {"e": "ORDER_TRADE_UPDATE"}, {**message, "o": None}]))
