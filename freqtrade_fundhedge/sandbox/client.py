"""Where the sandbox is, and how to steer it from Python."""

from __future__ import annotations

import json
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from freqtrade_fundhedge.sandbox.settings import DEFAULT_KEY, DEFAULT_SECRET

# Every API that ccxt's binance knows, so that nothing it does can leave this machine.
_API_PATHS = {
    "sapi": "/sapi/v1",
    "sapiV2": "/sapi/v2",
    "sapiV3": "/sapi/v3",
    "sapiV4": "/sapi/v4",
    "dapiPublic": "/dapi/v1",
    "dapiPrivate": "/dapi/v1",
    "eapiPublic": "/eapi/v1",
    "eapiPrivate": "/eapi/v1",
    "dapiPrivateV2": "/dapi/v2",
    "dapiData": "/futures/data",
    "fapiPublic": "/fapi/v1",
    "fapiPublicV2": "/fapi/v2",
    "fapiPublicV3": "/fapi/v3",
    "fapiPrivate": "/fapi/v1",
    "fapiPrivateV2": "/fapi/v2",
    "fapiPrivateV3": "/fapi/v3",
    "fapiData": "/futures/data",
    "public": "/api/v3",
    "private": "/api/v3",
    "v1": "/api/v1",
    "papi": "/papi/v1",
    "papiV2": "/papi/v2",
}


class ControlError(Exception):
    """The sandbox refused a control request."""


def ccxt_urls(url: str) -> dict[str, dict[str, object]]:
    """Return the ``urls`` setting that sends every request of ccxt's binance to the sandbox."""
    return {"api": {name: url + path for name, path in _API_PATHS.items()} | {"ws": _ws_urls(url)}}


def _ws_urls(url: str) -> dict[str, object]:
    """Every websocket that ccxt's binance knows; it puts `private` before the last part of the linear one."""
    base = "ws" + url.removeprefix("http")
    plain = ("spot", "margin", "linear", "inverse", "stock", "option", "optionMarket", "optionPrivate", "papi")
    api = {"spot": "/ws-api/v3", "linear": "/ws-fapi/v1", "inverse": "/ws-dapi/v1"}
    return dict.fromkeys(plain, f"{base}/ws") | {"ws-api": {name: base + path for name, path in api.items()}}


def freqtrade_config(url: str, **overrides: object) -> dict[str, object]:
    """Return the ``exchange`` section for Freqtrade, with the sandbox's own key.

    Parameters
    ----------
    url : of the sandbox
    overrides : replace or add settings of the section, e.g. ``pair_whitelist``
    """
    section: dict[str, object] = {
        "name": "binance",
        "key": DEFAULT_KEY,
        "secret": DEFAULT_SECRET,
        "ccxt_config": {"enableRateLimit": False, "urls": ccxt_urls(url)},
        "ccxt_async_config": {},
        "enable_ws": False,
        "skip_pair_validation": True,
        # Freqtrade would fetch the history of the same symbols from Binance's public archive.
        "only_from_ccxt": True,
        "pair_whitelist": ["BTC/USDT:USDT", "ETH/USDT:USDT", "1000PEPE/USDT:USDT"],
        "pair_blacklist": [],
    }
    return section | overrides


class SandboxControl:
    """Calls the control API; see :mod:`freqtrade_fundhedge.sandbox.control` for what there is."""

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout
        # A proxy from the environment must not come between us and loopback.
        self._opener = build_opener(ProxyHandler({}))

    def get(self, name: str, **query: object) -> object:
        """Ask for something."""
        text = urlencode(query)
        return self._call(Request(f"{self.url}/control/{name}" + (f"?{text}" if text else "")))

    def post(self, name: str, **body: object) -> object:
        """Change something."""
        data = json.dumps(body, default=str).encode()
        return self._call(Request(f"{self.url}/control/{name}", data=data, method="POST"))

    def _call(self, request: Request) -> object:
        try:
            with self._opener.open(request, timeout=self.timeout) as response:
                answer: object = json.load(response)
        except HTTPError as error:
            with error:
                raise ControlError(error.read().decode()) from None
        return answer

    def books(self) -> dict[str, object]:
        """Return the full snapshot."""
        answer = self.get("books")
        if not isinstance(answer, dict):
            raise ControlError(f"unexpected answer: {answer!r}")
        return answer

    def requests(self, method: str = ".*", path: str = ".*", since: int = 0) -> list[dict[str, object]]:
        """Return logged requests whose whole method and path match the patterns."""
        answer = self.get("requests", method=method, path=path, since=since)
        return answer if isinstance(answer, list) else []

    def count(self, method: str, path: str) -> int:
        """Count logged requests."""
        return len(self.requests(method, path))

    def fault(self, kind: str, path: str, **settings: object) -> object:
        """Add a fault rule; it hits once unless ``times`` says otherwise."""
        return self.post("faults", kind=kind, path=path, **settings)

    def clear_faults(self) -> None:
        """Drop every fault rule and the latency."""
        self.post("faults/clear")

    def streams(self) -> dict[str, object]:
        """Return what is known of the user-data streams."""
        answer = self.get("streams")
        return answer if isinstance(answer, dict) else {}

    def clear_requests(self) -> None:
        """Forget the request log."""
        self.post("requests/clear")
