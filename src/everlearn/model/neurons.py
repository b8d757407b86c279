"""A network in, the same network with new neurons in the MLPs of its upper half out; and back into a plain network.

A neuron of a gated MLP answers a pattern in its input with a vector: a key and a value (Geva et al. 2012.14913). New
ones can be told to keep silent on everything but the lesson, which leaves the old network as it was there (the idea of
Transformer-Patcher, Huang et al. 2301.09785). They are added once, start with random keys and values of zero, and
later stages train the same ones.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from everlearn.errors import ModelError

MARK = "grown_"
"""What the names of the new weights hold."""


class GrownMLP(nn.Module):
    """A gated MLP with more neurons beside its own."""

    def __init__(self, mlp: Any, neurons: int, generator: torch.Generator) -> None:
        super().__init__()
        weight = mlp.down_proj.weight
        keys = torch.randn(2 * neurons, len(weight), generator=generator) / len(weight) ** 0.5
        self.mlp = mlp
        self.grown_in = nn.Parameter(keys.to(weight))
        self.grown_out = nn.Parameter(weight.new_zeros(len(weight), neurons))

    def forward(self, hidden_BTD: torch.Tensor) -> torch.Tensor:
        """What the old neurons say plus what the new ones say."""
        said: torch.Tensor = self.mlp(hidden_BTD) + self.new(hidden_BTD)
        return said

    def new(self, hidden_BTD: torch.Tensor) -> torch.Tensor:
        """What the new neurons say."""
        gate, up = functional.linear(hidden_BTD, self.grown_in).chunk(2, -1)
        return functional.linear(self.mlp.act_fn(gate) * up, self.grown_out)


class Overheard:
    """What the old network gives to its growing MLPs on some rows: there the new neurons should keep silent."""

    def __init__(self, network: Any) -> None:
        self.grown = [module for module in network.modules() if isinstance(module, GrownMLP)]
        self._inputs: list[list[torch.Tensor]] = [[] for _ in self.grown]
        self._power = [0.0 for _ in self.grown]
        self._tokens = 0

    @contextmanager
    def listening(self, real_BT: torch.Tensor) -> Iterator[None]:
        """Keep what passes during a forward pass at the tokens where `real_BT` is true."""
        hooks = [
            grown.mlp.register_forward_hook(partial(self._hear, number, real_BT))
            for number, grown in enumerate(self.grown)
        ]
        self._tokens += int(real_BT.sum())
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _hear(self, number: int, real_BT: torch.Tensor, _: Any, given: tuple[torch.Tensor], said: torch.Tensor) -> None:
        self._inputs[number].append(given[0][real_BT])
        self._power[number] += float(said[real_BT].float().square().sum())

    def loudness(self, count: int, seed: int) -> torch.Tensor:
        """Squared norm of what the new neurons say relative to what the old ones said, mean over the layers and over
        `count` of the tokens heard."""
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.randint(0, self._tokens, (count,), generator=generator)
        total = torch.zeros(())
        for grown, inputs, power in zip(self.grown, self._inputs, self._power, strict=True):
            if len(inputs) > 1:
                inputs[:] = [torch.cat(inputs)]
            new_ND = grown.new(inputs[0][chosen.to(inputs[0].device)]).float()
            total = total.to(new_ND.device) + new_ND.square().sum(-1).mean() * self._tokens / power
        return total / len(self.grown)


def grow(network: Any, neurons: int) -> None:
    """Put so many new neurons into each MLP of the upper half of the layers, in place.

    Raises:
        ModelError: its MLPs are not gated ones with gate_proj, up_proj and down_proj.
    """
    layers = getattr(network.get_decoder(), "layers", ())
    upper = layers[len(layers) // 2 :]
    parts = ("gate_proj", "up_proj", "down_proj", "act_fn")
    if len(layers) < 2 or not all(hasattr(getattr(layer, "mlp", None), part) for layer in upper for part in parts):
        raise ModelError("this model has no gated MLPs that could grow", "train an adapter: --set weights=lora")
    generator = torch.Generator().manual_seed(0)  # every process starts from the same neurons, or no run could resume
    for layer in upper:
        layer.mlp = GrownMLP(layer.mlp, neurons, generator)


def grown_size(hidden: int, layers: int, neurons: int) -> int:
    """How many weights `grow` adds."""
    return 3 * neurons * hidden * (layers - layers // 2)


def plain(network: Any) -> Any:
    """A copy without modules of ours: all its MLPs are wider by the new neurons, which are zero in the lower layers."""
    network = copy.deepcopy(network)
    layers = network.get_decoder().layers
    neurons = next(layer.mlp.grown_out.shape[1] for layer in layers if isinstance(layer.mlp, GrownMLP))
    for layer in layers:
        mlp = layer.mlp.mlp if isinstance(layer.mlp, GrownMLP) else layer.mlp
        hidden = len(mlp.down_proj.weight)
        if isinstance(layer.mlp, GrownMLP):
            (gate, up), down = layer.mlp.grown_in.data.chunk(2), layer.mlp.grown_out.data
        else:
            gate = up = mlp.gate_proj.weight.new_zeros(neurons, hidden)
            down = gate.T
        for projection, more, axis in ((mlp.gate_proj, gate, 0), (mlp.up_proj, up, 0), (mlp.down_proj, down, 1)):
            projection.weight = nn.Parameter(torch.cat([projection.weight.data, more], axis), requires_grad=False)
            projection.out_features, projection.in_features = projection.weight.shape
            if axis == 0 and projection.bias is not None:
                projection.bias = nn.Parameter(functional.pad(projection.bias.data, (0, neurons)), requires_grad=False)
        layer.mlp = mlp
    network.config.intermediate_size += neurons
    return network
