"""Rows with `messages` in, examples and questions out."""

from everlearn.data import read_items, read_questions
from everlearn.records import Message, Origin

TURNS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Où?"},
    {"role": "assistant", "content": "Là. 🧭"},
    {"role": "user", "content": "And now?"},
    {"role": "assistant", "content": "Here."},
]


def test_the_loss_falls_on_every_assistant_turn(write):
    reading = read_items(write("data.jsonl", [{"messages": TURNS, "id": 7}]))
    assert reading.format == "chat_messages"
    assert reading.items[0].messages == (
        Message("system", "Be brief."),
        Message("user", "Où?"),
        Message("assistant", "Là. 🧭", learn=True),
        Message("user", "And now?"),
        Message("assistant", "Here.", learn=True),
    )
    assert reading.items[0].origin == Origin("data.jsonl", 1)


def test_no_assistant_turn(write, fails):
    rows = [{"messages": TURNS[:3]}, {"messages": TURNS[:2]}]
    problem, hint = fails(write("data.jsonl", rows))
    assert problem == 'data.jsonl:2: no "assistant" message; each line needs one'
    assert hint == 'add a turn of the "assistant", or delete the row'


def test_as_a_question_the_last_assistant_turn_is_the_gold(write):
    (question,) = read_questions(write("data.jsonl", [{"messages": TURNS}]))
    assert [message.content for message in question.messages] == ["Be brief.", "Où?", "Là. 🧭", "And now?"]
    assert not any(message.learn for message in question.messages)
    assert question.gold == ("Here.",)


def test_turns_after_the_last_answer_are_not_asked(write):
    (question,) = read_questions(write("data.jsonl", [{"messages": TURNS[:4]}]))
    assert [message.content for message in question.messages] == ["Be brief.", "Où?"]
    assert question.gold == ("Là. 🧭",)


def test_a_question_needs_a_user_turn_before_its_answer(write, fails):
    for turns in ([TURNS[2]], [TURNS[0], TURNS[2]], [TURNS[1], TURNS[2], TURNS[4]]):
        path = write("data.jsonl", [{"messages": turns}])
        assert read_items(path).items
        problem, hint = fails(path, read_questions)
        assert problem == "data.jsonl:1: no user turn before the last answer"
        assert hint == "a question ends with the user; the answer follows it"
