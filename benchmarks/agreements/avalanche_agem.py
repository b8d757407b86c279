"""A-GEM's gradient after its projection, of a network of two layers on a batch that contradicts an earlier one, beside
Avalanche's strategy AGEM in its second experience. Not compared: which examples are kept and drawn, as all of them are.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

TITLE = "A-GEM's projected gradient, Avalanche"
PEER = "peers_of_the_field.txt"
LIMIT = 1e-5

ROWS, INPUTS, HIDDEN, CLASSES = 24, 10, 16, 3


def numbers(*shape: int, phase: float) -> torch.Tensor:
    """Numbers between -1 and 1 that look drawn."""
    count = math.prod(shape)
    return torch.tensor([math.sin(phase + 1.7 * n * n) for n in range(count)]).view(shape)


def network() -> nn.Module:
    """Two layers, the same wherever they are made."""
    made = nn.Sequential(nn.Linear(INPUTS, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, CLASSES))
    for phase, weight in enumerate(made.parameters()):
        weight.data = numbers(*weight.shape, phase=float(phase)) / 2
    return made


def batches() -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Inputs with their classes, and the same inputs, all of a class that none was of."""
    inputs = numbers(ROWS, INPUTS, phase=0.5)
    return [(inputs, torch.arange(ROWS) % (CLASSES - 1)), (inputs, torch.full((ROWS,), CLASSES - 1))]


def ours() -> dict[str, torch.Tensor]:
    """Two gradients by torch, one turned off the other by us."""
    from everlearn.methods.agem import turn_off

    made = network()
    earlier, new = (_gradients(made, *batch) for batch in batches())
    plain = {name: each.clone() for name, each in new.items()}
    turn_off(new, earlier)
    assert any(not torch.equal(new[name], plain[name]) for name in new), "the batches must contradict each other"
    return new


def _gradients(made: nn.Module, inputs: torch.Tensor, classes: torch.Tensor) -> dict[str, torch.Tensor]:
    made.zero_grad()
    functional.cross_entropy(made(inputs), classes).backward()
    return {name: weight.grad.clone() for name, weight in made.named_parameters() if weight.grad is not None}


def theirs(ours: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What Avalanche hands to an optimiser that moves nothing, so that both experiences see the same weights."""
    from avalanche.benchmarks import benchmark_from_datasets
    from avalanche.benchmarks.utils import as_classification_dataset
    from avalanche.training.plugins import EvaluationPlugin, SupervisedPlugin
    from avalanche.training.supervised import AGEM

    made = network()
    handed: dict[str, torch.Tensor] = {}

    class Watching(SupervisedPlugin):
        """Keeps the last gradients that the optimiser gets."""

        def before_update(self, *_: object, **__: object) -> None:
            handed.update({name: weight.grad.clone() for name, weight in made.named_parameters()})

    sets = [torch.utils.data.TensorDataset(*batch) for batch in batches()]
    for each, (_, classes) in zip(sets, batches(), strict=True):
        each.targets = classes.tolist()
    strategy = AGEM(
        model=made,
        optimizer=torch.optim.SGD(made.parameters(), lr=0.0),
        criterion=nn.CrossEntropyLoss(),
        patterns_per_exp=ROWS,
        sample_size=ROWS,
        train_mb_size=ROWS,
        train_epochs=1,
        plugins=[Watching()],
        evaluator=EvaluationPlugin(loggers=[]),
    )
    for experience in benchmark_from_datasets(train=[as_classification_dataset(each) for each in sets]).train_stream:
        strategy.train(experience)
    return handed
