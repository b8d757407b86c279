"""What regularisation measures is what its papers say, and what matters moves less."""

from __future__ import annotations

import pytest
import torch

from everlearn.methods.si import SI
from everlearn.model.adaptation import Adaptation
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.train.importance import fisher, pull, scaled_to_mean_1, sensitivity
from everlearn.train.loop import RUNNING
from everlearn.train.meter import Meter

from .conftest import pairs

ROWS = [Row((0, 9, 8, 7 + number, 60 + number), (False,) * 3 + (True,) * 2) for number in range(3)]


class TwoWeights:
    """A model of two weights that says one of two things: logits are the weights themselves."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        self.weight = torch.nn.Parameter(torch.tensor([0.5, -0.25]))

    def logits(self, batch):
        return self.weight.expand(len(batch.targets_N), 2)

    def weights(self):
        return {"w": self.weight}


def test_the_fisher_of_two_weights_is_exact():
    model = TwoWeights()
    p = torch.softmax(model.weight.detach(), 0)
    # one target: the gradient of -log p(y) is p - onehot(y), so that its mean square over y ~ p is p (1 - p) for both
    rows = [Row((1, 2), (False, True))] * 4000
    found = fisher(model, rows, seed=0, meter=Meter(1))["w"]
    assert torch.allclose(found, (p * (1 - p)).expand(2), atol=0.01)


def test_labels_are_drawn_and_not_the_rows_own():
    model = TwoWeights()
    model.weight.data = torch.tensor([8.0, -8.0])  # it never says what row 2 asks for: the empirical Fisher would be 1
    found = fisher(model, [Row((1, 1), (False, True))] * 20, seed=0, meter=Meter(1))["w"]
    assert float(found.max()) < 1e-3


def test_gradients_of_rows_are_squared_one_by_one(tiny):
    tiny.adapt(Adaptation("full"))
    together = fisher(tiny, ROWS, seed=1, meter=Meter(1))
    draw = torch.Generator().manual_seed(1)
    name = next(name for name in together if "q_proj" in name)
    total = torch.zeros_like(together[name])
    from everlearn.model.packing import pack

    for row in ROWS:
        logits_NV = tiny.logits(pack([row]))
        said = torch.multinomial(logits_NV.detach().float().softmax(-1), 1, generator=draw)[:, 0]
        torch.nn.functional.cross_entropy(logits_NV.float(), said, reduction="sum").backward()
        weight = tiny.weights()[name]
        total += weight.grad.float() ** 2 / len(ROWS)
        for each in tiny.weights().values():
            each.grad = None
    assert torch.allclose(together[name], total, rtol=1e-3)


def test_sensitivity_asks_for_no_labels():
    model = TwoWeights()
    found = sensitivity(model, [Row((1, 0), (False, True)), Row((1, 1), (False, True))], Meter(1))["w"]
    assert torch.allclose(found, (2 * model.weight.detach()).abs())


def test_the_pull_is_the_gradient_of_half_the_weighted_square():
    masters = {"a": torch.tensor([1.0, 3.0])}
    gradients = {"a": torch.tensor([10.0, 10.0])}
    pull(gradients, masters, {"a": torch.tensor([0.0, 1.0])}, 0.5, {"a": torch.tensor([2.0, 4.0])})
    assert gradients["a"].tolist() == [10 + 0.5 * 2 * 1, 10 + 0.5 * 4 * 2]


def test_strength_means_the_same_on_every_scale():
    found = scaled_to_mean_1({"a": torch.tensor([1e-6, 3e-6]), "b": torch.tensor([2e-6])})
    assert torch.cat(list(found.values())).mean() == pytest.approx(1)
    assert scaled_to_mean_1({"a": torch.zeros(2)})["a"].tolist() == [0, 0]


@pytest.mark.parametrize("name", ["ewc", "mas", "si"])
def test_what_mattered_earlier_moves_less(name, tiny_folder, learn, nats):
    lost = []
    for strength in (0.0, 3000.0):
        model = LanguageModel.load(str(tiny_folder))
        memory = learn(model, name, pairs("one"), epochs=30)
        known = nats(model, pairs("one"))
        learn(model, name, pairs("one", first="P"), memory, strength=strength, epochs=10)
        lost.append(nats(model, pairs("one")) - known)
    assert lost[0] > 0
    assert lost[1] < 0.7 * lost[0]


@pytest.mark.parametrize("name", ["ewc", "mas", "si"])
def test_nothing_pulls_in_the_first_stage_and_importance_adds_up(name, tiny_folder, learn):
    plain, held = (LanguageModel.load(str(tiny_folder)) for _ in range(2))
    learn(plain, "finetune", pairs("one"))
    memory = learn(held, name, pairs("one"))
    assert all(torch.equal(plain.masters[key], held.masters[key]) for key in plain.masters)
    (kept,) = memory.values()
    assert {key: each.shape for key, each in kept.items()} == {key: one.shape for key, one in held.masters.items()}
    (after,) = learn(held, name, pairs("two"), memory).values()
    assert all(bool((after[key] >= 0.99 * kept[key]).all()) for key in kept)
    assert any(bool((after[key] > kept[key]).any()) for key in kept)


def test_l2_sp_stays_near_the_start(tiny_folder, learn):
    ways = []
    for strength in (0.0, 30.0):
        model = LanguageModel.load(str(tiny_folder))
        assert learn(model, "l2_sp", pairs("one"), strength=strength) == {}
        start = model.start()
        ways.append(sum(float((model.masters[name] - start[name]).square().sum()) for name in start))
    assert ways[1] < 0.5 * ways[0]


def test_si_credits_weights_by_what_the_loss_fell(tiny, learn, nats):
    """The path integral of −gradient over the way is how far the loss has fallen, about."""
    earned = []

    class Watched(SI):
        def finish(self, model, examples, memory, run):
            earned.append(sum(float(each.sum()) for each in memory[RUNNING].values()))
            return super().finish(model, examples, memory, run)

    rows = pairs("one", 4)
    before = nats(tiny, rows) / 4
    learn(tiny, Watched, rows, epochs=40, learning_rate=2e-4)
    assert earned[0] == pytest.approx(before - nats(tiny, rows) / 4, rel=0.25)
