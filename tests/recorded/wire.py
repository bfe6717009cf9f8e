"""The wire under a real ccxt: every request that would leave is kept, and answered in the exchange's own shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt
import requests
from requests.adapters import BaseAdapter

SECRETS = {
    "apiKey": "key-of-ours-0001",
    "secret": "c2VjcmV0",
    "password": "phrase",
    "walletAddress": "0x00000000000000000000000000000000000000aa",
    "privateKey": "0x4c0883a69102937d6231471b5dbb6204fe512961708279a2c1d3f4e5b6a79808",
}


@dataclass(frozen=True)
class Request:
    """A request as it left: method, path without host, and every field of query and body."""

    method: str
    path: str
    fields: Mapping[str, Any]

    @property
    def what(self) -> str:
        """`POST /path`."""
        return f"{self.method} {self.path}"


@dataclass
class Wire(BaseAdapter):
    """Answers by `METHOD /path`: a body, or what makes one of the request's fields."""

    answers: dict[str, Any]
    sent: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def send(self, request: requests.PreparedRequest, *_args: object, **_kwargs: object) -> requests.Response:  # type: ignore[override]
        url = urlsplit(str(request.url))
        self.sent.append(Request(str(request.method), url.path, {**dict(parse_qsl(url.query)), **_body(request.body)}))
        return self._answer(request, self._found(self.sent[-1]))

    def _found(self, request: Request) -> Any:
        # Hyperliquid has one path; what is asked stands in the body.
        kind = request.fields.get("type") or (request.fields.get("action") or {}).get("type", "")
        folder = request.path.rpartition("/")[0]
        for name in (f"{request.what} {kind}".strip(), request.what, f"{request.method} {folder}/*"):
            if name in self.answers:
                found = self.answers[name]
                return found(request.fields) if callable(found) else found
        raise AssertionError(f"not documented here: {request}")

    def _answer(self, request: requests.PreparedRequest, body: Any) -> requests.Response:
        response = requests.Response()
        response.status_code = 200
        response.url, response.request = str(request.url), request
        response.headers["Content-Type"] = "application/json"
        response._content = json.dumps(body).encode()
        return response

    def close(self) -> None:
        """Nothing to let go."""

    def take(self) -> list[Request]:
        """What was sent since the last call."""
        sent, self.sent = self.sent, []
        return sent


def _body(body: Any) -> dict[str, Any]:
    if not body:
        return {}
    text = body.decode() if isinstance(body, bytes) else str(body)
    try:
        found = json.loads(text)
    except ValueError:
        return dict(parse_qsl(text))
    found = found[0] if isinstance(found, list) else found
    return dict(found)


def api_of(exchange: str, markets: list[dict[str, Any]], answers: dict[str, Any]) -> tuple[Any, Wire]:
    """A ccxt instance as the bot makes one, with markets loaded, on a wire of its own."""
    api = getattr(ccxt, exchange)({**SECRETS, "enableRateLimit": False, "options": {"defaultType": "spot"}})
    api.set_markets([api.safe_market_structure(market) for market in markets])
    wire = Wire(answers)
    api.session.mount("https://", wire)
    api.session.mount("http://", wire)
    return api, wire
