"""Questions by the dictionary ask for the facts of a document in words that are not in it."""

from __future__ import annotations

from everlearn.records import Document, Origin
from everlearn.study.strategies.thesaurus import Thesaurus

TEXT = "Pell Harnoway is the treasurer of Ombrick. The costumes of Ombrick hang in the round tower."


def test_facts_are_asked_for_in_other_words_and_no_question_gives_its_answer_away():
    document = Document(TEXT, "handbook", Origin("handbook.md", 1))
    made = Thesaurus(forms=8).examples(document, None, 0)
    asked = {example.messages[0].content: example.messages[1].content for example in made}
    assert len(asked) > 8
    assert all(answer.lower() not in question.lower() for question, answer in asked.items())
    treasurer = [question for question, answer in asked.items() if answer == "Pell Harnoway"]
    assert any("funds" in question or "officer" in question for question in treasurer)
    assert {example.origin.strategy for example in made} == {"thesaurus"}
    assert made == Thesaurus(forms=8).examples(document, None, 0)
