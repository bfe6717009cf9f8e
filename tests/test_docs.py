"""Docs that cannot rot: what the README and the Makefile say is what there is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import dropwhile
from pathlib import Path

import pytest
import typer
from freqtrade.commands import Arguments

from freqtrade_fundhedge.cli import COMMANDS, app
from freqtrade_fundhedge.commands_reference import help_of
from freqtrade_fundhedge.commands_reference import markdown as commands
from freqtrade_fundhedge.config_reference import BEGIN, END, markdown, rows, with_reference

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))}
TYPED = re.compile(r" *([A-Z_]+=\S+ |mkdir \S+ \S+ && )*(\.venv/bin/)?(fundhedge|freqtrade|make)( |$)")
ASSIGNED = re.compile(r"[A-Z_]+=")


def blocks(text: str) -> Iterator[str]:
    """What stands between two fences."""
    yield from re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands_in(text: str) -> Iterator[list[str]]:
    """Each command to type, as its words, redirections left out; the rest of a block is output and is passed over."""
    for line in "".join(blocks(text)).replace("\\\n", " ").splitlines():
        if not TYPED.match(line):
            continue
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        for part in re.split(r"\0(?:&&|;|&|\|)\0", "\0".join(["", *lexer, ""])):
            words = list(dropwhile(ASSIGNED.match, filter(None, part.split(">")[0].split("\0"))))
            if words:
                yield [Path(words[0]).name, *words[1:]]


def anchors(text: str) -> set[str]:
    """Names of the headings, as the page's readers link to them."""
    heads = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def parse(words: list[str]) -> None:
    """Parse one command as the program would, without running it.

    Raises
    ------
    TyperException, SystemExit, AssertionError : it is not a command that could be run
    """
    if words[0] == "fundhedge":
        group = typer.main.get_command(app)
        context = group.make_context("fundhedge", words[1:])
        name, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])  # type: ignore[attr-defined]
        command.make_context(name, rest, parent=context)
    elif words[0] == "freqtrade":
        assert Arguments(words[1:]).get_parsed_arg()["command"]
    elif words[0] == "make":
        assert all(re.search(rf"^{target}:", MAKEFILE, re.MULTILINE) for target in words[1:] if "=" not in target)


COMMAND_LINES = [(page, " ".join(words), words) for page, text in PAGES.items() for words in commands_in(text)]
LINKS = [
    (page, link)
    for page, text in PAGES.items()
    for link in re.findall(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"", text)
]


def test_the_reference_is_up_to_date() -> None:
    """The table of keys is what `make docs` writes: every key, its default, its range and its meaning."""
    assert with_reference(CONFIGURATION) == CONFIGURATION, "run `make docs`"
    assert all(f"| `{key}` |" in CONFIGURATION for key, *_ in rows())


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


@pytest.mark.parametrize(("page", "line", "words"), COMMAND_LINES, ids=[f"{p}: {line}" for p, line, _ in COMMAND_LINES])
def test_every_command_of_the_docs_can_be_typed(page: str, line: str, words: list[str]) -> None:
    """What a page shows as a line to type is parsed by the program that it names, options and all."""
    try:
        parse(words)
    except typer.Exit:
        assert "--help" in words or "--version" in words
    except (typer.TyperException, SystemExit) as error:
        pytest.fail(f"{page}: {line}: {error}")


def test_a_command_that_could_not_be_typed_is_noticed() -> None:
    """A wrong option, command, target or value does not pass; what stands around a command does not matter."""
    text = "```\nA=1 .venv/bin/fundhedge status -c a.json > b && make nothing  # why\nfundhedge: not a command\n```\n"
    status, made = commands_in(text)
    assert status == ["fundhedge", "status", "-c", "a.json"]
    assert made == ["make", "nothing"]
    parse(status)
    for wrong in (made, ["fundhedge", "status", "--nope"], ["fundhedge", "nope"], ["freqtrade", "trade", "--nope"]):
        with pytest.raises((typer.TyperException, SystemExit, AssertionError)):
            parse(wrong)


@pytest.mark.parametrize(("page", "links"), LINKS)
def test_every_link_inside_the_repository_leads_somewhere(page: str, links: tuple[str, str]) -> None:
    """No dead file and no dead heading; a link to another site is not followed."""
    link = links[0] or links[1]
    if re.match("[a-z]+:", link):
        return
    file, _, anchor = link.partition("#")
    target = (ROOT / page).parent / file if file else ROOT / page
    assert target.exists(), link
    if anchor:
        assert anchor in anchors(target.read_text()), link


def test_the_licence_is_the_one_that_is_declared() -> None:
    """pyproject.toml says GPL-3.0, and the licence's text is there in full."""
    assert 'license = "GPL-3.0-or-later"' in (ROOT / "pyproject.toml").read_text()
    text = (ROOT / "LICENSE").read_text()
    assert "GNU GENERAL PUBLIC LICENSE" in text
    assert "END OF TERMS AND CONDITIONS" in text
