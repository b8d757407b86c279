"""Readings in, counted and rendered checks out."""

import io

import pytest
from rich.console import Console

from everlearn.data import Reading, read_items
from everlearn.data.check import Check, Lengths, Sample, check, render, render_sample
from everlearn.records import Correction, Document, Example, Message, Origin, Skill


def by_words(example: Example):
    """One token per word, plus one in front of every turn, as a chat template has it."""
    tokens = [
        (text, message.learn and text[0] != "<")
        for message in example.messages
        for text in (f"<{message.role}>", *(f"{word} " for word in message.content.split()))
    ]
    return list(range(len(tokens))), [learnt for _, learnt in tokens], [text for text, _ in tokens]


def example(question: str, answer: str, line: int) -> Example:
    turns = (Message("user", question), Message("assistant", answer, learn=True))
    return Example(turns, Origin("data.jsonl", line))


READING = Reading(
    (example("a b c", "d", 1), example("e", "f g", 2), example("a b c d e f g", "h", 4)),
    "question_answer",
    ("1 duplicate row left out (line 3)",),
    (Origin("data.jsonl", 3),),
)


def shown(result: Check, colour: bool) -> str:
    stream = io.StringIO()
    Console(file=stream, width=200, force_terminal=colour, color_system="standard").print(render(result, colour))
    return stream.getvalue()


def test_counts_and_lengths():
    result = check(READING, by_words, context=8)
    assert (result.format, result.kinds, result.context) == ("question_answer", {"example": 3}, 8)
    assert result.lengths == Lengths(shortest=5, median=6, longest=10, total=21)
    assert result.target_tokens == 4
    assert result.too_long == (Origin("data.jsonl", 4),)
    assert result.untrainable == ()
    assert result.duplicates == (Origin("data.jsonl", 3),)
    assert (result.characters, result.words) == (0, 0)


def test_an_example_as_long_as_the_context_fits():
    assert check(READING, by_words, context=10).too_long == ()
    assert len(check(READING, by_words, context=9).too_long) == 1


def test_examples_without_a_token_to_learn():
    def masked(item):
        ids, mask, texts = by_words(item)
        return ids, [learnt and item.origin.line == 2 for learnt in mask], texts

    result = check(READING, masked, context=100)
    assert result.untrainable == (Origin("data.jsonl", 1), Origin("data.jsonl", 4))
    assert result.target_tokens == 2


def test_documents_skills_and_corrections_are_counted_in_words():
    items = (
        Document("one two\n", "title", Origin("a.md")),
        Skill("name", "description", "three four five", Origin("SKILL.md")),
        Correction("six?", "seven", "eight", Origin("c.jsonl", 1)),
    )
    result = check(Reading(items, "markdown + skill_folder + corrections"), by_words, context=10)
    assert result.kinds == {"correction": 1, "document": 1, "skill": 1}
    assert (result.characters, result.words) == (8 + 15 + 16, 8)
    assert (result.lengths, result.samples, result.target_tokens) == (None, (), 0)
    assert "learnt" not in shown(result, colour=False)


def test_samples_are_the_first_the_middle_and_the_last():
    many = Reading(tuple(example("q", f"a{line}", line) for line in range(1, 10)), "question_answer")
    samples = check(many, by_words, context=10).samples
    assert [sample.origin.line for sample in samples] == [1, 5, 9]
    assert samples[0].tokens == (("<user>", False), ("q ", False), ("<assistant>", False), ("a1 ", True))
    for size in (1, 2):
        few = Reading(many.items[:size], "question_answer")
        assert len(check(few, by_words, context=10).samples) == size


def test_an_encoder_with_lists_of_different_lengths_is_our_bug():
    with pytest.raises(AssertionError, match="three lists of one length"):
        check(READING, lambda _: ([1, 2], [True], ["a"]), context=10)


def test_without_colour_learnt_spans_stand_in_brackets():
    assert shown(check(READING, by_words, context=8), colour=False) == (
        "format     question_answer\n"
        "items      3 examples\n"
        "length     5 to 10 tokens, median 6\n"
        "tokens     21, of which 4 are learnt (19 %)\n"
        "attention  1 example longer than the context of 8 tokens (line 4)\n"
        "note       1 duplicate row left out (line 3)\n"
        "\n"
        "⟦learnt⟧: the loss falls here; everything else is context\n"
        "\n"
        "data.jsonl:1\n"
        "<user>a b c <assistant>⟦d ⟧\n"
        "\n"
        "data.jsonl:2\n"
        "<user>e <assistant>⟦f g ⟧\n"
        "\n"
        "data.jsonl:4\n"
        "<user>a b c d e f g <assistant>⟦h ⟧\n"
        "\n"
    )


def test_in_colour_learnt_is_bold_green_and_context_dim():
    text = shown(check(READING, by_words, context=8), colour=True)
    assert "\x1b[1;32mlearnt\x1b[0m: the loss falls here; \x1b[2mcontext\x1b[0m: read, not learnt" in text
    assert "\x1b[2m<user>e <assistant>\x1b[0m\x1b[1;32mf g \x1b[0m" in text
    assert "⟦" not in text


def test_markup_and_control_characters_in_the_data_are_shown_and_not_obeyed():
    sample = Sample(Origin("a", 1), (("[bold]\x1b[31m\a", False), ("\r\nok\t", True), ("[/bold]", False)))
    assert render_sample(sample, colour=False).plain == "[bold]␛[31m␇⟦␍\nok\t⟧[/bold]"
    assert render_sample(sample, colour=True).plain == "[bold]␛[31m␇␍\nok\t[/bold]"


def test_a_real_file_from_reading_to_rendering(write):
    rows = [{"question": "Where is Zoë?", "answer": "In Köln."}] * 2
    text = shown(check(read_items(write("data.jsonl", rows)), by_words, context=3), colour=False)
    assert "Where is Zoë? <assistant>⟦In Köln. ⟧" in text
    assert "1 example longer than the context of 3 tokens (line 1)" in text
    assert "1 duplicate row left out (line 2)" in text
