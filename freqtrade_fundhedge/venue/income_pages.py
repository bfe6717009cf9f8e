"""Binance's income history, page by page: each line once, oldest first.

Source: Binance API documentation, "Get Income History": at most the last three months, 1000 lines a request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from freqtrade_fundhedge.venue.ccxt_call import call, resync_clock

PAGE: Final = 1000
PAGES: Final = 500


def income_lines(api: Any, since: float) -> Iterator[Mapping[str, Any]]:
    """`GET /fapi/v1/income`, as the exchange words it.

    Lines of one moment may stand on both sides of a page's end, so the next page begins with that moment again.

    Parameters
    ----------
    since : seconds since 1970

    Raises
    ------
    VenueError : it can't be read
    """
    seen, start = set[str](), int(since * 1000)
    for _ in range(PAGES):
        resync_clock(api)
        rows = call(api, api.fapiPrivateGetIncome, {"startTime": start, "limit": PAGE})
        fresh = [row for row in rows if _key(row) not in seen]
        seen |= {_key(row) for row in fresh}
        yield from fresh
        if len(rows) < PAGE or not fresh:
            break
        start = int(rows[-1]["time"])


def _key(row: Mapping[str, Any]) -> str:
    return "|".join(str(row.get(name)) for name in ("tranId", "tradeId", "incomeType", "symbol", "time"))
