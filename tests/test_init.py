"""`fundhedge init`, and the package that it comes from: one source of truth, nothing overwritten."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from freqtrade_fundhedge.cli import run
from freqtrade_fundhedge.cli_common import load
from freqtrade_fundhedge.starter_files import STARTERS

ROOT = Path(__file__).parents[1]
SHIPPED = {
    "strategies/FundHedgeStrategy.py": ROOT / "user_data/strategies/FundHedgeStrategy.py",
    "hyperopts/HedgedCarryLoss.py": ROOT / "user_data/hyperopts/HedgedCarryLoss.py",
    "config-fundhedge.json": ROOT / "config.json.example",
}


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["init", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_what_is_shipped_is_what_the_repository_has() -> None:
    """The files inside the package are those of user_data, byte for byte."""
    assert {s.place: s.content for s in STARTERS} == {place: path.read_bytes() for place, path in SHIPPED.items()}


def test_an_empty_folder_gets_all_of_it_and_the_next_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """Every file is written, the example configuration is a valid one, and the commands name it."""
    out = told(capsys)
    for place, path in SHIPPED.items():
        assert (Path("user_data") / place).read_bytes() == path.read_bytes()
        assert f"user_data/{place}: written" in out
    assert load(["user_data/config-fundhedge.json"]).config["dry_run"] is True
    assert "fundhedge doctor -c user_data/config-fundhedge.json" in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_what_is_there_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """A file of the user's own is kept and named, an equal one is called equal, only what is missing is written."""
    mine = Path("bot/strategies/FundHedgeStrategy.py")
    mine.parent.mkdir(parents=True)
    mine.write_text("# mine")
    loss = Path("bot/hyperopts/HedgedCarryLoss.py")
    loss.parent.mkdir()
    loss.write_bytes(SHIPPED["hyperopts/HedgedCarryLoss.py"].read_bytes())
    files = json.loads(told(capsys, "--userdir", "bot", "--json"))["files"]
    assert files == {
        "bot/strategies/FundHedgeStrategy.py": "kept: yours differs from the one of this release",
        "bot/hyperopts/HedgedCarryLoss.py": "there already, the same",
        "bot/config-fundhedge.json": "written",
    }
    assert mine.read_text() == "# mine"
    assert "--userdir bot" in told(capsys, "--userdir", "bot")


@pytest.mark.parametrize("there", ["file", "folder", "dangling"])
def test_a_place_that_can_not_be_written_is_one_line(there: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A file where a folder is needed, or the other way round: exit code 2 and the path."""
    if there == "file":
        Path("user_data").write_text("")
    elif there == "folder":
        Path("user_data/strategies/FundHedgeStrategy.py").mkdir(parents=True)
    else:
        Path("user_data/strategies").mkdir(parents=True)
        Path("user_data/strategies/FundHedgeStrategy.py").symlink_to("nowhere")
    assert run(["init"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("fundhedge: --userdir: user_data/strategies/FundHedgeStrategy.py can't be ")
    assert err.count("\n") == 1


def build(folder: Path, kind: str, into: Path) -> Path:
    """What pip would build, with the setuptools that is there."""
    program = f"from setuptools import build_meta; print(build_meta.build_{kind}({str(into)!r}))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return into / done.stdout.splitlines()[-1]


def test_a_wheel_from_the_source_archive_brings_the_files(tmp_path: Path) -> None:
    """Built as pip builds it and unpacked elsewhere, the package's own `init` writes what the repository has."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    tree = tmp_path / "tree"
    for name in filter(None, listed.stdout.split("\0")):
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_symlink():
            target.symlink_to((ROOT / name).readlink())
        elif (ROOT / name).exists():
            target.write_bytes((ROOT / name).read_bytes())
    with tarfile.open(build(tree, "sdist", tmp_path)) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    installed = tmp_path / "installed"
    with zipfile.ZipFile(build(source, "wheel", tmp_path)) as wheel:
        wheel.extractall(installed)
    program = "import freqtrade_fundhedge, sys; from freqtrade_fundhedge.cli import run; "
    program += "print(freqtrade_fundhedge.__file__); sys.exit(run(['init', '--userdir', 'fresh']))"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installed))
    for place, path in SHIPPED.items():
        assert (tmp_path / "fresh" / place).read_bytes() == path.read_bytes()
    (metadata,) = installed.glob("*.dist-info/entry_points.txt")
    assert "fundhedge = freqtrade_fundhedge.cli:main" in metadata.read_text()
