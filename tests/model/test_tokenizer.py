"""A model name in, its chat format out."""

import pytest

from everlearn.errors import ModelError
from everlearn.model.tokenizer import chat_format
from everlearn.records import Message


def test_the_chat_format_is_that_of_the_loaded_model(tiny, tiny_folder):
    chat = chat_format(str(tiny_folder))
    turns = (Message("user", "Hello"),)
    assert (chat.context, chat.end) == (tiny.context, tiny.chat.end)
    assert chat.prompt(turns) == tiny.chat.prompt(turns)


def test_an_unknown_model():
    with pytest.raises(ModelError, match="there is no model 'nobody'"):
        chat_format("nobody")


def test_a_directory_without_a_tokenizer(tiny_folder, tmp_path):
    (tmp_path / "config.json").write_bytes((tiny_folder / "config.json").read_bytes())
    with pytest.raises(ModelError, match="could not read the tokenizer of"):
        chat_format(str(tmp_path))
