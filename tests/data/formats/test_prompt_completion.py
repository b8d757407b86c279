"""Rows with `prompt` and `completion` in, examples and questions out."""

from everlearn.data import read_items, read_questions
from everlearn.records import Message

CHAT = [
    {"role": "user", "content": "a"},
    {"role": "assistant", "content": "b"},
    {"role": "user", "content": "c"},
]


def test_texts(write):
    reading = read_items(write("data.jsonl", [{"prompt": " p ", "completion": " c"}]))
    assert reading.format == "prompt_completion"
    assert reading.items[0].messages == (Message("user", " p "), Message("assistant", " c", learn=True))


def test_a_list_of_messages_as_prompt_is_context_only(write):
    path = write("data.jsonl", [{"prompt": CHAT, "completion": "d"}])
    messages = read_items(path).items[0].messages
    assert [(message.content, message.learn) for message in messages] == [
        ("a", False),
        ("b", False),
        ("c", False),
        ("d", True),
    ]
    assert read_questions(path)[0].gold == ("d",)


def test_a_list_of_messages_as_completion(write, fails):
    answer = [{"role": "assistant", "content": "d"}]
    path = write("data.jsonl", [{"prompt": "c", "completion": answer}])
    assert read_items(path).items[0].messages[-1] == Message("assistant", "d", learn=True)
    path = write("data.jsonl", [{"prompt": "c", "completion": CHAT[:1]}])
    assert fails(path)[0] == 'data.jsonl:1: no "assistant" message; each line needs one'


def test_empty_and_mistyped_values(write, fails):
    def fault(prompt, completion):
        return fails(write("data.jsonl", [{"prompt": prompt, "completion": completion}]))

    assert fault("p", " ") == (
        'data.jsonl:1: "completion" is empty',
        'write the text of "completion", or delete the row',
    )
    assert fault("", "c")[0] == 'data.jsonl:1: "prompt" is empty'
    assert fault("p", 3) == (
        'data.jsonl:1: "completion" is a number, not a text',
        'write it in quotes: "..."',
    )
    assert fault({"role": "user"}, "c")[0] == 'data.jsonl:1: "prompt" is an object, not a text'
