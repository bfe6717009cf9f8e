"""The strategy of this package, which writes down when Freqtrade tells it of a fill."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "user_data" / "strategies"))

from FundHedgeStrategy import FundHedgeStrategy

LOG = os.environ.get("FUNDHEDGE_PROBE", "told.jsonl")


class Told(FundHedgeStrategy):
    """Each callback is a line: the pair, and when (milliseconds since 1970)."""

    def order_filled(self, pair: str, **kwargs: Any) -> None:
        at = time.time() * 1000
        super().order_filled(pair=pair, **kwargs)
        with open(LOG, "a") as log:  # noqa: PTH123 - as in the probe
            log.write(json.dumps({"pair": pair, "at": at}) + "\n")
