"""The chat format knows where a turn begins."""

from __future__ import annotations

from everlearn.model.chat import Row
from everlearn.records import Example, Message


def test_openings_are_the_first_tokens_of_each_answer(tiny):
    turns = (
        Message("user", "one two"),
        Message("assistant", "three four"),
        Message("user", "five"),
        Message("assistant", "six seven", learn=True),
    )
    row = tiny.chat.example(Example(turns))
    whole = Row(row.ids, (True,) * len(row.ids))
    (begun,) = tiny.chat.openings([whole])
    assert begun.ids == row.ids
    first = [row.ids[at] for at, learn in enumerate(begun.learn) if learn]
    assert first == [tiny.tokenizer.encode(word, add_special_tokens=False)[0] for word in ("three", "six")]
    (learnt,) = tiny.chat.openings([row])
    assert learnt.learn.index(True) == row.learn.index(True), "what is not learnt opens nothing"
    assert learnt.targets == 1


def test_a_row_in_which_nobody_answers_has_no_opening(tiny):
    assert tiny.chat.openings([Row(tuple(range(20)), (True,) * 20)]) == []
