"""The demo: a hedge from entry to sweep, by a real `freqtrade trade` on a sandbox exchange, told while it happens."""
