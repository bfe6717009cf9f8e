"""A loopback Binance that unmodified Freqtrade and ccxt accept: for tests, for the demo, and to try things on."""

from freqtrade_fundhedge.sandbox.client import ControlError, SandboxControl, ccxt_urls, freqtrade_config
from freqtrade_fundhedge.sandbox.server import SandboxServer

__all__ = ["ControlError", "SandboxControl", "SandboxServer", "ccxt_urls", "freqtrade_config"]
