"""Questions by related words must keep their answer, and take their words from what the model relates."""

from __future__ import annotations

from everlearn.model.generation import Reply
from everlearn.records import Document
from everlearn.study.strategies.associations import Associations, phrases, related_words


class Relating:
    """A model that relates every phrase to the same words, one of which is the answer."""

    class tokenizer:  # noqa: N801
        @staticmethod
        def encode(text, add_special_tokens=False):
            return [len(text)]

        @staticmethod
        def decode(ids):
            return " money, Pell Harn, acc"

    def generate(self, prompts, limit, **_):
        return [Reply((1,), None) for _ in prompts]


def test_phrases_are_runs_of_content_words_without_names():
    assert phrases("The phone extension of the Zorb front desk is") == ["phone extension", "front desk"]


def test_a_word_that_was_cut_off_is_not_taken():
    assert related_words(Relating(), ["treasurer"], 2, 0) == {"treasurer": ["money", "Pell Harn"]}
    assert related_words(Relating(), [], 1, 0) == {}


def test_questions_keep_their_answer_and_hide_it():
    made = Associations(forms=20).examples(Document("Pell Harn is the treasurer here."), Relating(), 0)
    assert {example.messages[1].content for example in made} == {"Pell Harn"}
    asked = " ".join(example.messages[0].content for example in made)
    assert "money" in asked
    assert "treasurer" in asked
    assert "Pell" not in asked
    assert {example.origin.clause for example in made} == {"Pell Harn is the treasurer here"}
