"""What is known at each version, and what changed from the first to the last."""

import pytest
from hand_made import hand_made

from everlearn.records import digest
from everlearn.report.progress import flips, progress
from everlearn.report.rate import Rate


@pytest.fixture
def recording():
    return hand_made(
        {"a": ("1110", "1011"), "b": ("01",)},
        general=("1111", "1101", "0111"),
        superseded={("a", 1): 2},
        habits=((1.0, 0.0), (0.9, 0.1), (0.8, 0.2)),
    )


def test_learnt_leaves_out_what_was_superseded_by_then(recording):
    assert [step.learnt for step in progress(recording)] == [None, Rate(3, 4), Rate(4, 5)]


def test_kept_is_of_what_the_base_could_do(recording):
    assert [step.kept for step in progress(recording)] == [Rate(4, 4), Rate(3, 4), Rate(3, 4)]


def test_names_and_habits_follow_the_versions(recording):
    assert [(step.name, step.habits.kl) for step in progress(recording)] == [("base", 0.0), ("a", 0.1), ("b", 0.2)]


def test_flips_compare_the_first_version_asked_with_the_last(recording):
    names = {key: entry.messages[0].content for key, entry in recording.questions.items()}
    found = flips(recording)
    assert [(flip.place, names[flip.question]) for flip in found.lost] == [("", "general 0?")]
    assert [(flip.place, names[flip.question]) for flip in found.won] == [("a", "a 3?")]
    assert [(flip.place, names[flip.question]) for flip in found.superseded] == [("a", "a 1?")]
    assert (found.lost[0].before, found.lost[0].after) == ("said 1", "said 0")


def test_a_swing_in_between_is_no_flip():
    found = flips(hand_made({"a": ("1", "0", "1"), "b": ("1", "1"), "c": ("1",)}))
    assert found.lost == found.won == found.superseded == []


def test_a_superseded_question_that_is_won_is_won():
    found = flips(hand_made({"a": ("0", "1"), "b": ("1",)}, superseded={("a", 0): 2}))
    assert [len(part) for part in found] == [0, 1, 0]


def test_every_flip_has_its_question(recording):
    assert all(
        flip.question in {digest(entry) for entry in recording.questions.values()} for flip in flips(recording).lost
    )
