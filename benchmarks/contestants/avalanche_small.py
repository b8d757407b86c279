"""Strings in, steps of Avalanche's Replay strategy out, some of them in each turn."""

from __future__ import annotations

from typing import Any

import torch
from avalanche.benchmarks import benchmark_from_datasets
from avalanche.benchmarks.utils import as_classification_dataset
from avalanche.training.plugins import EvaluationPlugin, SupervisedPlugin
from avalanche.training.supervised import Replay
from contestants.peers_small import Classifier, tensors
from contestants.turns import JOB, Turns


class Strings(torch.utils.data.TensorDataset):
    """Tokens and classes, with the attribute that Avalanche looks for."""

    def __init__(self, ids: torch.Tensor, labels: torch.Tensor) -> None:
        super().__init__(ids, labels)
        self.targets = labels.tolist()


class InTurns(SupervisedPlugin):
    """Stops the strategy between turns, from the second experience on: then there is a buffer."""

    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self.turns = turns
        self.steps = 0
        self.experience = 0

    def before_training_exp(self, *_: Any, **__: Any) -> None:
        """Wait for the first turn."""
        self.experience += 1
        if self.experience == 2:
            self.turns.wait()

    def after_training_iteration(self, *_: Any, **__: Any) -> None:
        """Wait again after so many steps."""
        if self.experience < 2:
            return
        self.steps += 1
        if self.steps % JOB["steps"] == 0:
            self.turns.done(JOB["rows"] * JOB["steps"])
            self.turns.wait()


def main() -> None:
    """Train until nobody waits for another turn."""
    torch.set_num_threads(JOB["threads"])
    ids, labels = tensors()
    half = len(ids) // 2
    streams = [as_classification_dataset(Strings(ids[part], labels[part])) for part in (slice(half), slice(half, None))]
    benchmark = benchmark_from_datasets(train=streams)
    model = Classifier()
    strategy = Replay(
        model=model,
        optimizer=torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True),
        criterion=torch.nn.CrossEntropyLoss(),
        mem_size=half,
        train_mb_size=JOB["rows"],
        train_epochs=1,
        plugins=[InTurns(Turns())],
        evaluator=EvaluationPlugin(loggers=[]),
    )
    for experience in benchmark.train_stream:
        strategy.train(experience)
        strategy.train_epochs = 10_000


main()
