"""Check data before it is learnt: `everlearn data check FILE`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from everlearn.cli import DONE
from everlearn.cli.terminal.output import emit
from everlearn.cli.terminal.stores import model_name, store_folder

if TYPE_CHECKING:
    from everlearn.data.check import Encode
    from everlearn.model.chat import Chat


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with which file, and for which model."""
    parser.add_argument("action", choices=["check"])
    parser.add_argument("file", metavar="FILE", type=Path, help="a file, a folder of files, or a skill folder")
    parser.add_argument("--model", metavar="NAME", help="whose tokenizer (default: the store's model)")


def run(arguments: argparse.Namespace) -> int:
    """Print the check; only the tokenizer is loaded."""
    from everlearn.data import read_items
    from everlearn.data.check import check, render
    from everlearn.model.tokenizer import chat_format

    reading = read_items(arguments.file)
    chat = chat_format(model_name(store_folder(arguments), arguments.model))
    result = check(reading, _encode(chat), chat.context)
    emit(arguments, result, lambda: render(result, colour=sys.stdout.isatty()))
    return DONE


def _encode(chat: Chat) -> Encode:
    """Ids, mask and texts of an example at its full length, however long the context is."""
    from everlearn.errors import DataError
    from everlearn.model.chat import Chat
    from everlearn.records import Example

    unbounded = Chat(chat.tokenizer, sys.maxsize)

    def encode(example: Example) -> tuple[list[int], list[bool], list[str]]:
        try:
            row = unbounded.example(example)
        except DataError:  # nothing in it to learn: the check says where
            return [], [], []
        return list(row.ids), list(row.learn), unbounded.pieces(row.ids)

    return encode
