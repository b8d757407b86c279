"""The report card of one commit."""

from dataclasses import replace

import pytest
from hand_made import hand_made, printed

from everlearn.records import Comparison, Cost, Exam, Verdict
from everlearn.report.card import report_card


def shown(recording, place=-1, width=110):
    version, base = recording.versions[place], recording.versions[0].exam
    before = recording.versions[place - 1].exam if version.commit.parent else Exam(())
    card = report_card(version.digest, version.commit, version.exam, before, base)
    return printed(card, width)


def words_of(text):
    """The text without frames and line breaks."""
    return " ".join(text.replace("│", " ").split())


@pytest.fixture(scope="module")
def card(recording):
    return shown(recording)


def test_it_names_the_commit(card, recording):
    assert f"commit {recording.versions[-1].digest[:8]} · week 3 · anchored" in card


def test_the_parts_come_in_order(card):
    titles = ("Learnt", "Kept: what the base could do", "Kept: earlier stages", "Habits", "Cost", "Verdict")
    places = [card.index(title) for title in titles]
    assert places == sorted(places)


def test_learnt_is_from_before_to_after(card, recording):
    learnt = recording.versions[-1].learnt
    right = round(learnt.after * 40)
    assert f"From 5% to {round(100 * learnt.after + 1e-9)}% right ({right} of 40;" in words_of(card)


def test_general_is_by_skill_with_the_worst_first(recording, card):
    general = recording.versions[-1].exam.general
    right = {skill: sum(a.correct for a in general if a.group == skill) for skill in {a.group for a in general}}
    lines = card[card.index("all together") : card.index("Kept: earlier")].splitlines()
    assert f"{sum(right.values())}/400" in lines[0]
    counts = [int(line.split("/40")[0].split()[-1]) for line in lines[1:] if "/40" in line]
    assert counts == sorted(right.values())
    assert "sentence completion" in card


def test_earlier_stages_are_by_group_and_say_what_was_superseded(recording, card):
    assert "week 1 · unchanged" in card
    assert "week 1 · corrected" in card
    before = recording.versions[2].exam.stages[0].answers
    lost = sum(answer.correct for answer in before if answer.group == "corrected")
    assert f"{lost} of the answers right before were made wrong by this stage" in card


def test_habits_and_cost_have_their_units(card):
    text = words_of(card)
    assert "same most likely token 92% → 88% 912" in text
    assert "KL(base ‖ this), nats per token 0.042 → 0.063 912" in text
    assert "tokens: 36,120 new · 3,210 replayed · 2,000 teacher · 52,000 exam" in text
    assert "9.3 × 10¹³ FLOPs · 3 min 34 s · 1.6 GB of memory at most · 18.9 MB kept" in text


def test_the_verdict_has_each_comparison_in_words(card, recording):
    text = words_of(card)
    for comparison in recording.versions[-1].commit.verdict.comparisons[:-1]:
        assert f"· {comparison.name}: " in text
    assert "Accepted." in text


def test_a_rejected_commit_says_so_and_why():
    recording = hand_made({"a": ("11",)}, before={"a": (0, 2, 2)})
    loss = Comparison("general, against the base", 1.0, 0.5, -0.7, -0.3, 40, "fail", -0.03)
    verdict = Verdict(False, "general, against the base: 1.000 → 0.500", (loss,))
    version = recording.versions[1]
    rejected = version._replace(commit=replace(version.commit, verdict=verdict))
    text = words_of(shown(recording._replace(versions=(recording.versions[0], rejected))))
    assert "Rejected. General, against the base: 1.000 → 0.500." in text
    assert "Surely more than the 3 points that may be lost." in text


def test_the_card_of_the_base_and_of_an_empty_exam():
    text = words_of(shown(hand_made({}), 0))
    assert "nothing: this is the model as it came" in text
    assert "not asked" in text
    assert "there are none" in text
    assert "not measured" in text
    assert "tokens: none" in text


def test_nothing_is_read_as_markup():
    evil = "[bold]x[/bold][link=file:///]y[/link]"
    recording = hand_made({evil: ("11", "10"), "b": ("1",)}, groups={evil: (evil, "z")})
    version = recording.versions[-1]
    verdict = Verdict(False, evil)
    commit = replace(version.commit, message=evil, method=evil, verdict=verdict, cost=Cost({evil: 1}))
    changed = recording._replace(versions=(*recording.versions[:-1], version._replace(commit=commit)))
    text = shown(changed, width=220)
    assert text.count(evil) == 7  # the title's two, three in the names of earlier stages, cost, verdict


def test_it_fits_a_narrow_terminal(recording):
    assert max(map(len, shown(recording, width=72).splitlines())) <= 72
