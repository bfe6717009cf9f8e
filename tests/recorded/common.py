"""What every exchange's answers tell of: a short of one tenth BTC, and when."""

from __future__ import annotations

NOW_MS = 1_790_000_000_000
MARK, SHORT, MARGIN, MAINTENANCE, LOSS = "50000", "0.1", "1700", "25", "-200"
