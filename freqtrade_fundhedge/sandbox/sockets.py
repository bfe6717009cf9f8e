"""The websockets: futures user data under a listen key, spot user data through the websocket API."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any
from urllib.parse import quote

from aiohttp import WSMsgType, web

from freqtrade_fundhedge.sandbox.auth import Need, authorise
from freqtrade_fundhedge.sandbox.errors import BinanceError
from freqtrade_fundhedge.sandbox.params import Params
from freqtrade_fundhedge.sandbox.streams import SPOT, Streams

PATHS = ("/private/ws", "/ws/{key}", "/ws-api/v3")


class Socket:
    """One connection; see `Listener`."""

    def __init__(self, topic: str, answer: web.WebSocketResponse, request: web.Request) -> None:
        self.topic = topic
        self._answer = answer
        self._transport = request.transport
        self._queue: asyncio.Queue[tuple[float, str]] = asyncio.Queue()

    def push(self, text: str, delay_s: float) -> None:
        """See `Listener.push`."""
        self._queue.put_nowait((asyncio.get_running_loop().time() + delay_s, text))

    def cut(self) -> None:
        """See `Listener.cut`."""
        if self._transport is not None:
            self._transport.abort()

    async def send_all(self) -> None:
        """Send what is pushed, each when it is due, until the connection ends."""
        with contextlib.suppress(ConnectionError):
            while True:
                due, text = await self._queue.get()
                if (rest := due - asyncio.get_running_loop().time()) > 0:
                    await asyncio.sleep(rest)
                await self._answer.send_str(text)


async def serve_socket(streams: Streams, request: web.Request) -> web.StreamResponse:
    """Hold one websocket until either side ends it."""
    if streams.faults.refuse:
        return web.Response(status=503)
    answer = web.WebSocketResponse(timeout=0.2)
    if not answer.can_prepare(request):
        return web.Response(status=400, text="a websocket is expected")
    await answer.prepare(request)
    spot = request.path == "/ws-api/v3"
    key = request.query.get("listenKey") or request.match_info.get("key", "")
    socket = Socket("" if spot else key or "none", answer, request)
    if not spot:
        streams.join(socket)
    sender = asyncio.create_task(socket.send_all())
    try:
        async for message in answer:
            if spot and message.type is WSMsgType.TEXT:
                await answer.send_str(json.dumps(_answered(streams, socket, message.data)))
    finally:
        streams.leave(socket)
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sender
    return answer


def _answered(streams: Streams, socket: Socket, text: str) -> dict[str, Any]:
    """Answer one request of the websocket API."""
    call: dict[str, Any] = {}
    try:
        call = json.loads(text)
        result = _result(streams, socket, str(call.get("method")), call.get("params") or {})
    except (ValueError, AttributeError):
        return {"id": None, "status": 400, "error": {"code": -1135, "msg": "Invalid JSON Request"}}
    except BinanceError as error:
        return {"id": call.get("id"), "status": error.status, "error": {"code": error.code, "msg": error.msg}}
    return {"id": call.get("id"), "status": 200, "result": result}


def _result(streams: Streams, socket: Socket, method: str, params: dict[str, Any]) -> dict[str, Any]:
    if method == "ping":
        return {}
    if method == "userDataStream.subscribe.signature":
        line = "&".join(f"{name}={quote(str(params[name]), safe='')}" for name in sorted(params) if name != "signature")
        signed = Params(f"{line}&signature={params.get('signature', '')}", "")
        authorise(streams.exchange, Need.READ, params.get("apiKey"), signed)
        if socket.topic != SPOT:
            socket.topic = SPOT
            streams.join(socket)
        return {"subscriptionId": 0}
    raise BinanceError(-1100, f"Method {method} is not served here.")
