"""The ``sandbox`` command: a loopback Binance to try the plugin on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from freqtrade_fundhedge.sandbox.app import Sandbox
from freqtrade_fundhedge.sandbox.client import freqtrade_config
from freqtrade_fundhedge.sandbox.exchange import Exchange, Options
from freqtrade_fundhedge.sandbox.paying import make_funding_pay
from freqtrade_fundhedge.sandbox.server import LOOPBACK, open_site


def _amount(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"not an amount: {text}") from None
    if not value.is_finite() or value < 0:
        raise typer.BadParameter(f"not an amount: {text}")
    return value


def _loopback(host: str) -> str:
    if host not in LOOPBACK:
        raise typer.BadParameter(f"the sandbox listens on loopback only ({', '.join(LOOPBACK)})")
    return host


def sandbox_command(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 8999,
    host: Annotated[str, typer.Option(help="Loopback address to listen on.", callback=_loopback)] = "127.0.0.1",
    spot_usdt: Annotated[str, typer.Option(help="USDT in the spot wallet at the start.")] = "10000",
    futures_usdt: Annotated[str, typer.Option(help="USDT in the futures wallet at the start.")] = "0",
    seed: Annotated[int, typer.Option(help="Seed of the generated history.")] = 1,
    alive: Annotated[bool, typer.Option(help="Let prices move on their own.")] = False,
    paying: Annotated[bool, typer.Option(help="Funding that has paid for two months: hedges open at once.")] = False,
    more_coins: Annotated[int, typer.Option(help="Made-up coins besides the usual ones.", min=0, max=999)] = 0,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print the exchange section for Freqtrade and exit.")
    ] = False,
    proxy_port: Annotated[
        int | None, typer.Option(help="Also be an HTTPS proxy for Binance's host names on this port.", max=65535)
    ] = None,
    json_ready: Annotated[bool, typer.Option(help="Print one JSON line when ready, nothing else.")] = False,
) -> None:
    """Run a loopback Binance: no keys, no risk, books that balance.

    \b
    Examples:
      fundhedge sandbox --paying
      fundhedge sandbox --alive
      fundhedge sandbox --port 8999 --spot-usdt 5000
      fundhedge sandbox --print-config
    """
    if print_config:
        section = freqtrade_config(f"http://{_in_url(host)}:{port}")
        typer.echo(json.dumps({"exchange": section}, indent=2))
        return
    sandbox = Sandbox(Exchange(Options(_amount(spot_usdt), _amount(futures_usdt), seed, alive, more_coins=more_coins)))
    if paying:
        make_funding_pay(sandbox.desk)
    try:
        asyncio.run(_serve(sandbox, host, (port, proxy_port), json_ready=json_ready))
    except OSError as error:
        typer.echo(f"cannot listen on {host}:{port}: {error.strerror or error}", err=True)
        raise typer.Exit(1) from None


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def _serve(sandbox: Sandbox, host: str, ports: tuple[int, int | None], *, json_ready: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(name, stopped.set)
    site = await open_site(sandbox, host, *ports)
    url = f"http://{_in_url(host)}:{site.port}"
    proxy = site.proxy.port if site.proxy is not None else None
    if json_ready:
        typer.echo(json.dumps({"ready": True, "port": site.port, "url": url, "proxy_port": proxy}))
    else:
        usdt = sandbox.desk.exchange.options.spot_usdt
        typer.echo(f"Sandbox Binance on {url}, {usdt} USDT on spot. Control API: {url}/control/books")
        typer.echo("The exchange section for Freqtrade: add --print-config. Stop with Ctrl-C.")
    try:
        await stopped.wait()
    finally:
        await site.close()
