"""The table of costs: each benchmark runs apart, bounded, and what it could not measure is said in its own row."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import apart, rows

GOOD = rows.Row("loop", "2 ms", "3 ms", "1 ms", "5 ms", kept=True)
PAGE = f"# Costs\n{bench.BEGIN}\nold\n{bench.END}\nthe rest\n"


def program(folder: Path, *lines: str) -> str:
    """A benchmark of these lines, and how it is typed."""
    path = folder / "part.py"
    path.write_text("\n".join(("import subprocess, sys, time", "assert sys.argv[1:] == ['--json']", *lines)))
    return f"python {path}"


def printed(row: rows.Row) -> str:
    return f"print({json.dumps(asdict(row) | {'kept': None})!r}, flush=True)"


def test_rows_are_read_with_the_command_that_measures_them_again(tmp_path: Path) -> None:
    """What else is printed is no row; a benchmark without a row has failed."""
    command = program(tmp_path, "print('a warning')", printed(GOOD))
    assert [(row.what, row.command) for row in apart.measured(command, 20)] == [("loop", command)]
    (silent,) = apart.measured(program(tmp_path), 20)
    assert (silent.what, silent.kept) == ("FAILED: no row", False)


def test_a_benchmark_that_fails_keeps_its_rows_and_says_why(tmp_path: Path) -> None:
    """Its last word stands in the table, which it does not break."""
    first, last = apart.measured(program(tmp_path, printed(GOOD), "raise SystemExit('one | two')"), 20)
    assert (first.what, last.what, last.kept) == ("loop", "FAILED: one / two", False)
    *_, last = apart.measured(program(tmp_path, r"raise AssertionError('never happened: a loop\n2026 a log')"), 20)
    assert last.what == "FAILED: AssertionError: never happened: a loop"


def test_a_benchmark_that_takes_too_long_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked first; whatever of its own session is left then is ended, and nothing else."""
    monkeypatch.setattr(apart, "GRACE_S", 0.2)
    child = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    command = program(
        tmp_path, printed(GOOD), f"child = {child}", f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))",
        "import signal", "signal.signal(signal.SIGINT, signal.SIG_IGN)", "time.sleep(60)",
    )  # fmt: skip
    begun = time.monotonic()
    first, last = apart.measured(command, 1)
    assert (first.what, last.what) == ("loop", "FAILED: not done after 1 s")
    assert time.monotonic() - begun < 10
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while _lives(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    """Whether a process that is not ours any more still runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_table_goes_between_its_marks_and_what_is_not_kept_is_the_exit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the page stays; a limit that is not kept is named at the end."""
    page = tmp_path / "costs.md"
    page.write_text(PAGE)
    found = {"good": [GOOD], "bad": [rows.row("start", [1, 2, 9], "ms", limit="1 ms", kept=False)]}
    monkeypatch.setattr(bench, "PARTS", (bench.Part("good"), bench.Part("bad", "--words")))
    monkeypatch.setattr(bench, "measured", lambda command, _limit: found[command.split()[2].rpartition(".")[2]])
    bench.main(["--only", "good", "--to", str(page)])
    with pytest.raises(SystemExit, match="not kept: start"):
        bench.main(["--quick", "--to", str(page)])
    text = page.read_text()
    assert text.startswith("# Costs\n<!-- table -->\nMeasured with `python -m benchmarks --quick`")
    assert text.endswith(f"{rows.markdown([GOOD, *found['bad']])}\n<!-- end of table -->\nthe rest\n")
    assert "old" not in text


@pytest.mark.parametrize("page", ["", f"{bench.END}{bench.BEGIN}", f"{PAGE}{PAGE}"])
def test_a_page_without_a_place_for_the_table_is_refused_before_anything_is_measured(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not after half an hour."""
    monkeypatch.setattr(bench, "measured", lambda *_: pytest.fail("measured"))
    (tmp_path / "costs.md").write_text(page)
    with pytest.raises(ValueError, match="there must be one"):
        bench.main(["--to", str(tmp_path / "costs.md")])


def test_every_benchmark_of_the_table_is_there_and_the_page_has_its_place() -> None:
    """Each part is a module with a small run and rows; docs/costs.md has one table."""
    for part in bench.PARTS:
        text = (apart.ROOT / "benchmarks" / f"{part.name}.py").read_text()
        assert "options(__doc__)" in text, part.name
        assert "wanted.json" in text, part.name
    page = (apart.ROOT / "docs" / "costs.md").read_text()
    assert bench.between_marks(page, "") != page
