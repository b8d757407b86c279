"""A method that answers some prompts by other weights in; the right ones wherever a model is asked, out."""

from __future__ import annotations

import textwrap

import pytest
import torch

from everlearn import examiner
from everlearn.learner import Learner
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example, Message, Question
from sample_lessons import few_candidates

SETTINGS = {"epochs": 40, "learning_rate": 1e-2, "rows_per_step": 4, "least_steps": 1}

MINE = '''
    """Prompts of 'one' are answered by what was learnt, all others by the start model."""
    from __future__ import annotations
    from dataclasses import dataclass
    from everlearn.methods.contract import SERVING, Gradient

    @dataclass(frozen=True)
    class Mine(Gradient):
        """For a test."""

        claims = (SERVING,)

        def finish(self, model, examples, memory, run):
            return {**memory, "learnt": {name: tensor.clone() for name, tensor in model.snapshot().items()}}

        def routes(self, model, prompts, memory):
            now = model.snapshot()
            own = [number for number, ids in enumerate(prompts) if "one" in model.tokenizer.decode(ids)]
            model.restore(model.start())
            yield [number for number in range(len(prompts)) if number not in own]
            model.restore(memory["learnt"])
            yield own
            model.restore(now)
'''


def pairs(word: str) -> list[Example]:
    return [
        Example((Message("user", f"{word} {number}?"), Message("assistant", chr(65 + number), learn=True)))
        for number in range(4)
    ]


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(textwrap.dedent(MINE).lstrip())
    return str(path)


@pytest.fixture
def learner(tmp_path, tiny_folder, monkeypatch):
    torch.set_num_threads(1)
    monkeypatch.setattr(examiner, "candidates", few_candidates)
    return Learner(tmp_path, model=str(tiny_folder))


def _nats(model: LanguageModel, examples: list[Example]) -> list[float]:
    return [outcome.nll for outcome in model.force([model.chat.example(example) for example in examples])]


def test_each_prompt_is_answered_by_the_weights_chosen_for_it(learner, tmp_path, mine):
    base, words = LanguageModel.load(learner.model.name), [*pairs("one"), *pairs("two")]
    asked = [Question(example.messages[:1], (example.messages[1].content,)) for example in pairs("one")]
    learnt = learner.learn_items(pairs("one"), asked, mine, SETTINGS)
    assert learnt.commit.routed
    assert learnt.commit.verdict.accepted, learnt.commit.verdict.reason
    fresh = Learner(tmp_path)  # another process: what was chosen must come from the store
    fresh.checkout(learnt.digest)
    routed, untaught = _nats(fresh.model, words), _nats(base, words)
    assert sum(routed[:4]) < 0.5 * sum(untaught[:4])
    assert routed[4:] == pytest.approx(untaught[4:], abs=1e-3)
    prompts = [fresh.model.chat.prompt(example.messages[:1]) for example in words]
    replies = fresh.model.generate(prompts, 2)
    assert [reply.ids for reply in replies[4:]] == [reply.ids for reply in base.generate(prompts[4:], 2)]
    assert fresh.ask("one 2?") == "C"


def test_the_model_is_as_before_when_all_are_answered_and_routers_are_not_routed(learner):
    model, called = learner.model, []

    def router(model, prompts):
        called.append(len(prompts))
        model.force([model.chat.example(example) for example in pairs("one")])
        yield list(range(len(prompts)))

    model.serve(router)
    before = _nats(model, pairs("two"))
    assert called == [4]
    model.serve(None)
    assert _nats(model, pairs("two")) == before
    assert called == [4]


def test_a_version_that_chooses_is_not_exported(learner, tmp_path, mine, capsys):
    from everlearn.cli import main

    learner.store.advance(learner.learn_items(pairs("one"), (), mine, SETTINGS).digest)
    assert main(["--store", str(tmp_path), "export", "merged", str(tmp_path / "out")]) == 1
    assert "no single model can hold them" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
