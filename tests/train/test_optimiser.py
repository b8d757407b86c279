"""Muon moves matrices as torch's own does, AdamW all else; its state comes back by name."""

from __future__ import annotations

import pytest
import torch

from everlearn.model.adaptation import Adaptation
from everlearn.train.optimiser import Optimisation, Optimiser

LOSS = torch.tensor(1.0)


def gradients(model, seed: int) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return {name: torch.randn(w.shape, generator=draw).to(w.dtype) / 100 for name, w in model.weights().items()}


def matrix_of(model) -> str:
    return next(name for name in model.masters if "q_proj" in name)


@pytest.fixture
def model(tiny):
    tiny.adapt(Adaptation("full"))
    return tiny


def test_a_matrix_moves_as_by_torchs_muon(model):
    name = matrix_of(model)
    theirs = torch.nn.Parameter(model.masters[name].clone())
    muon = torch.optim.Muon([theirs], lr=0.02, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    ours = Optimiser(model, Optimisation(0.02, optimiser="muon", clip=1e9))
    for seed in range(3):
        found = gradients(model, seed)
        theirs.grad = found[name].float()
        muon.step()
        ours.step(found, 1.0, LOSS)
    assert torch.allclose(model.masters[name], theirs.data, atol=1e-6)


def test_tables_and_vectors_are_moved_by_adamw(model, tiny_folder):
    from everlearn.model.language_model import LanguageModel

    plain = LanguageModel.load(str(tiny_folder))
    plain.adapt(Adaptation("full"))
    for one, name in ((model, "muon"), (plain, "adamw")):
        optimiser = Optimiser(one, Optimisation(1e-3, optimiser=name))
        optimiser.step(gradients(one, 0), 1.0, LOSS)
    same = {name for name in model.masters if torch.equal(model.masters[name], plain.masters[name])}
    assert same == {name for name in model.masters if "embed" in name or "lm_head" in name or "norm" in name}


def test_both_take_steps_of_about_one_length(model, tiny_folder):
    from everlearn.model.language_model import LanguageModel

    plain = LanguageModel.load(str(tiny_folder))
    plain.adapt(Adaptation("full"))
    lengths = []
    for one, name in ((model, "muon"), (plain, "adamw")):
        before = one.masters[matrix_of(one)].clone()
        optimiser = Optimiser(one, Optimisation(1e-3, optimiser=name))
        optimiser.step(gradients(one, 0), 1.0, LOSS)
        lengths.append(float((one.masters[matrix_of(one)] - before).norm()))
    assert 0.1 < lengths[0] / lengths[1] < 1.0


def test_its_state_comes_back(model, tiny_folder):
    from everlearn.model.language_model import LanguageModel

    again = LanguageModel.load(str(tiny_folder))
    again.adapt(Adaptation("full"))
    how = Optimisation(1e-2, optimiser="muon")
    whole, begun, resumed = Optimiser(model, how), Optimiser(again, how), Optimiser(again, how)
    for number in range(4):
        whole.step(gradients(model, number), 1.0, LOSS)
    for number in range(2):
        begun.step(gradients(again, number), 1.0, LOSS)
    resumed.restore(2, begun.state())
    for number in range(2, 4):
        resumed.step(gradients(again, number), 1.0, LOSS)
    assert all(torch.equal(model.masters[name], again.masters[name]) for name in model.masters)
