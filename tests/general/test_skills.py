"""What must hold for the candidate questions of every general skill."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from everlearn import plugins
from everlearn.general import candidates
from everlearn.general.contract import GeneralSkill
from everlearn.grade import CHECKS

SKILLS = plugins.names("general")
GENERATED = {"following_format", "chat_format"}
"""Skills that are judged by what the model really writes."""


@pytest.fixture(params=SKILLS)
def skill(request):
    return plugins.find("general", request.param, GeneralSkill)()


def test_there_are_enough_skills():
    assert len(SKILLS) >= 10
    assert set(SKILLS) >= GENERATED | {"world_facts", "arithmetic", "spelling", "yes_no", "reading"}


def test_questions_are_the_same_for_a_seed_and_differ_between_seeds(skill):
    assert skill.questions(3) == skill.questions(3)
    assert skill.questions(3) != skill.questions(4)


def test_the_group_is_the_file_name(skill):
    assert {question.group for question in skill.questions(0)} == {skill.name}
    assert skill.name in SKILLS


def test_questions_are_well_formed(skill):
    for question in skill.questions(0):
        assert question.messages[-1].role == "user"
        assert all(message.content.strip() and "{" not in message.content[:1] for message in question.messages[-1:])
        assert question.gold
        assert all(0 < len(gold.split()) <= 12 for gold in question.gold)
        assert len(set(question.gold)) == len(question.gold) <= 4


def test_no_question_is_asked_twice(skill):
    asked = Counter(question.messages for question in skill.questions(0))
    assert asked.most_common(1)[0][1] == 1


def test_questions_are_short(skill):
    words = [sum(len(message.content.split()) for message in question.messages) for question in skill.questions(0)]
    assert max(words) <= 75
    assert sum(words) / len(words) <= 45


def test_only_the_two_generated_skills_name_a_check(skill):
    grades = {question.grade for question in skill.questions(0)}
    if skill.name in GENERATED:
        assert grades <= set(CHECKS)
    else:
        assert grades == {"exact"}


def test_the_generated_skills_use_many_checks():
    grades = {question.grade for question in candidates() if question.group in GENERATED}
    assert len(grades) >= 9


def test_candidates_are_numerous_but_not_too_many():
    counts = Counter(question.group for question in candidates())
    assert set(counts) == set(SKILLS)
    assert all(count >= 60 for count in counts.values())
    assert counts.total() <= 1200


def test_candidates_take_turns_between_skills():
    assert {question.group for question in candidates()[: len(SKILLS)]} == set(SKILLS)


@pytest.mark.parametrize("seed", range(3))
def test_yes_and_no_are_balanced_in_every_part_of_the_list(seed):
    questions = plugins.find("general", "yes_no", GeneralSkill)().questions(seed)
    denials = [any(word in f" {question.gold[0]}" for word in (" No.", " not ", "cannot")) for question in questions]
    assert denials == [False, True] * (len(questions) // 2)


def test_reckoning_is_right():
    for question in plugins.find("general", "arithmetic", GeneralSkill)().questions(0):
        gold = question.gold[0]
        if " = " in gold:
            left, right = gold.replace("x", "*").split(" = ")
            assert eval(left) == int(right), gold
        if "divided by" in gold:
            first, _, _, second, _, result = gold.rstrip(".").split()
            assert int(first) == int(second) * int(result), gold


def test_readers_find_the_answer_in_the_text():
    for question in plugins.find("general", "reading", GeneralSkill)().questions(0):
        told = " ".join(message.content for message in question.messages if message.role == "user")
        answer = question.gold[0].rstrip(".").split()
        assert answer[-1] in told, question


def test_the_suite_needs_no_torch():
    code = "import sys; from everlearn.general import candidates; candidates(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
