"""The HTTP face of the sandbox: one handler that logs, delays, fails, authorises and answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator

from aiohttp import web

from freqtrade_fundhedge.sandbox import (
    http_fapi_account,
    http_fapi_algo,
    http_fapi_market,
    http_fapi_stream,
    http_fapi_trade,
    http_sapi,
    http_spot,
    http_spot_market,
)
from freqtrade_fundhedge.sandbox.auth import authorise
from freqtrade_fundhedge.sandbox.control import CONTROLS
from freqtrade_fundhedge.sandbox.control_streams import STREAM_CONTROLS
from freqtrade_fundhedge.sandbox.errors import BinanceError
from freqtrade_fundhedge.sandbox.exchange import Exchange
from freqtrade_fundhedge.sandbox.faults import Fault, Faults
from freqtrade_fundhedge.sandbox.params import Params
from freqtrade_fundhedge.sandbox.requestlog import Entry, RequestLog
from freqtrade_fundhedge.sandbox.routes import Endpoint
from freqtrade_fundhedge.sandbox.sockets import PATHS, serve_socket
from freqtrade_fundhedge.sandbox.streams import Streams
from freqtrade_fundhedge.sandbox.views import Desk

logger = logging.getLogger(__name__)

_TABLE: dict[tuple[str, str], Endpoint] = {}
for _module in (
    http_spot,
    http_spot_market,
    http_sapi,
    http_fapi_market,
    http_fapi_account,
    http_fapi_trade,
    http_fapi_algo,
    http_fapi_stream,
):
    _TABLE.update(_module.routes.table)

_HTML = "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>"
_BEFORE = {"error", "http", "limit", "drop_before"}
_HEARTBEAT_S = 0.25


class Sandbox:
    """Serves one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self.desk = Desk(exchange, Faults(exchange.options.seed), RequestLog(), Streams(exchange))

    def application(self) -> web.Application:
        """Build the aiohttp application."""
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/control/{name:.*}", self.control)
        for path in PATHS:
            app.router.add_get(path, self.listen)
        app.router.add_route("*", "/{tail:.*}", self.serve)
        app.cleanup_ctx.append(self._beat)
        app.on_shutdown.append(self._hang_up)
        return app

    async def _beat(self, app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self._advance())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def _advance(self) -> None:
        """Let funding fall due and ramps cross orders while nobody asks anything."""
        while True:
            await asyncio.sleep(_HEARTBEAT_S)
            self.desk.exchange.advance()
            self.desk.streams.flush()
            self.desk.streams.beat()

    async def _hang_up(self, app: web.Application) -> None:
        self.desk.streams.disconnect()

    async def listen(self, request: web.Request) -> web.StreamResponse:
        """Hold a websocket; its opening is in the request log, without the key that opened it."""
        entry = self.desk.log.open(time.time() * 1000, "GET", request.path.rpartition("/ws/")[0] or request.path, {})
        if self.desk.faults.latency:
            await asyncio.sleep(self.desk.faults.latency)
        entry.applied = time.time() * 1000
        return await serve_socket(self.desk.streams, request)

    async def control(self, request: web.Request) -> web.StreamResponse:
        """Answer the control API."""
        action = (CONTROLS | STREAM_CONTROLS).get((request.method, request.match_info["name"]))
        if action is None:
            return _answer({"error": f"no such control: {request.method} {request.path}"}, 404)
        try:
            text = await request.text()
            body = dict(request.query) if request.method == "GET" else json.loads(text or "{}")
            self.desk.exchange.advance()
            result = action(self.desk, body)
            self.desk.exchange.advance()
            self.desk.streams.flush()
        except (ValueError, TypeError, KeyError, BinanceError) as error:
            return _answer({"error": f"{type(error).__name__}: {error}"}, 400)
        return _answer({"ok": True} if result is None else result)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer as Binance would, or as the fault of this request wants."""
        received = time.time() * 1000
        params = Params(request.rel_url.raw_query_string, await request.text())
        entry = self.desk.log.open(received, request.method, request.path, params.shown())
        fault = self.desk.faults.pick(request.method, request.path, entry.params)
        entry.fault = None if fault is None else fault.kind
        if self.desk.faults.latency:
            await asyncio.sleep(self.desk.faults.latency)
        if fault is not None and fault.kind in _BEFORE:
            response = await _fail(request, fault)
        else:
            if fault is not None and fault.kind == "delay":
                await asyncio.sleep(fault.seconds)
            response = self._apply(request, params, entry)
            await asyncio.sleep(0)  # who listens hears of it no later than who asked
            if fault is not None and fault.kind != "delay":
                response = await _spoil(request, fault, response)
        entry.answered = time.time() * 1000
        entry.status = entry.status or response.status
        return response

    def _apply(self, request: web.Request, params: Params, entry: Entry) -> web.Response:
        exchange = self.desk.exchange
        endpoint = _TABLE.get((request.method, request.path))
        if endpoint is None:
            logger.warning("sandbox has no %s %s", request.method, request.path)
            return _answer({"code": -5000, "msg": f"Path {request.path}, Method {request.method} is invalid"}, 404)
        try:
            authorise(exchange, endpoint.need, request.headers.get("X-MBX-APIKEY"), params)
            exchange.advance()
            result = endpoint.handler(exchange, params)
            exchange.advance()
        except BinanceError as error:
            entry.code = error.code
            return _answer({"code": error.code, "msg": error.msg}, error.status)
        finally:
            entry.applied = time.time() * 1000
            self.desk.streams.flush()
        return _answer(result)


def _answer(value: object, status: int = 200) -> web.Response:
    return web.Response(
        text=json.dumps(value, separators=(",", ":"), ensure_ascii=False),
        status=status,
        content_type="application/json",
        headers={"X-MBX-USED-WEIGHT-1M": "1"},
    )


def _broken(fault: Fault) -> web.Response:
    status = fault.status or 502
    text = _HTML.format(status=status) if fault.body == "html" else ""
    return web.Response(text=text, status=status, content_type="text/html")


async def _fail(request: web.Request, fault: Fault) -> web.StreamResponse:
    """Refuse a request that was not applied."""
    if fault.kind == "error":
        return _answer({"code": fault.code, "msg": fault.msg}, fault.status or 400)
    if fault.kind == "http":
        return _broken(fault)
    if fault.kind == "limit":
        response = _answer({"code": -1003, "msg": "Too many requests."}, fault.status or 429)
        response.headers["Retry-After"] = str(fault.retry_after)
        return response
    return await _hang_up(request, fault)


async def _spoil(request: web.Request, fault: Fault, good: web.Response) -> web.StreamResponse:
    """Lose or mangle the answer to a request that was applied."""
    if fault.kind == "empty_after":
        return web.Response(text="", status=200)
    if fault.kind == "http_after":
        return _broken(fault)
    if fault.kind == "error_after":
        return _answer({"code": fault.code, "msg": fault.msg}, fault.status or 400)
    if fault.kind == "cut_after":
        await asyncio.sleep(fault.seconds)
        return await _cut(request, good)
    return await _hang_up(request, fault)


async def _hang_up(request: web.Request, fault: Fault) -> web.StreamResponse:
    await asyncio.sleep(fault.seconds)
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


async def _cut(request: web.Request, good: web.Response) -> web.StreamResponse:
    body = good.body if isinstance(good.body, bytes) else b""
    response = web.StreamResponse(status=good.status, headers={"Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response
