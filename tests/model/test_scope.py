"""New neurons open on the lesson, are shut elsewhere, and are heard where they say what they should not."""

from __future__ import annotations

import random

import pytest
import torch
from test_packing import rows_of

from everlearn.model import scope
from everlearn.model.adaptation import Adaptation
from everlearn.model.chat import Row
from everlearn.model.packing import pack

OUT = "model.layers.1.mlp.grown_out"


def test_the_scope_opens_on_the_lesson_and_shuts_elsewhere(tiny):
    """Tokens below 30 stand for the lesson, those from 60 for everything else."""
    tiny.network.float()
    tiny.adapt(Adaptation("neurons", 6))
    lesson, others, more = rows_between(0, 30), rows_between(60, 90), rows_between(60, 90, seed=1)
    tiny.aim([lesson], [], [others])
    mlp = tiny.network.model.layers[1].mlp
    inside, outside, unseen = (pushes(tiny, mlp, rows) for rows in (lesson, others, more))
    assert inside.mean() > 0.6 * scope.OPEN
    assert outside.mean() < -0.6 * scope.SHUT
    assert unseen.mean() < -0.4 * scope.SHUT
    assert torch.equal(tiny.masters["model.layers.1.mlp.grown_scope"], mlp.grown_scope)


def test_aiming_again_keeps_what_was_learnt(tiny):
    tiny.adapt(Adaptation("neurons", 6))
    tiny.aim([rows_between(0, 30)], [], [rows_between(60, 90)])
    keys = tiny.masters["model.layers.1.mlp.grown_gate"]
    tiny.masters[OUT] = torch.full_like(tiny.masters[OUT], 0.1)
    mlp, asked = tiny.network.model.layers[1].mlp, rows_between(0, 30)
    before = pushes(tiny, mlp, asked)
    tiny.aim([rows_between(30, 50)], [rows_between(0, 30)], [rows_between(60, 90)])
    assert torch.equal(tiny.masters["model.layers.1.mlp.grown_gate"], keys), "what was learnt hangs on these keys"
    assert (tiny.masters[OUT] == 0.1).all()
    moved = (pushes(tiny, mlp, asked) - before).abs().mean()
    assert moved < 0.25 * scope.SHUT, "what was learnt hangs on how far its neurons are open"
    assert pushes(tiny, mlp, rows_between(30, 50)).mean() > -0.4 * scope.SHUT


def test_a_scope_that_moves_says_what_it_said_on_earlier_lessons():
    draw = torch.Generator().manual_seed(0)
    inside, outside, earlier = (torch.randn(30, 8, generator=draw) + torch.randn(8, generator=draw) for _ in range(3))
    before = torch.randn(8, generator=draw)
    moves = [
        (earlier @ (scope.solve_scope([inside], [outside], kept, before) - before)).square().mean()
        for kept in ([earlier], [])
    ]
    assert moves[0] < 0.2 * moves[1]


def test_what_another_method_taught_the_neurons_is_not_copied_over(tiny):
    tiny.adapt(Adaptation("neurons", 6))
    tiny.masters[OUT] = torch.full_like(tiny.masters[OUT], 0.1)
    keys = tiny.masters["model.layers.1.mlp.grown_up"]
    tiny.aim([rows_between(0, 30)], [], [rows_between(60, 90)])
    assert torch.equal(tiny.masters["model.layers.1.mlp.grown_up"], keys)


def test_neurons_are_as_loud_as_what_they_add_to_the_mlp(tiny):
    tiny.network.float()
    tiny.adapt(Adaptation("neurons", 6))
    rows = rows_of(2)
    tiny.aim([rows], [], [rows])
    assert tiny.loudness(50, 0) == 0
    tiny.masters[OUT] = torch.randn(tiny.masters[OUT].shape, generator=torch.Generator().manual_seed(0))
    tiny.aim([rows], [], [rows])
    loud = tiny.loudness(20_000, 0)
    heard = []
    mlp = tiny.network.model.layers[1].mlp
    batch = pack(rows)
    hooks = [
        mlp.mlp.register_forward_hook(lambda _, given, said: heard.append((given[0], said))),
    ]
    tiny.forget()
    tiny.logits(batch)
    hooks[0].remove()
    ((given, said),) = heard
    own = batch.asked_tokens()[None]
    wanted = mlp.new(given[own], scope.MARGIN).square().sum() / said[own].square().sum()
    assert torch.allclose(loud, wanted, rtol=0.1)


