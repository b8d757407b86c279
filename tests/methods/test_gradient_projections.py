"""What earlier stages need does not move, whatever the optimiser makes of a projected gradient."""

from __future__ import annotations

import pytest
import torch

from everlearn.errors import SettingsError
from everlearn.methods._orthogonal import BEGUN
from everlearn.methods.agem import AGEM, turn_off
from everlearn.methods.gpm import INPUTS, further_directions
from everlearn.methods.ogd import KEPT, Directions, said
from everlearn.model.adaptation import Adaptation
from everlearn.model.language_model import LanguageModel
from everlearn.model.packing import pack
from everlearn.stacking import method_called
from everlearn.train.input_squares import all_of, squares
from everlearn.train.loop import collect_gradients
from everlearn.train.losses import cross_entropy
from everlearn.train.meter import Meter

from .conftest import pairs

OPTIMISERS = ("adamw", "muon")


def moves(model, before):
    return {name: master - before[name] for name, master in model.masters.items()}


def length(changes):
    return float(torch.stack([change.square().sum() for change in changes.values()]).sum().sqrt())


# --- a-gem -----------------------------------------------------------------------------------------------


def test_a_gradient_is_turned_just_off_the_reference():
    torch.manual_seed(0)
    reference = {"a": torch.randn(30, 4), "b": torch.randn(9)}
    gradients = {name: torch.randn(each.shape) - 0.5 * each for name, each in reference.items()}
    before = {name: each.clone() for name, each in gradients.items()}
    product = sum(float((before[name] * reference[name]).sum()) for name in before)
    square = sum(float(each.square().sum()) for each in reference.values())
    assert product < 0
    turn_off(gradients, reference)
    assert sum(float((gradients[name] * reference[name]).sum()) for name in before) == pytest.approx(0, abs=1e-4)
    for name, was in before.items():  # nothing but a multiple of the reference is taken out: no other way is shorter
        assert torch.allclose(was - gradients[name], product / square * reference[name], atol=1e-6)


def test_a_gradient_that_agrees_stays_as_it_is():
    gradients = {"a": torch.tensor([1.0, 2.0])}
    for reference in (torch.tensor([3.0, -1.0]), torch.zeros(2)):
        turn_off(gradients, {"a": reference})
        assert gradients["a"].tolist() == [1.0, 2.0]


def test_what_the_optimiser_is_given_never_raises_the_loss_on_earlier_examples(tiny, learn):
    """To first order, on the examples that are looked at: here all of the earlier ones."""
    old = pairs("one")
    batch = pack([tiny.chat.example(example) for example in old])
    products, before = [], []

    def cosine(model, gradients):
        cross_entropy(model.logits(batch), batch.targets_N, torch.ones(len(batch.targets_N))).backward()
        reference = {name: each.float() for name, each in collect_gradients(model).items()}
        product = sum(float((gradients[name].float() * each).sum()) for name, each in reference.items())
        return product / length(reference) / length({name: each.float() for name, each in gradients.items()})

    class Watched(AGEM):
        def project(self, model, gradients, memory, step):
            before.append(cosine(model, gradients))
            super().project(model, gradients, memory, step)
            products.append(cosine(model, gradients))

    memory = learn(tiny, "agem", old, epochs=30)
    meter = Meter(1)
    learn(tiny, Watched, pairs("one", first="P"), memory, meter, epochs=4)
    assert min(before) < -0.1
    assert min(products) > -2e-3  # gradients are rounded to bf16
    assert meter.tokens["replayed"] == 8 * batch.tokens


# --- what moves and what does not -------------------------------------------------------------------------


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_kept_directions_of_all_weights_do_not_move(tiny, learn, optimiser):
    memory = learn(tiny, "ogd", pairs("one"), epochs=10, directions=6)
    assert {len(each) for each in memory[KEPT].values()} == {6}
    before = tiny.snapshot()
    after = learn(tiny, "ogd", pairs("one", first="P"), memory, optimiser=optimiser, directions=6)
    moved = moves(tiny, before)
    assert length(moved) > 0.05
    for number in range(6):
        kept = {name: each[number].float() for name, each in memory[KEPT].items()}
        along = sum(float((change * kept[name]).sum(dtype=torch.float64)) for name, change in moved.items())
        assert length(kept) == pytest.approx(1, abs=0.01)
        assert abs(along) < 1e-6
    assert all(torch.equal(each[:6], memory[KEPT][name]) for name, each in after[KEPT].items())
    assert {len(each) for each in after[KEPT].values()} == {12}


