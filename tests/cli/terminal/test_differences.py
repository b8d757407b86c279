"""Two exams in, paired differences out."""

from everlearn.cli.terminal.differences import by_skill, by_stage
from everlearn.comparison import interval
from everlearn.records import Answer, Exam, StageAnswers


def answers(marks: str, group: str = "g", first: int = 0) -> tuple[Answer, ...]:
    return tuple(Answer(f"{group}{first + n}", group, mark == "+", "", 0.0) for n, mark in enumerate(marks))


def test_skills_are_compared_question_by_question():
    before = Exam(answers("++--", "a") + answers("++", "b"))
    after = Exam(answers("+++-", "a") + answers("-+", "b"))
    everything, a, b = by_skill(before, after)
    assert (everything.name, everything.questions) == ("all skills", 6)
    assert (a.before, a.after, (a.low, a.high)) == (0.5, 0.75, interval(1, 0, 4))
    assert (b.before, b.after, (b.low, b.high)) == (1.0, 0.5, interval(0, 1, 2))


def test_only_questions_asked_both_times_count():
    before = Exam(answers("++", "a"))
    after = Exam(answers("-++", "a", first=1))
    everything, _ = by_skill(before, after)
    assert (everything.questions, everything.before, everything.after) == (1, 1.0, 0.0)


def test_stages_asked_once_and_superseded_questions_are_left_out():
    before = Exam((), (StageAnswers("s", "one", answers("+++")),))
    after = Exam((), (StageAnswers("s", "one", answers("--+")), StageAnswers("t", "two", answers("+", "x"))))
    (found,) = by_stage(before, after, {"g0"})
    assert (found.name, found.questions, found.after) == ("one", 2, 0.5)
