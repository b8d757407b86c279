"""New neurons start silent, can be listened to, and stay silent where they are told to."""

from __future__ import annotations

import random

import pytest
import torch
from test_packing import rows_of

from everlearn.errors import ModelError
from everlearn.model import neurons
from everlearn.model.chat import Row
from everlearn.model.language_model import Adaptation
from everlearn.model.packing import pack


def test_they_lie_in_the_upper_half_and_alone_change(tiny):
    tiny.adapt(Adaptation("neurons", 6))
    assert {name.split(".")[2] for name in tiny.masters} == {"1"}, "of two layers the second is the upper half"
    assert sum(master.numel() for master in tiny.masters.values()) == (3 * 6 + 1) * 64


def test_a_model_without_gated_mlps_is_refused_with_a_way_out(tiny):
    del tiny.network.model.layers[1].mlp.gate_proj
    with pytest.raises(ModelError) as refused:
        tiny.adapt(Adaptation("neurons", 6))
    assert "weights=lora" in refused.value.hint


def test_they_start_as_copies_that_say_nothing(tiny):
    batch = pack(rows_of(2))
    before = tiny.logits(batch)
    tiny.adapt(Adaptation("neurons", 300))  # more than the old ones
    assert torch.equal(tiny.logits(batch), before)
    mlp = tiny.network.model.layers[1].mlp
    assert torch.equal(mlp.grown_gate[0], mlp.mlp.gate_proj.weight[0])
    assert {name for name, weight in mlp.named_parameters() if weight.requires_grad} == {"grown_up", "grown_out"}


def test_the_scope_opens_on_the_lesson_and_shuts_elsewhere(tiny):
    """Tokens below 30 stand for the lesson, those from 60 for everything else."""
    tiny.network.float()
    tiny.adapt(Adaptation("neurons", 6))
    lesson, others, more = rows_between(0, 30), rows_between(60, 90), rows_between(60, 90, seed=1)
    tiny.aim(lesson, [], [others])
    mlp = tiny.network.model.layers[1].mlp
    inside, outside, unseen = (pushes(tiny, mlp, rows) for rows in (lesson, others, more))
    assert inside.mean().abs() < 0.1 * neurons.SHUT
    assert outside.mean() < -0.6 * neurons.SHUT
    assert unseen.mean() < -0.4 * neurons.SHUT
    assert torch.equal(tiny.masters["model.layers.1.mlp.grown_scope"], mlp.grown_scope)


def test_aiming_again_keeps_what_was_learnt(tiny):
    tiny.adapt(Adaptation("neurons", 6))
    tiny.aim(rows_between(0, 30), [], [rows_between(60, 90)])
    keys = tiny.masters["model.layers.1.mlp.grown_gate"].clone()
    tiny.masters["model.layers.1.mlp.grown_out"].fill_(0.1)
    mlp, asked = tiny.network.model.layers[1].mlp, rows_between(0, 30)
    before = pushes(tiny, mlp, asked)
    tiny.aim(rows_between(30, 50), rows_between(0, 30), [rows_between(60, 90)])
    assert torch.equal(tiny.masters["model.layers.1.mlp.grown_gate"], keys), "what was learnt hangs on these keys"
    assert (tiny.masters["model.layers.1.mlp.grown_out"] == 0.1).all()
    moved = (pushes(tiny, mlp, asked) - before).abs().mean()
    assert moved < 0.25 * neurons.SHUT, "what was learnt hangs on how far its neurons are open"
    assert pushes(tiny, mlp, rows_between(30, 50)).mean() > -0.4 * neurons.SHUT


def test_what_another_method_taught_the_neurons_is_not_copied_over(tiny):
    tiny.adapt(Adaptation("neurons", 6))
    tiny.masters["model.layers.1.mlp.grown_out"].fill_(0.1)
    keys = tiny.masters["model.layers.1.mlp.grown_up"].clone()
    tiny.aim(rows_between(0, 30), [], [rows_between(60, 90)])
    assert torch.equal(tiny.masters["model.layers.1.mlp.grown_up"], keys)


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
    return heard[0][batch.asked_tokens()] @ mlp.grown_scope


def test_they_are_as_loud_as_what_they_add_to_the_mlp(tiny):
    tiny.network.float()
    tiny.adapt(Adaptation("neurons", 6))
    rows = rows_of(2)
    tiny.aim(rows, [], [rows])
    assert tiny.loudness(50, 0) == 0
    tiny.masters["model.layers.1.mlp.grown_out"].normal_(generator=torch.Generator().manual_seed(0))
    tiny.publish()
    tiny.aim(rows, [], [rows])
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
    own = batch.asked_tokens()
    wanted = mlp.new(given[own]).square().sum() / said[own].square().sum()
    assert torch.allclose(loud, wanted, rtol=0.1)


def test_before_anything_is_learnt_aiming_changes_no_answer(tiny):
    tiny.adapt(Adaptation("neurons", 6))
    before = tiny.logits(pack(rows_of(2)))
    tiny.aim(rows_of(3), [], [rows_of(4)])
    tiny.forget()
    assert torch.equal(tiny.logits(pack(rows_of(2))), before)
    assert tiny.loudness(5, 0) is None


def test_other_adaptations_hear_nothing(tiny):
    tiny.adapt(Adaptation("lora", 4))
    tiny.aim(rows_of(2), [], [rows_of(2)])
    assert tiny.loudness(5, 0) is None
