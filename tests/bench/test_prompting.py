"""A method that puts its notes in front of questions in; questions really asked with them, and their tokens, out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everlearn import plugins
from everlearn.bench.abilities import Abilities
from everlearn.bench.asking import Examiner
from everlearn.bench.grid import Cell, open_grid
from everlearn.bench.learning import learn
from everlearn.bench.prompting import Prompting, added, keep_memory, kept_memory, prompts
from everlearn.bench.recording import read_learning, read_trial
from everlearn.bench.request import resolve
from everlearn.bench.tiers import asked_in_general
from everlearn.bench.work import learn_cell
from everlearn.desiderata.contract import Moment
from everlearn.methods.contract import Method
from everlearn.records import Example, Message, Question
from everlearn.train.anchors import Anchors

from .conftest import QUICK, examine_all

NOTING = '''
from dataclasses import dataclass, replace

from everlearn.methods.finetune import Finetune


@dataclass(frozen=True)
class Noting(Finetune):
    """Trains, and keeps the first row of each stage as a note."""

    trains: bool = True

    def learn(self, model, examples, memory, run):
        if self.trains:
            super().learn(model, examples, {}, run)
        first = " ".join(message.content for message in examples[0].messages)
        return {"notes": [*memory.get("notes", []), first]}

    def prompt(self, question, memory):
        assert question.gold == () and question.group == "" and question.grade == "exact", "nothing else is told"
        *before, last = question.messages
        text = "\\n".join([*memory.get("notes", []), last.content])
        return replace(question, messages=(*before, replace(last, content=text)), gold=("a lie",))
'''
NOTHING = Anchors((), ())


@pytest.fixture
def noting(tmp_path):
    path = tmp_path / "noting.py"
    path.write_text(NOTING, encoding="utf-8")
    return str(path)


def note(stage):
    return " ".join(message.content for message in stage.examples[0].messages)


def nll(model, text, gold):
    (found,) = model.force([model.chat.answered(Question((Message("user", text),), (gold,)), gold)])
    return found.nll


def test_only_a_method_with_a_prompt_of_its_own_prompts(noting):
    assert not prompts(plugins.find("methods", "replay", Method)())
    assert prompts(plugins.find("methods", noting, Method)())


def test_memory_comes_back_as_it_was(tmp_path):
    memory = {"notes": ["a", "b"], "examples": [Example((Message("user", "a"), Message("assistant", "b", True)))]}
    assert keep_memory(tmp_path, "memory-2", memory) == "memory-2"
    assert kept_memory(tmp_path, "memory-2") == memory
    assert kept_memory(tmp_path, "") == {}


def test_right_answers_are_not_shown_and_cannot_be_changed(noting):
    question = Question((Message("user", "who?"),), ("gold",), "facts/direct", "starts_with")
    asked = Prompting(plugins.find("methods", noting, Method)(), {"notes": ["n"]}).ask(question)
    assert asked == replace(question, messages=(Message("user", "n\nwho?"),))


def test_added_tokens_are_a_mean(tiny):
    own = [Question((Message("user", text),), ("x",)) for text in ("a", "bb")]
    longer = [Question((Message("user", text),), ("x",)) for text in ("a" + "c" * 3, "bb" + "c" * 6)]
    assert added(tiny.chat, own, longer) == 4.5  # a token is a byte
    assert added(tiny.chat, longer, own) == -4.5
    assert added(tiny.chat, [], []) == 0.0


def test_every_question_is_asked_with_what_was_kept_by_then(letters, tiny, tmp_path, noting):
    settings = {**QUICK, "epochs": 16}
    learning = learn(letters, "noting", settings, tiny, tmp_path, noting)
    # within a stage there is what was kept at the end of the one before
    assert {(moment.stage, moment.share == 1.0): moment.memory for moment in learning.moments} == {
        (1, False): "",
        (1, True): "memory-1",
        (2, False): "memory-1",
        (2, True): "memory-2",
        (3, True): "memory-3",
    }
    general = asked_in_general(Question((Message("user", "say a"),), ("a",), "chat"))
    probes = letters.probes("salt")
    examiner = Examiner(letters, probes, Abilities((general,), (), NOTHING, NOTHING), tiny)
    method = plugins.find("methods", noting, Method)()
    trial = examiner.trial(learning, tmp_path, Moment(0), method)
    notes = [note(stage) for stage in letters.stages]
    for stage in (1, 2, 3):
        added_bytes = len("".join(f"{text}\n" for text in notes[:stage]))
        assert trial.after(stage).prompt_tokens == added_bytes
    front = "".join(f"{text}\n" for text in notes)
    for posed in (*probes, general):
        text, gold = front + posed.question.messages[-1].content, posed.question.gold[0]
        assert trial.last.by_probe[posed.asked.id].nll == pytest.approx(nll(tiny, text, gold), abs=0.02)
    without = examiner.trial(learning, tmp_path, Moment(0)).last
    assert without.prompt_tokens == 0
    assert any(abs(without.by_probe[one.asked.id].nll - trial.last.by_probe[one.asked.id].nll) > 0.05 for one in probes)


def test_notes_alone_are_not_nothing(letters, tiny, tmp_path, noting):
    learning = learn(letters, "noting", {**QUICK, "trains": False}, tiny, tmp_path, noting)
    assert "nothing trained" not in learning.labels


def test_a_grid_keeps_memory_until_it_has_asked(tmp_path, wish, noting):
    settings = tuple(("noting." + key, value) for key, value in QUICK.items())
    request = resolve(replace(wish, methods=(noting, "finetune"), references=False, settings=settings))
    grid = open_grid(tmp_path / "grid", request).grid
    for arm in ("noting", "finetune"):
        learn_cell(grid, Cell(arm, 1))
    own, other = grid.path(Cell("noting", 1)), grid.path(Cell("finetune", 1))
    assert sorted(path.name for path in own.glob("memory-*/*")) == ["notes.json", "notes.json"]
    assert list(other.glob("memory-*")) == []
    learning = read_learning(own)
    assert [moment.memory_bytes > 0 for moment in learning.moments if moment.share == 1.0] == [True, True]
    examine_all(grid)
    assert list(own.glob("memory-*")) == []
    tokens = [moment.prompt_tokens for moment in read_trial(own).moments if moment.share == 1.0]
    assert tokens[0] == 0 < tokens[1] < tokens[2]
    assert all(moment.prompt_tokens == 0 for moment in read_trial(other).moments)