def test_before_anything_is_learnt_aiming_changes_no_answer(tiny):
    tiny.adapt(Adaptation("neurons", 6))
    before = tiny.logits(pack(rows_of(2)))
    tiny.aim([rows_of(3)], [], [rows_of(4)])
    tiny.forget()
    assert torch.equal(tiny.logits(pack(rows_of(2))), before)
    assert tiny.loudness(5, 0) is None


def test_a_neuron_that_only_its_whole_scope_shuts_is_heard(tiny):
    """What was solved for on some texts holds less well on others, so silence must not hang on all of it."""
    tiny.network.float()
    tiny.adapt(Adaptation("neurons", 6))
    others = rows_between(60, 90)
    tiny.aim([rows_between(0, 30)], [], [others])
    tiny.masters[OUT] = torch.full_like(tiny.masters[OUT], 0.1)
    mlp = tiny.network.model.layers[1].mlp
    heard, power = tiny._outside[0].inputs[0], tiny._outside[0]._power[0]
    with_all_of_it = mlp.new(heard).square().sum() / power
    assert tiny.loudness(20_000, 0) > 4 * with_all_of_it


def test_neurons_are_held_to_what_they_said_on_earlier_lessons(tiny):
    tiny.network.float()
    tiny.adapt(Adaptation("neurons", 6))
    first, second, others = rows_between(0, 30), rows_between(30, 50), rows_between(60, 90)
    tiny.aim([first], [], [others])
    assert tiny.drift(50, 0) is None, "nothing was taught before"
    tiny.masters[OUT] = torch.full_like(tiny.masters[OUT], 0.1)
    tiny.aim([second], [first], [others])
    moved = tiny.drift(50, 0)
    tiny.masters[OUT] = torch.full_like(tiny.masters[OUT], 0.3)
    assert tiny.drift(50, 0) > 10 * moved
    tiny.forget()
    assert tiny.drift(50, 0) is None


def test_other_adaptations_hear_nothing(tiny):
    tiny.adapt(Adaptation("lora", 4))
    tiny.aim([rows_of(2)], [], [rows_of(2)])
    assert tiny.loudness(5, 0) is None


def rows_between(low, high, seed=0, count=40):
    draw = random.Random(seed)
    return [Row(tuple(draw.choices(range(low, high), k=6)), (False,) * 5 + (True,)) for _ in range(count)]


def pushes(model, mlp, rows):
    """What the scope adds to the keys' products at the targets of some rows."""
    heard = []
    hook = mlp.register_forward_pre_hook(lambda _, given: heard.append(given[0]))
    batch = pack(rows)
    model.logits(batch)
    hook.remove()
    return heard[0][batch.asked_tokens()[None]] @ mlp.grown_scope


def test_kinds_that_ask_different_things_of_the_same_texts_read_them_once(tiny):
    tiny.adapt(Adaptation("neurons", 6))
    whole = [Row(row.ids, (False, False, True, True, False, True)) for row in rows_between(0, 30)]
    begun = [Row(row.ids, (False, False, True, False, False, False)) for row in rows_between(0, 30)[:4]]
    read = []

    def run(batch):
        read.append(batch.tokens)
        return tiny._hidden(batch)

    together = scope.overhear(tiny.network, [whole, [], begun], 4096, run)
    assert len(read) == 1 and len(together) == 2
    for kind, heard in zip((whole, begun), together, strict=True):
        (alone,) = scope.overhear(tiny.network, [kind], 4096, run)
        assert [len(inputs) for inputs in heard.inputs] == [sum(row.targets for row in kind)] * len(heard.grown)
        for one, other in zip(heard.inputs, alone.inputs, strict=True):
            assert torch.allclose(one.float().mean(0), other.float().mean(0), atol=0.02)
        assert heard._power == pytest.approx(alone._power, rel=0.02)
    assert not torch.allclose(together[0].inputs[0].float().mean(0), together[1].inputs[0].float().mean(0), atol=0.02)
