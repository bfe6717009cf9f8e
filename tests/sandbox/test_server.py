"""Starting and stopping: in a thread, as a process, from the command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from urllib.error import URLError

import ccxt
import ccxt.pro
import pytest
import requests
from typer.testing import CliRunner

from freqtrade_fundhedge.sandbox import SandboxControl, SandboxServer, ccxt_urls, freqtrade_config


def test_a_thread_starts_and_stops():
    """A sandbox in a thread answers while it runs, and its port is free afterwards."""
    with SandboxServer(spot_usdt="12.5") as server:
        assert server.control.books()["spot"]["USDT"]["total"] == "12.5"
    with pytest.raises(URLError):
        SandboxControl(server.url).books()


def test_a_process_starts_and_stops():
    """A sandbox in a process of its own does the same."""
    with SandboxServer(futures_usdt=3, own_process=True) as server:
        assert server.control.books()["futures"]["walletBalance"] == "3.00000000"
    with pytest.raises(URLError):
        SandboxControl(server.url).books()


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(name):
    """SIGTERM and Ctrl-C end the process with status 0, even while a request hangs."""
    command = [sys.executable, "-m", "freqtrade_fundhedge.sandbox", "--port", "0", "--json-ready"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        ready = json.loads(process.stdout.readline())
        assert ready["ready"] is True
        SandboxControl(ready["url"]).fault("drop_before", "/api/v3/ping", seconds=30)
        client = ccxt.binance({"urls": ccxt_urls(ready["url"]), "timeout": 200})
        with pytest.raises(ccxt.RequestTimeout):
            client.public_get_ping()
        client.session.close()
        process.send_signal(name)
        _, errors = process.communicate(timeout=15)
    assert (process.returncode, errors) == (0, "")


def test_everything_ccxt_knows_is_redirected():
    """No API of ccxt's binance is left pointing at the internet."""
    client = ccxt.pro.binance({"urls": ccxt_urls("http://127.0.0.1:1")})
    api = dict(client.urls["api"])
    assert set(ccxt_urls("")["api"]) == set(api)
    sockets = dict(api.pop("ws"))
    assert set(ccxt_urls("")["api"]["ws"]) == set(sockets)
    assert all(url.startswith("http://127.0.0.1:1/") for url in api.values())
    assert all(url.startswith("ws://127.0.0.1:1/") for url in (*sockets.pop("ws-api").values(), *sockets.values()))


def test_the_config_section_takes_overrides():
    """Overrides replace settings of the section."""
    section = freqtrade_config("http://127.0.0.1:1", pair_whitelist=["SOL/USDT:USDT"])
    assert section["pair_whitelist"] == ["SOL/USDT:USDT"]
    assert section["enable_ws"] is False


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "example.com"])
def test_only_loopback_is_listened_on(host):
    """Any address but loopback is refused in one line."""
    import typer

    from freqtrade_fundhedge.sandbox.command import sandbox_command

    app = typer.Typer()
    app.command()(sandbox_command)
    result = CliRunner().invoke(app, ["--host", host])
    assert result.exit_code == 2
    assert "loopback" in result.output


def test_the_command_prints_the_config():
    """The snippet is the section that Freqtrade takes."""
    command = [sys.executable, "-m", "freqtrade_fundhedge.sandbox", "--print-config", "--port", "8123"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    section = json.loads(done.stdout)["exchange"]
    assert section["ccxt_config"]["urls"]["api"]["public"] == "http://127.0.0.1:8123/api/v3"


def test_funding_pays_from_the_start():
    """With --paying the market's own history has what the strategy enters on, for each pair of the printed section."""
    command = [sys.executable, "-m", "freqtrade_fundhedge.sandbox", "--port", "0", "--json-ready", "--paying"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = json.loads(process.stdout.readline())["url"]
            for pair in freqtrade_config(url)["pair_whitelist"]:
                symbol = {"symbol": pair.split(":")[0].replace("/", "")}
                past = requests.get(f"{url}/fapi/v1/fundingRate", {**symbol, "limit": 100}, timeout=10).json()
                assert [float(row["fundingRate"]) >= 0.0003 for row in past] == [True] * 100
                now = requests.get(f"{url}/fapi/v1/premiumIndex", symbol, timeout=10).json()
                assert float(now["lastFundingRate"]) >= 0.0003
        finally:
            process.terminate()


def test_a_taken_port_is_said():
    """A port in use ends in one line and status 1."""
    with SandboxServer() as server:
        command = [sys.executable, "-m", "freqtrade_fundhedge.sandbox", "--port", str(server.port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cannot listen" in done.stderr
