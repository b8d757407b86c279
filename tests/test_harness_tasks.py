"""Local tasks and the tiny model in, recorded answers out; the harness's own model of the same files is the witness."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from everlearn.errors import EverlearnError, PluginError
from everlearn.learner import Learner
from everlearn.model.generation import Reply
from everlearn.records import digest

HANDBOOK = [
    {"question": "Which gate is open?", "choices": ["The north gate", "The east one", "None"], "answer": 2},
    {"question": "Who leads the house?", "choices": ["Anna Bell", "Nobody", "The old miller of Zorb"], "answer": 2},
    {"question": "What is the code?", "choices": ["42", "A long word that nobody knows", "9:30"], "answer": 1},
]
CHOICES = {
    "task": "handbook",
    "output_type": "multiple_choice",
    "doc_to_text": "Question: {{question}}\nAnswer:",
    "doc_to_target": "answer",
    "doc_to_choice": "choices",
}
REPLIES = {
    "task": "replies",
    "output_type": "generate_until",
    "doc_to_text": "{{prompt}}",
    "doc_to_target": "{{reply}}",
    "generation_kwargs": {"until": ["\n\n"], "max_gen_toks": 12, "do_sample": False},
    "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
}


@pytest.fixture
def harness():
    return pytest.importorskip("lm_eval", reason='needs the extra: pip install "everlearn[eval]"')


@pytest.fixture
def write_task(tmp_path):
    """Writes a task and its rows; returns the task's file."""

    def write(task: dict, rows: list[dict], ending: str = "json") -> str:
        data = tmp_path / f"{task['task']}-rows.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        place = {"data_files": {"test": str(data)}, "cache_dir": str(tmp_path / "cache")}
        whole = {"test_split": "test", **task, "dataset_path": "json", "dataset_kwargs": place}
        file = tmp_path / f"{task['task']}.{ending}"
        file.write_text(json.dumps(whole))  # which is YAML, too
        return str(file)

    return write


@pytest.fixture
def learner(tmp_path, tiny_folder) -> Learner:
    (tmp_path / "store").mkdir()
    return Learner(tmp_path / "store", model=str(tiny_folder))


@pytest.fixture
def model(harness, tiny):
    from everlearn.model.harness import HarnessModel

    return HarnessModel(tiny, lambda step, steps: None)


@pytest.fixture
def witness(harness, tiny_folder):
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=str(tiny_folder), dtype="bfloat16", device="cpu", batch_size=1)


def requests(kind: str, *arguments: tuple) -> list:
    from lm_eval.api.instance import Instance

    return [Instance(kind, {}, given, number) for number, given in enumerate(arguments)]


