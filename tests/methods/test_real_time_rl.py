"""One answer, one reward: what was expected is the mean of what came before."""

from __future__ import annotations

import pytest
import torch

from everlearn.errors import SettingsError
from everlearn.methods import reinforce
from everlearn.methods.reinforce import Reinforce
from everlearn.model.language_model import LanguageModel
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.loop import RUNNING
from everlearn.train.meter import Meter
from everlearn.train.run import Run

from .conftest import QUICK, pairs


def test_the_baseline_is_the_mean_of_earlier_rewards():
    memory: dict = {}
    method = Reinforce(decay=0.5)
    assert method.advantages([[1.0], [0.0]], memory) == [[1.0], [0.0]], "nothing is expected at first"
    assert method.advantages([[1.0]], memory) == [[0.5]]
    ((last,),) = method.advantages([[0.0]], memory)
    assert last == pytest.approx(-(0.25 * 0.5 + 0.5 * 1) / 0.75)


def test_a_better_answer_than_expected_becomes_likelier_and_a_worse_one_rarer(tiny, learn, nats, answers):
    right, wrong = pairs("one", 1), pairs("one", 1, "Q")
    turns = iter("AQ" * 20)
    answers(lambda number: [next(turns)])
    before = nats(tiny, right), nats(tiny, wrong)
    assert learn(tiny, "reinforce", right, warm=0.0, epochs=8) == {}
    assert nats(tiny, right) < before[0] - 0.1
    assert nats(tiny, wrong) > before[1] + 0.1


def test_without_success_nothing_moves(tiny, learn, answers):
    answers(lambda number: ["Q"])
    tiny.adapt(Reinforce().adaptation)
    before = tiny.snapshot()
    learn(tiny, "reinforce", pairs("one"), warm=0.0)
    assert all(torch.equal(tiny.masters[name], before[name]) for name in before)


def test_the_baseline_survives_a_crash(tiny_folder, tmp_path):
    """Also without a fake: a run that is cut off and taken up again ends at the same weights."""
    torch.set_num_threads(1)
    told = pairs("one", 2)

    class Broken(Reinforce):
        def after_step(self, model, memory, step):
            if step == 12:
                assert float(memory[RUNNING]["reward"]) > 0
                raise KeyboardInterrupt

    def learnt(kind: type[Reinforce], folder) -> dict[str, torch.Tensor]:
        model, meter = LanguageModel.load(str(tiny_folder)), Meter(1)
        kind(**{**QUICK, "epochs": 16, "learning_rate": 1e-2}).learn(
            model, told, {}, Run(0, meter, Checkpoints(tmp_path / folder, meter, 0.0))
        )
        return model.snapshot()

    whole = learnt(Reinforce, "a")
    with pytest.raises(KeyboardInterrupt):
        learnt(Broken, "b")
    resumed = learnt(Reinforce, "b")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(SettingsError):
        Reinforce(decay=1.0)
    assert reinforce.Reinforce.claims