def test_the_directions_are_those_that_change_what_is_said(tiny, learn):
    """A step off them leaves the logits of the kept rows where they are; a step as long along one does not."""
    memory = learn(tiny, "ogd", pairs("one", 4), epochs=20, directions=4)
    batch = pack([tiny.chat.example(pairs("one", 4)[0])])
    kept = Directions(memory[KEPT], tiny.device)
    said(tiny.logits(batch), batch).backward()
    gradient = {name: each.float() for name, each in collect_gradients(tiny).items()}
    assert length(kept.off(gradient)) < 0.05 * length(gradient)
    anywhere = {name: torch.randn(each.shape) for name, each in gradient.items()}
    assert length(kept.off(anywhere)) > 0.9 * length(anywhere)


def test_a_direction_is_of_the_targets_own_logits_and_of_no_shift_of_all(tiny):
    batch = pack([tiny.chat.example(example) for example in pairs("one", 2)])
    logits_NV = torch.randn(len(batch.targets_N), 300).requires_grad_()
    said(logits_NV, batch).backward()
    own_N = logits_NV.grad[torch.arange(len(logits_NV)), batch.targets_N]
    assert torch.allclose(own_N, torch.tensor((1 - 1 / 300) / len(own_N)))
    assert float(logits_NV.grad.sum(1).abs().max()) < 1e-6


def test_a_direction_that_is_known_is_not_kept_twice():
    kept = Directions({}, torch.device("cpu"))
    for direction in ([3.0, 4.0, 0.0], [6.0, 8.0, 0.0], [3.0, 4.0, 5.0]):
        kept.add({"a": torch.tensor(direction)})
    assert kept.kept["a"].shape == (2, 3)
    left = kept.off({"a": torch.tensor([4.0, -3.0, 9.0])})["a"]
    assert torch.allclose(left, torch.tensor([4.0, -3.0, 0.0]), atol=0.1)
    assert float((kept.kept["a"].float() @ left).abs().max()) < 1e-5


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("weights", ["full", "lora"])
def test_layers_go_on_saying_the_same_of_earlier_inputs(tiny, learn, optimiser, weights):
    settings = {"optimiser": optimiser, "weights": weights, "energy": 0.9}
    memory = learn(tiny, "gpm", pairs("one"), epochs=10, **settings)
    before = tiny.snapshot()
    after = learn(tiny, "gpm", pairs("one", first="P"), memory, **settings)
    moved = moves(tiny, before)
    assert length(moved) > 0.02
    layers = {name for names in memory[INPUTS] for name in names.split(",")}
    assert layers == set(tiny.linear_weights())
    for names, kept_KD in memory[INPUTS].items():
        assert torch.equal(after[INPUTS][names][: len(kept_KD)], kept_KD)
        for name in names.split(","):
            assert float((moved[name] @ kept_KD.float().T).abs().max()) < 1e-6
    assert all(not moved[name].any() for name in moved.keys() - layers), "embeddings and norms learn but once"


def test_layers_that_are_given_the_same_share_their_directions(tiny):
    tiny.adapt(Adaptation("full"))
    rows = [tiny.chat.example(example) for example in pairs("one", 3)]
    meter = Meter(1)
    found = squares(tiny, rows, tiny.linear_weights(), all_of, meter).sums
    assert [len(names.split(",")) for names in found] == [3, 1, 2, 1] * 2
    given = tiny.linear_inputs(pack(rows[:1]), ["model.layers.1.mlp.down_proj.weight"])
    real_TD = next(iter(given.values()))[: len(rows[0].read)].float()
    assert torch.allclose(
        squares(tiny, rows[:1], tiny.linear_weights(), all_of, meter).sums["model.layers.1.mlp.down_proj.weight"],
        real_TD.T @ real_TD,
    )


