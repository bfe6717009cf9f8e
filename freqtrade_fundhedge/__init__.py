"""Hedged funding carry for Freqtrade."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freqtrade_fundhedge.callbacks import FundHedgeMixin

__all__ = ["FundHedgeMixin"]


def __getattr__(name: str) -> Any:
    # Lazy: the sandbox and the tools need no Freqtrade, whose import takes a second.
    if name == "FundHedgeMixin":
        from freqtrade_fundhedge.callbacks import FundHedgeMixin  # noqa: PLC0415

        return FundHedgeMixin
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
