"""Faults on demand: which requests go wrong, and how."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS = {
    "error": "answer with Binance's error `code`, `msg` and HTTP `status`; nothing is applied",
    "http": "answer with HTTP `status` and an `html` or `empty` body; nothing is applied",
    "limit": "answer 429 (or `status` 418) with Retry-After `retry_after`; nothing is applied",
    "delay": "wait `seconds`, then apply and answer as usual",
    "drop_before": "hang `seconds`, then close; nothing is applied",
    "drop_after": "apply, hang `seconds`, then close without an answer",
    "cut_after": "apply, then send half of the answer and close",
    "empty_after": "apply, then answer 200 with an empty body",
    "http_after": "apply, then answer with HTTP `status` and an `html` or `empty` body",
    "error_after": "apply, then answer with the error `code`, `msg` and HTTP `status`",
}


@dataclass
class Fault:
    """One rule. It hits requests that match, until ``times`` are used up."""

    id: int
    kind: str
    path: str
    method: str = ".*"
    params: dict[str, str] = field(default_factory=dict)
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    code: int = -1000
    msg: str = "An unknown error occurred while processing the request."
    status: int = 0
    body: str = "html"
    seconds: float = 0.0
    retry_after: int = 1
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such fault: {self.kind}; there are {', '.join(KINDS)}")
        re.compile(self.path)
        re.compile(self.method)

    def matches(self, method: str, path: str, params: Mapping[str, str]) -> bool:
        """Whether a request is one this rule is about: patterns match from start to end."""
        return (
            re.fullmatch(self.method, method) is not None
            and re.fullmatch(self.path, path) is not None
            and all(re.fullmatch(value, params.get(name, "")) for name, value in self.params.items())
        )


class Faults:
    """The rules in force, with dice of their own so that chance repeats."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.dice = random.Random(seed)
        self.rules: list[Fault] = []
        self.made = 0
        self.latency = 0.0

    def add(self, **settings: object) -> Fault:
        """Add a rule.

        Raises
        ------
        ValueError : unknown kind, setting or pattern
        """
        self.made += 1
        try:
            rule = Fault(id=self.made, **settings)  # type: ignore[arg-type]
        except (TypeError, re.error) as error:
            raise ValueError(str(error)) from error
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Drop every rule, the latency, and roll the dice from the start."""
        self.rules.clear()
        self.latency = 0.0
        self.dice = random.Random(self.seed)

    def pick(self, method: str, path: str, params: Mapping[str, str]) -> Fault | None:
        """Choose the fault of a request, if it has one; the oldest rule wins."""
        for rule in self.rules:
            if not rule.matches(method, path, params) or rule.times == 0:
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            if rule.probability < 1.0 and self.dice.random() >= rule.probability:
                continue
            rule.hits += 1
            if rule.times is not None:
                rule.times -= 1
            return rule
        return None
