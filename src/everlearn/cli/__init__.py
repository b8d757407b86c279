"""Command-line words in, an exit code out; a verb is one file of this folder, imported only when it is called."""

from __future__ import annotations

# ruff: noqa: PTH123, PTH120, PTH208  `--help` shall not wait for pathlib, argparse or functools
import os
import sys

from everlearn import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from types import ModuleType

DONE, ERROR, USAGE, REJECTED, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes: done, an error that was explained, a wrong call, rejected by the gate, stopped by Ctrl-C."""


def main(words: Sequence[str] | None = None) -> int:
    """Run one verb with its arguments (by default those of this process) and return its exit code.

    Raises:
        SystemExit: a wrong call (2), or `VERB --help` and `--version` (0), as argparse does.
    """
    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a character gets a question mark
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    given = sys.argv[1:] if words is None else list(words)
    if not given or given[0] in HELP:
        print(_help(), file=sys.stdout if given else sys.stderr)
        return DONE if given else USAGE
    top = _top_parser()
    called = top.parse_args(given)
    if called.verb not in verbs():
        from everlearn.settings import nearest

        top.error(f"there is no verb {called.verb!r}; {nearest(called.verb, verbs())}")
    import importlib

    verb = importlib.import_module(f"{__name__}.{called.verb}")
    return _perform(verb, _verb_parser(verb, called.verb).parse_args(called.words, called))


HELP = ("-h", "--help")
USAGE_LINE = "everlearn [--store DIR] VERB …"

COMMON = (
    ("--store", "DIR", "where to look for the store, from there upwards (default: the current folder)"),
    ("--json", "", "print JSON instead of text"),
    ("--traceback", "", "show where an error arose"),
)
"""What may stand before the verb or after it: option, what it takes, and what it does."""


def verbs() -> dict[str, str]:
    """Every verb with its one line of help: the files of this folder and the docstrings they open with."""
    return headlines(os.path.dirname(__file__))


def headlines(folder: str) -> dict[str, str]:
    """The name and the first docstring line of each plug-in file in a folder, in order; imports none of them."""
    names = sorted(name[:-3] for name in os.listdir(folder) if name.endswith(".py") and not name.startswith("_"))
    return {name: _headline(f"{folder}/{name}.py") for name in names if name != "contract"}


def _headline(path: str) -> str:
    """A file opens with its docstring; to parse the file for it would take most of the time of `--help`."""
    with open(path, encoding="utf-8") as file:
        return file.readline().strip().strip('"')


def _help() -> str:
    known = verbs()
    width = max(map(len, known))
    return "\n".join(
        (
            f"usage: {USAGE_LINE}\n",
            "Teach a language model new things one after another, and prove what it kept.\n",
            "verbs:",
            *(f"  {name:{width}}  {line}" for name, line in known.items()),
            "\n`everlearn VERB --help` explains one of them.\n",
            "options:",
            "  -h, --help   show this help message and exit",
            "  --version    show program's version number and exit",
            "\nfor every verb:",
            *(f"  {f'{option} {taken}'.strip():11}  {said}" for option, taken, said in COMMON),
        )
    )


def _top_parser() -> argparse.ArgumentParser:
    import argparse

    from everlearn import __version__

    class Parser(argparse.ArgumentParser):
        def format_help(self) -> str:
            return f"{_help()}\n"

    parser = Parser(prog="everlearn", usage=USAGE_LINE)
    parser.add_argument("--version", action="version", version=f"everlearn {__version__}")
    _add_common(parser)
    parser.add_argument("verb", help=argparse.SUPPRESS)
    parser.add_argument("words", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def _verb_parser(verb: ModuleType, name: str) -> argparse.ArgumentParser:
    import argparse

    parser = argparse.ArgumentParser(
        prog=f"everlearn {name}",
        description=verbs()[name],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        conflict_handler="resolve",
    )
    verb.add_arguments(parser)
    _add_common(parser)
    parser.set_defaults(parser=parser)
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    """What was given before the verb stands unless it is given again."""
    shared = parser.add_argument_group("for every verb")
    for option, taken, said in COMMON:
        if taken:
            shared.add_argument(option, metavar=taken, help=said)
        else:
            shared.add_argument(option, action="store_true", help=said)


def _perform(verb: ModuleType, arguments: argparse.Namespace) -> int:
    import warnings

    from everlearn.cli.terminal.failures import explain, report
    from everlearn.errors import EverlearnError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # a word between libraries, not for our user
            code: int = verb.run(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERROR
    except KeyboardInterrupt as stop:
        print(f"\n{str(stop) or 'interrupted'}", file=sys.stderr)
        return INTERRUPTED
    except (EverlearnError, MemoryError, OSError, RuntimeError) as error:
        known = explain(error)
        if known is None:
            raise
        report(known, error if arguments.traceback else None)
        return ERROR
