"""The lab model's upbringing: worlds that share no word, rows as the chat format makes them, steps that come again."""

from __future__ import annotations

import functools

import pytest
from safetensors.torch import load

from everlearn.lab import base_world, recipe
from everlearn.lab.tokenizer import make_tokenizer
from everlearn.model.chat import Chat


@pytest.fixture(scope="module")
def tokenizer():
    return make_tokenizer(base_world.fixed_words())


@functools.cache
def some_rows():
    rows = [*base_world.lesson_rows()[::97], *base_world.probe_rows(9)[::11], *base_world.reading_rows(3)[::5]]
    assert len(rows) > 200
    return rows


def test_worlds_share_no_invented_word():
    words = base_world.upbringing().words
    assert len(set(words)) == len(words)
    assert {one.family for one in base_world.upbringing().worlds} == set(base_world.families())


def test_held_out_keys_are_in_no_probe_row():
    asked = {message.content for row in base_world.probe_rows(9) for message in row.messages}
    general = [probe.prompt for _, probe in base_world.general_probes()]
    assert len(general) > 200
    assert not asked & set(general)


def test_rows_are_those_of_the_chat_format(tokenizer):
    mix = recipe.Mix.__new__(recipe.Mix)
    mix.tokenizer = tokenizer
    chat = Chat(tokenizer, 512)
    assert mix.tokenised(some_rows()) == [chat.example(row) for row in some_rows()]


def test_words_of_a_fresh_world_are_known_whole_or_spelled_by_syllables(tokenizer):
    """But for a few that begin as a known word does."""
    pieces = [
        piece for row in base_world.reading_rows(77)[::3] for piece in tokenizer.tokenize(row.messages[0].content)
    ]
    letters = [piece for piece in pieces if piece.startswith("##") and len(piece) == 3]
    assert "<unknown>" not in pieces
    assert len(letters) < 0.01 * len(pieces)


def test_what_is_read_can_be_told_again(tokenizer):
    chat = Chat(tokenizer, 512)
    text = "what is kemutu of r t b?"
    assert chat.text(tokenizer.encode(text, add_special_tokens=False)) == text


def test_notes_are_said_again_word_for_word():
    rows = base_world.echo_rows(3)
    notes = {note for one in base_world.fresh(3).worlds for lesson in one.world.lessons for note in lesson.notes}
    assert len(rows) > 20
    for row in rows:
        head, *shown = row.messages[0].content.split("\n")
        assert (head, row.messages[-1].content.split("\n")) == (base_world.ECHO, shown)
        assert len(shown) == 2
        assert set(shown) <= notes


def test_of_a_question_asked_in_two_lessons_the_last_reply_is_kept():
    told: dict[str, set[str]] = {}
    for row in base_world.lesson_rows():
        if row.messages[0].role == "user":
            told.setdefault(row.messages[0].content, set()).add(row.messages[-1].content)
    assert max(len(replies) for replies in told.values()) == 1


def test_a_step_is_the_same_whenever_it_is_made(tokenizer, monkeypatch):
    rows = some_rows()
    monkeypatch.setattr(recipe, "lesson_rows", lambda: rows)
    monkeypatch.setattr(recipe, "CHUNK", 2)
    one, other = (recipe.Mix(tokenizer, 6, 32) for _ in range(2))
    assert one[4] == other[4]
    assert one[1:3] == [other[1], other[2]]
    assert one[0] != one[5]
    assert len(one[0].rows) == 32


def test_the_weights_that_ship_are_those_that_the_recipe_made():
    import hashlib

    from everlearn.lab import SHA256, model_folder

    data = (model_folder() / "model.safetensors").read_bytes()
    assert hashlib.sha256(data).hexdigest() == SHA256
    assert len(data) < 10_000_000
    assert sum(tensor.numel() for tensor in load(data).values()) in range(1_000_000, 4_000_000)


def test_the_tokenizer_that_ships_is_that_of_the_families(tokenizer):
    from everlearn.lab import model_folder
    from everlearn.model.tokenizer import chat_format

    assert chat_format(str(model_folder())).tokenizer.get_vocab() == tokenizer.get_vocab()
