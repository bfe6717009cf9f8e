"""The reference of the `fundhedge` section, from its model.

`python -m freqtrade_fundhedge.config_reference docs/configuration.md` writes it between the markers in that file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from freqtrade_fundhedge.config import FundHedgeConfig

BEGIN: Final = "<!-- config reference: written by `make docs` -->"
END: Final = "<!-- end of config reference -->"


def rows(model: type[BaseModel] = FundHedgeConfig, prefix: str = "fundhedge") -> Iterator[tuple[str, str, str, str]]:
    """Every key of the section as (name, default, allowed range, meaning), in the order of the model."""
    for name, info in model.model_fields.items():
        key = f"{prefix}.{name}"
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from rows(info.annotation, key)
        else:
            yield key, _shown(info.default), _range(info.metadata), info.description or ""


def markdown() -> str:
    """The table that docs/configuration.md carries."""
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


def with_reference(text: str) -> str:
    """The text with the current table between the markers.

    Raises
    ------
    ValueError : the text has no such markers
    """
    before, found_begin, rest = text.partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not found_begin or not found_end:
        raise ValueError(f"the markers {BEGIN} and {END} are missing")
    return f"{before}{BEGIN}\n{markdown()}\n{END}{after}"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(with_reference(Path(name).read_text()))
