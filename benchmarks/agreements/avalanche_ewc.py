"""EWC's importance of each weight, and the gradient of its penalty once the weights have moved, of a network of two
layers beside Avalanche's strategy EWC with rows one by one. Avalanche measures the empirical Fisher information, of the
rows' own labels; it is given the labels that ours has drawn from the model itself, which makes the two the same. Its
penalty lacks the factor 1/2, so that our strength is twice its lambda. Not compared: how importance of several stages
adds up, and our scale (mean 1 over all weights).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional

TITLE = "EWC's importance and penalty, Avalanche"
PEER = "peers_of_the_field.txt"
LIMIT = 1e-5

TOKENS, HIDDEN, CLASSES = 20, 12, 7
LAMBDA = 3.0
SEED = 5


def numbers(*shape: int, phase: float) -> torch.Tensor:
    """Numbers between -1 and 1 that look drawn."""
    count = math.prod(shape)
    return torch.tensor([math.sin(phase + 1.7 * n * n) for n in range(count)]).view(shape)


class Network(nn.Module):
    """Says of each token which class it is, and can pass for a language model whose rows are of two tokens."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(TOKENS, HIDDEN)
        self.head = nn.Linear(HIDDEN, CLASSES)
        for phase, weight in enumerate(self.parameters()):
            weight.data = numbers(*weight.shape, phase=float(phase))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits of the classes."""
        said: torch.Tensor = self.head(torch.tanh(self.table(tokens)))
        return said

    def logits(self, batch: Any) -> torch.Tensor:
        """Logits_NV of a packed batch."""
        said: torch.Tensor = self(batch.ids_T[batch.predict_N])
        return said

    def weights(self) -> dict[str, nn.Parameter]:
        """All of them, by name."""
        return dict(self.named_parameters())

    def move(self) -> None:
        """As if something had been learnt."""
        for phase, weight in enumerate(self.parameters()):
            weight.data += 0.1 * numbers(*weight.shape, phase=7.0 + phase)


def ours() -> dict[str, torch.Tensor]:
    """The Fisher information of one row for each token, and the pull after a move."""
    from everlearn.model.chat import Row
    from everlearn.train.importance import fisher, pull
    from everlearn.train.meter import Meter

    network = Network()
    rows = [Row((token, 0), (False, True)) for token in range(TOKENS)]
    importance = fisher(network, rows, SEED, Meter(1))
    draw = torch.Generator().manual_seed(SEED)
    chances = [functional.softmax(network(torch.tensor([token])), -1).detach() for token in range(TOKENS)]
    labels = torch.cat([torch.multinomial(each, 1, generator=draw)[:, 0] for each in chances])
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    network.move()
    pulled = {name: torch.zeros_like(each) for name, each in before.items()}
    pull(pulled, {name: weight.detach() for name, weight in network.named_parameters()}, before, 2 * LAMBDA, importance)
    return {"labels": labels, **_named(importance, pulled)}


def theirs(ours: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What Avalanche measures after an experience in which nothing moves, and its loss's gradient in the next one."""
    from avalanche.benchmarks import benchmark_from_datasets
    from avalanche.benchmarks.utils import as_classification_dataset
    from avalanche.training.plugins import EvaluationPlugin, EWCPlugin, SupervisedPlugin
    from avalanche.training.supervised import EWC

    network = Network()
    handed: dict[str, torch.Tensor] = {}

    class Watching(SupervisedPlugin):
        """Keeps the last gradients that the optimiser gets."""

        def before_update(self, *_: object, **__: object) -> None:
            handed.update({name: weight.grad.clone() for name, weight in network.named_parameters()})

    rows = torch.utils.data.TensorDataset(torch.arange(TOKENS), ours["labels"])
    rows.targets = ours["labels"].tolist()
    strategy = EWC(
        model=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=0.0),
        criterion=nn.CrossEntropyLoss(),
        ewc_lambda=LAMBDA,
        train_mb_size=1,
        train_epochs=1,
        plugins=[Watching()],
        evaluator=EvaluationPlugin(loggers=[]),
    )
    first, second = benchmark_from_datasets(train=[as_classification_dataset(rows)] * 2).train_stream
    strategy.train(first)
    (measured,) = (each for each in strategy.plugins if isinstance(each, EWCPlugin))
    importance = {name: each.data.clone() for name, each in measured.importances[0].items()}
    network.move()
    strategy._criterion = lambda said, _: 0 * said.sum()  # its penalty alone
    strategy.train(second)
    return _named(importance, handed)


def _named(importance: dict[str, torch.Tensor], penalty: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"importance of {name}": each for name, each in importance.items()} | {
        f"penalty on {name}": each for name, each in penalty.items()
    }
