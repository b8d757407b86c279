"""What a store has recorded along one line."""

import subprocess
import sys

import pytest
from made_up_store import add_week, answers_to, fill, general_questions, three_weeks

from everlearn.errors import StoreError
from everlearn.records import Exam, StageAnswers, digest
from everlearn.report.recording import read_recording
from everlearn.store import Store


def test_versions_run_from_the_base_to_the_reference(made_up, recording):
    assert [version.name for version in recording.versions] == ["base", "week 1", "week 2", "week 3"]
    assert [version.commit.parent for version in recording.versions[1:]] == [
        version.digest for version in recording.versions[:-1]
    ]
    assert [version.name for version in read_recording(made_up, "head~2").versions] == ["base", "week 1"]


def test_every_answer_finds_its_question(recording):
    answers = [answer for version in recording.versions for answer in version.exam.general]
    answers += [a for version in recording.versions for stage in version.exam.stages for a in stage.answers]
    assert {answer.question for answer in answers} == set(recording.questions)


def test_superseded_are_the_corrected_questions_and_since_when(recording):
    handbook = recording.versions[1].stage.questions
    assert recording.superseded == {digest(question): 3 for question in handbook[-12:]}
    assert all(question.group == "corrected" for question in handbook[-12:])


def test_answers_and_learnt_of_a_version(recording):
    base, first = recording.versions[:2]
    assert base.learnt is None
    assert first.learnt.questions == 40
    assert first.answers(first.commit.stage_object) == first.exam.stages[0].answers
    assert first.answers("nothing of that name") == ()


def test_refused_versions_are_kept_apart(tmp_path):
    store = Store.create(tmp_path)
    digests = fill(store, three_weeks()[:1])
    week = three_weeks()[1]
    old = read_recording(store).versions[-1].exam
    asked = StageAnswers(digest(week.stage), "week 2", answers_to(week.stage.questions, 0.0, 1))
    exam = Exam(answers_to(general_questions(), 0.5, 2), (*old.stages, asked))
    refused = add_week(store, week, 2, [old], exam, digests[-1])
    store.reject(refused)
    found = read_recording(store)
    assert [version.digest for version in found.rejected] == [refused]
    assert not found.rejected[0].commit.verdict.accepted
    assert digest(week.stage.questions[0]) in found.questions
    inspected = read_recording(store, refused)
    assert inspected.versions[-1].digest == refused
    assert inspected.rejected == ()
    assert read_recording(store, digests[0]).rejected == ()


def test_an_unknown_reference_is_a_store_error(made_up):
    with pytest.raises(StoreError, match="no commit or branch called 'nowhere'"):
        read_recording(made_up, "nowhere")


def test_reading_and_writing_need_no_torch(made_up, tmp_path):
    script = (
        "import sys, pathlib\n"
        "from everlearn.report import card, matrix, page\n"
        "from everlearn.store import Store\n"
        "page.write_report(Store.open(pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2]))\n"
        "print([name for name in ('torch', 'transformers', 'numpy') if name in sys.modules])\n"
    )
    arguments = [sys.executable, "-c", script, str(made_up.folder), str(tmp_path / "report.html")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
