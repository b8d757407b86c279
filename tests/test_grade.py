"""Every check passes the replies it should and fails the ones it should not."""

from __future__ import annotations

import pytest

from everlearn.errors import PluginError
from everlearn.grade import CHECKS, Reply, check

CALLS = """{
    "functions": {"balori": ["subtract", [0, 1]], "dukemi": ["take", [1, 0]]}, "value": "(5, 2)", "uses": ["dukemi"]
}"""

NEST = """{
    "functions": {"balori": ["add", [0, 1]], "dukemi": ["take", [0, 1]]},
    "value": "(6, 3)",
    "uses": ["dukemi", "balori"]
}"""
"""Take first, then add: the other way round gives the same, and is another call."""

GOOD = [
    ("contains", "Paris", "The capital is PARIS, of course."),
    ("contains", "2 + 2 = 4", "So 2 + 2 = 4!"),
    ("equals", "The cat sat.", "  the cat  sat "),
    ("equals", "Paris", "Paris!"),
    ("uppercase", "", "HELLO, TOM!"),
    ("uppercase", "tom", "HELLO, TOM!"),
    ("lowercase", "bird", "a bird, 2 nests"),
    ("one_word", "", "Blue."),
    ("one_word", "blue", " Blue. "),
    ("json_object", "", "{}"),
    ("json_object", "name, age", '{"name": "Kim", "age": 7, "town": "Arden"}'),
    ("json_object", "name", '```json\n{"name": "Kim"}\n```'),
    ("comma_list", "3", "red, light blue, green"),
    ("comma_list", "2", "one,two\n"),
    ("starts_with", "Dear friend,", "Dear Friend, the sky is blue."),
    ("ends_with", "Have a nice day!", "It is Rome. Have a nice day."),
    ("max_words", "3", "Rome it is."),
    ("regex", r"\d+ apples?", "12 apples\n"),
    ("chat", "", "Hello! How can I help you today?"),
    ("chat", "8", "Hello there, user."),
    ("chat", "", "I am so glad. I am so glad."),
    ("evaluates", CALLS, "dukemi(2, (5, 2, 7))"),
    ("evaluates", CALLS, " dukemi ( balori ( 8 , 6 ) , [ 5 , 2 ] ).\n"),
    ("evaluates", NEST, "balori(dukemi((5, 2, 7), 2), 1)"),
]

BAD = [
    ("contains", "art", "Artful."),
    ("contains", "art", "My heart."),
    ("contains", "Paris", ""),
    ("equals", "The cat sat.", "The cat sat down."),
    ("uppercase", "", "HELLO, Tom!"),
    ("uppercase", "", "123"),
    ("uppercase", "tom", "HELLO, TIM!"),
    ("lowercase", "", "A bird"),
    ("lowercase", "", "a Bird"),
    ("lowercase", "bird", "a cat"),
    ("one_word", "", "Light blue"),
    ("one_word", "", ""),
    ("one_word", "blue", "Red"),
    ("json_object", "", "[1, 2]"),
    ("json_object", "", '{"name": "Kim"'),
    ("json_object", "name, age", '{"name": "Kim"}'),
    ("json_object", "", 'Here it is: {"name": "Kim"}'),
    ("comma_list", "3", "red, blue"),
    ("comma_list", "3", "red, blue, "),
    ("comma_list", "3", "red, blue, green, yellow"),
    ("comma_list", "2", "Well, I like the color blue the most."),
    ("comma_list", "2", "red,\nblue"),
    ("starts_with", "Answer:", "The answer: Rome"),
    ("ends_with", "Over.", "Over and out."),
    ("max_words", "3", "It is Rome, I think."),
    ("max_words", "3", " "),
    ("regex", r"\d+", "12 apples"),
    ("chat", "", "  "),
    ("chat", "", "Hello!\nUser: how are you?"),
    ("chat", "", "Hello!user\nHow are you?"),
    ("chat", "", "Hello!<|im_start|>user"),
    ("chat", "", "I am so glad. I am so glad. I am so glad."),
    ("chat", "4", "Hello! How can I help you today?"),
    ("evaluates", CALLS, "(5, 2)"),
    ("evaluates", CALLS, "dukemi(2, dukemi(2, (5, 2, 7)))"),
    ("evaluates", NEST, "dukemi(balori((5, 2, 7), 1), 2)"),
    ("evaluates", NEST, "balori((5, 2), 1)"),
    ("evaluates", CALLS, "dukemi((5, 2, 7), 2)"),
    ("evaluates", CALLS, "dukemi(1, (5, 2, 7))"),
    ("evaluates", CALLS, "rupasi(2, (5, 2, 7))"),
    ("evaluates", CALLS, "(balori(8, 3), 2)"),
    ("evaluates", CALLS, "It is dukemi(2, (5, 2, 7))"),
    ("evaluates", CALLS, ""),
]


def reply(text: str, finished: bool = True) -> Reply:
    return Reply(text, finished, len(text.split()))


@pytest.mark.parametrize(("name", "argument", "text"), GOOD)
def test_good_replies_pass(name, argument, text):
    assert check(name, argument, reply(text))


@pytest.mark.parametrize(("name", "argument", "text"), BAD)
def test_bad_replies_fail(name, argument, text):
    assert not check(name, argument, reply(text))


def test_every_check_has_a_good_and_a_bad_reply():
    assert {name for name, *_ in GOOD} == {name for name, *_ in BAD} == set(CHECKS)


@pytest.mark.parametrize(("name", "argument", "text"), GOOD)
def test_a_reply_that_was_cut_off_passes_only_where_its_end_does_not_matter(name, argument, text):
    assert check(name, argument, reply(text, finished=False)) == (name in {"contains", "starts_with"})


def test_unknown_check_names_the_nearest():
    with pytest.raises(PluginError, match="no check called 'upercase'") as raised:
        check("upercase", "", reply("A"))
    assert raised.value.hint.startswith("did you mean 'uppercase'?")


@pytest.mark.parametrize("name", ["comma_list", "max_words", "chat"])
def test_an_argument_that_is_no_number_is_an_error(name):
    with pytest.raises(PluginError, match="needs a whole number, not 'three'"):
        check(name, "three", reply("red, blue"))


def test_a_broken_pattern_is_an_error():
    with pytest.raises(PluginError, match="is no regular expression"):
        check("regex", "(", reply("A"))


@pytest.mark.parametrize(
    "argument",
    [
        "{}",
        "[1]",
        "f",
        '{"functions": [], "value": "1", "uses": []}',
        '{"functions": {"f": "take"}, "value": "1", "uses": []}',
        '{"functions": {"f": ["take", [0, 0]]}, "value": "1", "uses": []}',
    ],
)
def test_functions_that_cannot_be_read_are_an_error(argument):
    with pytest.raises(PluginError, match="needs functions, a value and uses") as raised:
        check("evaluates", argument, reply("f(1)"))
    assert '{"functions": {"f": ["take", [0, 1]]}' in raised.value.hint
