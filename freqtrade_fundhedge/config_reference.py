"""The reference of the `fundhedge` section, from its model: `python -m freqtrade_fundhedge.config_reference`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from freqtrade_fundhedge.config import FundHedgeConfig


def rows(model: type[BaseModel] = FundHedgeConfig, prefix: str = "fundhedge") -> Iterator[tuple[str, str, str, str]]:
    """Every key of the section as (name, default, allowed range, meaning), in the order of the model."""
    for name, info in model.model_fields.items():
        key = f"{prefix}.{name}"
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from rows(info.annotation, key)
        else:
            yield key, _shown(info.default), _range(info.metadata), info.description or ""


def markdown() -> str:
    """The table that the README carries."""
    lines = ["| key | default | range | meaning |", "|---|---|---|---|"]
    lines += [f"| `{key}` | {default} | {allowed} | {meaning} |" for key, default, allowed, meaning in rows()]
    return "\n".join(lines)


def _shown(value: object) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | Decimal):
        return f"{Decimal(str(value)).normalize():f}"
    return str(value)


def _range(metadata: list[Any]) -> str:
    """Bounds as pydantic holds them; a plain number or text has none."""
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    bounds = [
        f"{sign} {_shown(getattr(item, name))}"
        for name, sign in signs.items()
        for item in metadata
        if getattr(item, name, None) is not None
    ]
    return ", ".join(bounds)


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown() + "\n")
