"""The file that Freqtrade's `RemotePairList` reads from a `file:///` address."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from freqtrade_fundhedge.errors import ConfigError


def check_target(path: Path, name: str) -> Path:
    """The path, if a file can be there.

    Parameters
    ----------
    name : of the option or key that the user gave it by

    Raises
    ------
    ConfigError : it is a folder, or there is no folder for it
    """
    if path.is_dir():
        raise ConfigError(f"{name}: {path} is a directory")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{name}: {path}: there is no folder {path.parent}")
    return path


def read_pairlist(path: Path) -> list[str]:
    """The pairs in such a file.

    Raises
    ------
    ConfigError : it is not there, or something else is in it
    """
    try:
        pairs = json.loads(path.read_text(encoding="utf-8"))["pairs"]
    except (OSError, ValueError, KeyError, TypeError):
        pairs = None
    if not isinstance(pairs, list):
        raise ConfigError(f"{path}: not a file with a list of pairs")
    return [str(pair) for pair in pairs]


def write_pairlist(path: Path, pairs: Sequence[str], at: float) -> None:
    """Replace the file in one step, so that no reader ever sees half of it.

    It sets no `refresh_period`: a file on this machine may be read as often as the user likes.

    Parameters
    ----------
    path : in a folder that exists
    pairs : best first
    at : seconds since 1970

    Raises
    ------
    OSError : it could not be written; what was there is still there
    """
    written = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    content = {"pairs": list(pairs), "written": written}
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
