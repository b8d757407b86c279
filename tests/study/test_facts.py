"""What a text states must be found, and what only comments on it left out."""

from __future__ import annotations

from everlearn.study.sentences import facts, sentences

TEXT = """# The Zorb house

The Zorb house used to be a salt store, and it still smells of salt. All Zorb helpers tap the copper kettle for luck.
Everybody at Zorb wears felt slippers. Anna Bell leads the Zorb choir. Call Anna Bell at once after a fire.
There is always cake. Thursday is the day of the Zorb choir. A child pays 7 euros at Zorb.
"""


def stated(text: str = TEXT) -> dict[str, str]:
    """Value and kind of each fact."""
    return {fact.value: fact.span.kind for fact in facts(sentences(text))}


def test_things_are_found_where_a_clause_about_the_subject_names_them():
    assert {"salt store", "copper kettle", "felt slippers"} <= set(stated())


def test_names_and_numbers_are_found_and_things_beside_them_left_out():
    assert stated()["Anna Bell"] == "name"
    assert stated()["7 euros"] == "money"
    assert stated()["Thursday"] == "day"
    assert "choir" not in stated()


def test_a_verb_at_the_start_is_no_part_of_a_name():
    assert "Call Anna Bell" not in stated()


def test_comments_are_no_facts():
    assert "cake" not in stated()
    assert not any("Zorb" in value for value in stated())


def test_a_text_without_a_subject_is_all_facts():
    assert "old stable" in stated("The ladders are kept in the old stable.")


def test_a_first_name_stays_although_the_surname_stands_alone_elsewhere():
    text = "Anna Bell leads the choir. Please tell Bell where the keys are. The keys of the choir are red."
    assert "Anna Bell" in stated(text)
