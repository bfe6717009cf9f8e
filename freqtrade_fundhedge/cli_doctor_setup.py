"""What is installed on this machine, and what the configuration files say."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from freqtrade_fundhedge.cli_common import Loaded, origin
from freqtrade_fundhedge.core.checks import Finding
from freqtrade_fundhedge.core.setup_checks import keys_finding, strategy_finding
from freqtrade_fundhedge.starter_files import STARTERS, STRATEGY
from freqtrade_fundhedge.venue.connect import credentials


@dataclass(frozen=True)
class Installed:
    """This package's requirements, and the versions that are there, by lower-case name."""

    python: str
    wanted_python: str
    requirements: Sequence[str]
    versions: Mapping[str, str]


def installed() -> Installed:
    """Read from the packages' own metadata, without importing any of them."""
    mine = importlib.metadata.metadata("freqtrade-fundhedge")
    requirements = importlib.metadata.requires("freqtrade-fundhedge") or []
    versions = {}
    for line in requirements:
        name = Requirement(line).name.lower()
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return Installed(platform.python_version(), str(mine["Requires-Python"] or ""), requirements, versions)


def keys_of(loaded: Loaded) -> Finding:
    """Where the keys come from."""
    names = [f"exchange.{name}" for name in ("api_key", "apiKey", "key", "walletAddress", "wallet_address")]
    places = [f"exchange.{part}.apiKey" for part in ("ccxt_config", "ccxt_sync_config")]
    source = origin(loaded.config, *names, *places)
    spot = origin(loaded.config, "fundhedge.spot.key")
    there = credentials(loaded.config["exchange"])
    complete = bool(there.get("secret") or there.get("privateKey"))
    return keys_finding(source, spot, bool(loaded.config["dry_run"]), complete)


def strategy_of(loaded: Loaded) -> Finding:
    """Looks where Freqtrade looks: the strategy path, else the user folder."""
    config = loaded.config
    folders = [Path(str(config.get("user_data_dir") or "user_data")) / "strategies"]
    if config.get("strategy_path"):
        folders.insert(0, Path(str(config["strategy_path"])))
    path = next((folder / STRATEGY for folder in folders if (folder / STRATEGY).is_file()), None)
    same = path is not None and path.read_bytes() == STARTERS[0].content
    looked = " or ".join(str(folder) for folder in folders)
    return strategy_finding(config.get("strategy"), str(path), path is not None, same, looked)