def test_the_fewest_directions_with_enough_energy_are_kept():
    square_DD = torch.diag(torch.tensor([1.0, 50.0, 30.0, 19.0])).double()
    none_KD = torch.zeros(0, 4).double()
    assert further_directions(square_DD, none_KD, 0.5).abs().round().tolist() == [[0, 1, 0, 0]]
    assert len(further_directions(square_DD, none_KD, 0.8)) == 2
    assert len(further_directions(square_DD, none_KD, 0.81)) == 3
    known_KD = torch.eye(4)[1:2].double()  # what is known counts: no more than one is missing
    assert further_directions(square_DD, known_KD, 0.8).abs().round().tolist() == [[0, 0, 1, 0]]
    assert len(further_directions(square_DD, known_KD, 0.4)) == 0
    assert len(further_directions(square_DD, torch.eye(4).double(), 1.0)) == 0


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_the_strongest_directions_of_each_matrix_do_not_move(tiny, learn, optimiser):
    tiny.adapt(Adaptation("full"))
    before = tiny.snapshot()
    assert learn(tiny, "osft", pairs("one"), optimiser=optimiser, unfreeze_rank_ratio=0.25) == {}
    moved = moves(tiny, before)
    for name in tiny.linear_weights():
        left, _, right = torch.linalg.svd(before[name], full_matrices=False)
        held = len(right) * 3 // 4
        assert float((left[:, :held].T @ moved[name]).abs().max()) < 1e-6
        assert float((moved[name] @ right[:held].T).abs().max()) < 1e-6
        assert float(moved[name].norm()) > 1e-3
    assert moved["model.embed_tokens.weight"].any()


@pytest.mark.parametrize("name", ["ogd", "gpm", "osft"])
def test_the_optimiser_is_not_shown_what_is_forbidden(name, tiny, learn):
    memory = learn(tiny, name, pairs("one"), epochs=5)
    method = method_called(name)()
    prepared = method.prepare(tiny, pairs("two"), memory, None)
    batch = pack([tiny.chat.example(example) for example in pairs("one")])
    said(tiny.logits(batch), batch).backward()
    gradients = collect_gradients(tiny)
    given = {key: each.float() for key, each in gradients.items()}
    method.project(tiny, gradients, prepared, 0)
    allowed = method.allowed(given, prepared[BEGUN][1])
    assert length({key: given[key] - allowed[key] for key in given}) > 0.1 * length(given)
    assert all(gradients[key].dtype is torch.bfloat16 for key in given)
    assert length({key: gradients[key].float() - allowed[key] for key in given}) < 0.005 * length(given)
    again = method.allowed(allowed, prepared[BEGUN][1])
    assert length({key: again[key] - allowed[key] for key in given}) < 1e-4 * length(given)


# --- what it is for -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "rate"), [("ogd", 1e-3), ("gpm", 1e-3), ("osft", 3e-4)])
def test_what_was_taught_earlier_is_kept_better(name, rate, tiny_folder, learn, nats):
    first, second = pairs("one", 4), pairs("two", 4, first="P")
    lost = []
    for then in ("finetune", name):
        model = LanguageModel.load(str(tiny_folder))
        memory = learn(model, name, first, epochs=40)
        known, unknown = nats(model, first), nats(model, second)
        learn(model, then, second, memory if then == name else {}, epochs=16, learning_rate=rate)
        lost.append(nats(model, first) - known)
        assert nats(model, second) < 0.9 * unknown
    assert lost[0] > 0
    assert lost[1] < 0.5 * lost[0]


@pytest.mark.parametrize("name", ["agem", "ogd", "gpm"])
def test_a_first_stage_is_plain_fine_tuning(name, tiny_folder, learn):
    plain, first = (LanguageModel.load(str(tiny_folder)) for _ in range(2))
    learn(plain, "finetune", pairs("one"))
    learn(first, name, pairs("one"))
    assert all(torch.equal(plain.masters[key], first.masters[key]) for key in plain.masters)


def test_two_rules_for_directions_are_refused():
    with pytest.raises(SettingsError, match="gpm and osft both decide in which directions"):
        method_called("gpm+osft")


@pytest.mark.parametrize(
    ("name", "weights", "said"), [("osft", "lora", "osft changes `full` alone"), ("gpm", "neurons", "gpm guards")]
)
def test_weights_without_such_directions_are_refused(name, weights, said):
    with pytest.raises(SettingsError, match=said):
        method_called(name)(weights=weights)
