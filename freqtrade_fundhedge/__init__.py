"""Hedged funding carry for Freqtrade."""
