"""Writing a page, and what both reports share."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from freqtrade_fundhedge.errors import ConfigError

WIDTH = 80  # of output that goes into a file or a pipe


def write_page(target: Path, pieces: Iterable[str]) -> None:
    """Write a page to `--html`.

    Raises
    ------
    ConfigError : it can't be written
    """
    try:
        _replace(target, pieces)
    except OSError as error:
        raise ConfigError(f"--html {target}: {(error.strerror or type(error).__name__).lower()}") from None


def _replace(target: Path, pieces: Iterable[str]) -> None:
    """Write beside the target, then rename: a page is never half there."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.writelines(pieces)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
