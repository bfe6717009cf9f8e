"""`make setup` where its Python is none that this package can run on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OLD = 'import sys; sys.version_info = (3, 10, 13, "final", 0); exec(sys.argv[2])'


def setup(folder: Path, python: str) -> str:
    """What `make setup` says when it ends with an error."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    # Under `make test` there is a make around this one, which it would speak of.
    env = {name: value for name, value in os.environ.items() if name != "MFLAGS" and not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", "--no-print-directory", "setup", f"PYTHON={python}"],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False, env=env,
    )  # fmt: skip
    assert done.returncode == 2
    (line,) = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("make: ***")]
    return line


@pytest.mark.parametrize("place", ["python3", ".venv/bin/python"])
def test_an_old_python_is_named_with_the_remedy(place: str, tmp_path: Path) -> None:
    """Of the machine or of an environment that is there: one line, and nothing is made or installed."""
    python = tmp_path / place
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{OLD}' \"$@\"\n")
    python.chmod(0o755)
    line = setup(tmp_path, str(python) if place == "python3" else sys.executable)
    assert "is Python 3.10.13, 3.11 or newer is needed: make clean setup PYTHON=python3.13" in line
    assert not list(tmp_path.rglob(".installed"))


def test_a_python_that_is_not_there_is_named(tmp_path: Path) -> None:
    """No message of the shell's alone."""
    assert setup(tmp_path, "python9.99").startswith("python9.99 is not there: install Python 3.11 or newer")


def test_the_oldest_python_is_the_same_everywhere() -> None:
    """Metadata, classifiers, linter, make, CI and README name one version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    least = project["project"]["requires-python"].removeprefix(">=")
    tried = re.findall(r"Python :: (3\.\d+)", "\n".join(project["project"]["classifiers"]))
    assert tried[0] == least
    assert project["tool"]["ruff"]["target-version"] == f"py{least.replace('.', '')}"
    assert f"({least.replace('.', ', ')})" in (ROOT / "Makefile").read_text()
    for page in ("README.md", "CONTRIBUTING.md", ".ci/run", "Makefile"):
        assert f"Python {least}+" in (ROOT / page).read_text(), page
    assert f"tried with {', '.join(tried[:-1])} and {tried[-1]}" in (ROOT / "README.md").read_text()