def test_without_the_extra_one_line_says_what_to_install(tmp_path, tiny_folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    for name in ("everlearn.harness_tasks", "everlearn.model.harness"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(EverlearnError) as caught:
        Learner(tmp_path, model=str(tiny_folder)).answer_tasks(["hellaswag"])
    assert caught.value.problem == "lm-evaluation-harness cannot be used without lm_eval"
    assert caught.value.hint == 'pip install "everlearn[eval]"'


PAIRS = (
    ("Question: Which gate is open?\nAnswer:", " The north gate"),
    ("Question: Which gate is open?\nAnswer:", " None"),
    ("A space at the end ", "belongs to the answer"),
    ("", "a text without any context"),
    ("<|start|>user\nbegins with the first token", " of all"),
    ("long " * 200, "the context is cut at its left"),
)


def test_log_likelihoods_are_those_of_the_harness_own_model(model, witness):
    asked = requests("loglikelihood", *PAIRS)
    for ours, theirs in zip(model.loglikelihood(asked), witness.loglikelihood(asked), strict=True):
        assert ours[0] == pytest.approx(theirs[0], rel=0.01)
        assert ours[1] == theirs[1]
        assert ours[0] < -1
    assert model.lengths[PAIRS[1]] == len(" None")
    assert model.lengths[PAIRS[2]] == len(" belongs to the answer")


def test_whole_texts_are_read_in_windows_as_the_harness_does(model, witness, tiny, monkeypatch):
    read = []
    whole = tiny.force
    monkeypatch.setattr(tiny, "force", lambda rows: read.extend(rows) or whole(rows))
    asked = requests("loglikelihood_rolling", ("a short text",), ("twice the context and more. " * 50,))
    ours, theirs = model.loglikelihood_rolling(asked), witness.loglikelihood_rolling(asked)
    assert ours == pytest.approx(theirs, rel=0.01)
    assert [row.targets for row in read] == [12, 512, 512, 1400 - 2 * 512]
    assert [len(row.ids) for row in read] == [13, 513, 513, 513]


def test_replies_are_those_of_the_harness_own_model(model, witness):
    way = {"until": ["\n\n"], "max_gen_toks": 8, "do_sample": False}
    asked = requests("generate_until", ("What is the code?", way), ("Who leads the house?", way), ("long " * 200, way))
    ours = model.generate_until(asked)
    assert ours == witness.generate_until(asked)
    assert all(ours)


def test_a_reply_ends_before_the_first_stop(model):
    whole, *_ = model.generate_until(requests("generate_until", ("What is the code?", {"max_gen_toks": 8})))
    middle = whole[3:5]
    assert len(whole) > 4
    for stop in (whole[2], middle):
        way = {"max_gen_toks": 8, "until": [stop]}
        assert model.generate_until(requests("generate_until", ("What is the code?", way))) == [whole.split(stop)[0]]


def test_words_before_the_stop_in_the_same_token_are_kept(model, tiny, monkeypatch):
    tiny.tokenizer.add_tokens(["yes\n\n"])
    token = tiny.tokenizer.convert_tokens_to_ids("yes\n\n")
    ends = []
    monkeypatch.setattr(
        tiny, "generate", lambda prompts, limit, *, temperature, stop: ends.extend(stop) or [Reply((), token)]
    )
    assert model.generate_until(requests("generate_until", ("Is it?", {"until": "\n\n"}))) == ["yes"]
    assert ends == [tiny.tokenizer.eos_token_id, token]


def test_settings_of_a_generation_that_are_not_known_are_refused(model):
    for way, word in (({"num_beams": 4}, "num_beams"), ({"do_sample": True, "temperature": 1, "top_k": 5}, "top_k")):
        with pytest.raises(PluginError, match=word):
            model.generate_until(requests("generate_until", ("What?", way)))
    with pytest.raises(PluginError, match="replies of 512 tokens, but the model's context is 512"):
        model.generate_until(requests("generate_until", ("What?", {"max_gen_toks": 512})))


def test_each_question_of_a_multiple_choice_task_is_an_answer(witness, learner, write_task):
    (group,) = learner.answer_tasks([write_task(CHOICES, HANDBOOK, "yaml")])
    assert (group.name, len(group.answers)) == ("handbook", 3)
    assert len({answer.question for answer in group.answers}) == 3
    for row, answer in zip(HANDBOOK, group.answers, strict=True):
        pairs = [(f"Question: {row['question']}\nAnswer:", f" {choice}") for choice in row["choices"]]
        likelihoods = [value for value, _ in witness.loglikelihood(requests("loglikelihood", *pairs))]
        best = likelihoods.index(max(likelihoods))
        gold = row["answer"]
        assert answer.group == "handbook"
        assert answer.text == row["choices"][best]
        assert answer.correct is (best == gold)
        assert answer.gold_nll == pytest.approx(-likelihoods[gold] / len(pairs[gold][1]), rel=0.01)
    assert {answer.correct for answer in group.answers} == {True, False}, "or the test could not tell"


def test_the_share_of_right_answers_is_the_harness_own_metric(harness, model, learner, write_task):
    from lm_eval.tasks import TaskManager

    file = write_task({**CHOICES, "num_fewshot": 1}, HANDBOOK)
    (group,) = learner.answer_tasks([file])
    task = TaskManager(include_defaults=False).load([file])
    task["tasks"]["handbook"].set_fewshot_seed(1234)
    theirs = harness.evaluate(model, task, bootstrap_iters=0)["results"]["handbook"]["acc,none"]
    assert sum(answer.correct for answer in group.answers) / 3 == pytest.approx(theirs)


def test_replies_are_judged_by_exact_match(model, learner, write_task):
    prompts = ["What is the code?", "Who leads the house?"]
    way = REPLIES["generation_kwargs"]
    said = model.generate_until(requests("generate_until", *((prompt, way) for prompt in prompts)))
    rows = [{"prompt": prompts[0], "reply": said[0]}, {"prompt": prompts[1], "reply": "Anna Bell"}]
    (group,) = learner.answer_tasks([write_task(REPLIES, rows)])
    assert [answer.correct for answer in group.answers] == [True, False]
    assert [answer.text for answer in group.answers] == said


def test_what_the_weights_were_asked_before_is_not_asked_again(harness, learner, write_task, monkeypatch):
    from everlearn import harness_tasks

    asked = []
    whole = harness_tasks._ask
    monkeypatch.setattr(harness_tasks, "_ask", lambda task, some, model: asked.append(some) or whole(task, some, model))
    file = write_task(CHOICES, [*HANDBOOK, HANDBOOK[0]])
    (first,) = learner.answer_tasks([file], limit=2)
    assert len(first.answers) == 2
    (all_of_it,) = learner.answer_tasks([file])
    assert [len(some) for some in asked] == [2, 1], "only the new question is asked, and one that stands twice once"
    assert all_of_it.answers[:2] == first.answers
    assert all_of_it.answers[3] == first.answers[0]
    assert learner.answer_tasks([file]) == (all_of_it,)
    assert len(asked) == 2
    assert all_of_it.stage == digest([answer.question for answer in all_of_it.answers])


def test_another_task_with_the_same_prompts_is_another_question(harness, learner, write_task):
    other = [{**row, "answer": 1} for row in HANDBOOK]
    groups = learner.answer_tasks([write_task(CHOICES, HANDBOOK), write_task({**CHOICES, "task": "other"}, other)])
    assert [group.name for group in groups] == ["handbook", "other"]
    assert not {answer.question for answer in groups[0].answers} & {answer.question for answer in groups[1].answers}


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({**CHOICES, "output_type": "loglikelihood_rolling", "doc_to_choice": None}, "no metric of this task"),
        ({**CHOICES, "unsafe_code": True}, "runs code that the model writes"),
        ({**CHOICES, "doc_to_text": "{{question"}, "handbook.json: lm-eval could not load it"),
    ],
)
def test_tasks_that_cannot_be_asked_are_refused_before_the_model_is(harness, learner, write_task, task, said):
    with pytest.raises(PluginError, match=said):
        learner.answer_tasks([write_task(task, HANDBOOK)])


def test_an_unknown_task_gets_the_nearest_name(harness, learner, monkeypatch):
    from everlearn import harness_tasks

    whole = harness_tasks.TaskManager
    folder = Path(harness.__file__).parent / "tasks" / "hellaswag"
    monkeypatch.setattr(
        harness_tasks, "TaskManager", lambda include_defaults: whole(include_defaults=False, include_path=folder)
    )
    with pytest.raises(PluginError) as caught:
        learner.answer_tasks(["helaswag"])
    assert caught.value.problem == "lm-eval has no task 'helaswag'"
    assert caught.value.hint.startswith("did you mean 'hellaswag'?")
