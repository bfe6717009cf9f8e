"""What was asked of the sandbox, when, and what became of it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

_KEPT = 50_000
_CLIENT_IDS = ("newClientOrderId", "origClientOrderId", "clientAlgoId")


@dataclass
class Entry:
    """One request. Times are milliseconds since the epoch with fractions."""

    number: int
    received: float
    method: str
    path: str
    params: Mapping[str, str]
    applied: float | None = None
    answered: float | None = None
    status: int | None = None
    code: int | None = None
    fault: str | None = None

    def shape(self) -> dict[str, object]:
        """Write as JSON."""
        ids = (self.params.get(name) for name in _CLIENT_IDS)
        return {
            "number": self.number,
            "received": self.received,
            "applied": self.applied,
            "answered": self.answered,
            "method": self.method,
            "path": self.path,
            "params": dict(self.params),
            "client_id": next((value for value in ids if value), None),
            "fault": self.fault,
            "status": self.status,
            "code": self.code,
        }


class RequestLog:
    """The newest requests."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=_KEPT)
        self.made = 0

    def open(self, received: float, method: str, path: str, params: Mapping[str, str]) -> Entry:
        """Note a request as it comes in."""
        self.made += 1
        entry = Entry(self.made, received, method, path, params)
        self.entries.append(entry)
        return entry

    def find(self, method: str = ".*", path: str = ".*", since: int = 0) -> list[Entry]:
        """List requests whose method and path match, from a number on."""
        return [
            entry
            for entry in self.entries
            if entry.number >= since and re.fullmatch(method, entry.method) and re.fullmatch(path, entry.path)
        ]

    def counts(self) -> dict[str, int]:
        """Count requests by method and path."""
        result: dict[str, int] = {}
        for entry in self.entries:
            name = f"{entry.method} {entry.path}"
            result[name] = result.get(name, 0) + 1
        return result

    def clear(self) -> None:
        """Forget; numbers go on."""
        self.entries.clear()
