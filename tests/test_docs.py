"""Docs that cannot rot: what the README and the Makefile say is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from freqtrade_fundhedge.cli import COMMANDS
from freqtrade_fundhedge.commands_reference import help_of
from freqtrade_fundhedge.commands_reference import markdown as commands
from freqtrade_fundhedge.config_reference import BEGIN, END, markdown, rows, with_reference

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def test_the_reference_is_up_to_date() -> None:
    """The README's table is what `make docs` writes: every key, its default, its range and its meaning."""
    assert with_reference(README) == README, "run `make docs`"
    assert all(f"| `{key}` |" in README for key, *_ in rows())


def test_every_key_says_what_it_is_for() -> None:
    """No key is without a description, and none breaks the table."""
    for key, default, allowed, meaning in rows():
        assert meaning.endswith("."), key
        assert "|" not in default + allowed + meaning, key


def test_a_text_without_markers_is_refused() -> None:
    """The table has its place; without the markers nothing is written anywhere."""
    with pytest.raises(ValueError, match="markers"):
        with_reference("no place")
    assert markdown() in with_reference(f"{BEGIN} old {END}")


def test_the_reference_of_commands_is_up_to_date() -> None:
    """docs/commands.md is what `make docs` writes: every command with all its options."""
    assert (ROOT / "docs" / "commands.md").read_text() == commands(), "run `make docs`"


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_help_has_an_example_and_fits(command: str) -> None:
    """An example of each command, a meaning of each option, nothing beyond 80 columns."""
    text = help_of(command)
    assert re.search(rf"Examples:\n +fundhedge {command}\b", text)
    assert max(len(line) for line in text.splitlines()) <= 80
    for option in re.split(r"\n  (?=-)", text)[1:]:
        assert re.search(r"[a-z]{2,} [a-z]|\w\.", option.partition("  ")[2]), option


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_is_in_the_readme(command: str) -> None:
    """A command that the README does not show fails here."""
    assert re.search(rf"^fundhedge {command}\b", README, re.MULTILINE)


def test_the_readme_shows_no_command_that_is_not_there() -> None:
    """What stands in the README as a line to type is there."""
    shown = set(re.findall(r"^fundhedge ([a-z]+)", README, re.MULTILINE))
    assert shown == set(COMMANDS)


def test_the_test_command_is_the_one_that_make_runs() -> None:
    """The README names the command behind `make test`."""
    command = re.search(r"^test:.*\n\t\$\(BIN\)/(.*)$", MAKEFILE, re.MULTILINE)
    assert command is not None
    assert command[1] in README


@pytest.mark.parametrize("target", re.findall(r"\bmake ([a-z]+)\b +#", README + (ROOT / "CONTRIBUTING.md").read_text()))
def test_every_make_target_of_the_docs_exists(target: str) -> None:
    """A target that the docs show with a comment is one of the Makefile's."""
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:|#)([^)]+)\)", README))
def test_every_file_that_the_readme_links_to_exists(link: str) -> None:
    """No dead links inside the repository."""
    assert (ROOT / link).is_file()


def test_the_licence_is_the_one_that_is_declared() -> None:
    """pyproject.toml says GPL-3.0, and the licence's text is there in full."""
    assert 'license = "GPL-3.0-or-later"' in (ROOT / "pyproject.toml").read_text()
    text = (ROOT / "LICENSE").read_text()
    assert "GNU GENERAL PUBLIC LICENSE" in text
    assert "END OF TERMS AND CONDITIONS" in text
