"""A network in, the same network with new neurons in the MLPs of its upper half out; and back into a plain network.

A neuron of a gated MLP answers a pattern in its input with a vector: a key and a value (Geva et al. 2012.14913). New
ones start as copies of old ones with a value of zero, so that they know the patterns the network knows. All new
neurons of a layer share a *scope*: a vector that is added to their keys, such that on what the lesson is about they
answer like any neuron, and elsewhere they are shut (`everlearn.model.scope`). They are added once, and later stages
train the same ones.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from everlearn.errors import ModelError
from everlearn.model.fused import GatedMLP
from everlearn.model.kernels.gated import gated

MARK = "grown_"
"""What the names of the new weights hold."""

TRAINED = ("grown_up", "grown_out")
"""Those of them that are trained."""


class GrownMLP(nn.Module):
    """A gated MLP with more neurons beside its own; their values and half of their keys can be trained."""

    def __init__(self, mlp: Any, neurons: int) -> None:
        super().__init__()
        weight = mlp.gate_proj.weight
        self.mlp = mlp
        self.grown_scope = nn.Parameter(weight.new_zeros(weight.shape[1]))
        some = torch.arange(neurons, device=weight.device) % len(weight)
        self.grown_gate = nn.Parameter(weight.detach()[some].clone())
        self.grown_up = nn.Parameter(mlp.up_proj.weight.detach()[some].clone())
        self.grown_out = nn.Parameter(weight.new_zeros(weight.shape[1], neurons))

    def forward(self, hidden_BTD: torch.Tensor) -> torch.Tensor:
        """What the old neurons say plus what the new ones say."""
        said: torch.Tensor = self.mlp(hidden_BTD) + self.new(hidden_BTD)
        return said

    def new(self, hidden_BTD: torch.Tensor, scope: float = 1.0) -> torch.Tensor:
        """What the new neurons say, or would with only a share of their scope."""
        gate = functional.linear(hidden_BTD, self.grown_gate + scope * self.grown_scope)
        return functional.linear(self._answer(gate, functional.linear(hidden_BTD, self.grown_up)), self.grown_out)

    def _answer(self, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        return gated(gate, up) if isinstance(self.mlp, GatedMLP) else self.mlp.act_fn(gate) * up

    def copied(self, inputs_ND: torch.Tensor) -> dict[str, torch.Tensor]:
        """Keys of those old neurons that differ most between such inputs, for the new ones to start from."""
        said_NI = self.mlp.act_fn(self.mlp.gate_proj(inputs_ND)) * self.mlp.up_proj(inputs_ND)
        order = said_NI.float().var(0).argsort(descending=True)
        chosen = order[torch.arange(len(self.grown_gate), device=order.device) % len(order)]
        return {"grown_gate": self.mlp.gate_proj.weight[chosen], "grown_up": self.mlp.up_proj.weight[chosen]}


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
    for layer in upper:
        layer.mlp = GrownMLP(layer.mlp, neurons)


def grown_size(hidden: int, layers: int, neurons: int) -> int:
    """How many weights `grow` adds."""
    return (3 * neurons + 1) * hidden * (layers - layers // 2)


def plain(network: Any) -> Any:
    """A copy without modules of ours: all its MLPs are wider by the new neurons, which are zero in the lower layers."""
    network = copy.deepcopy(network)
    layers = network.get_decoder().layers
    neurons = next(layer.mlp.grown_out.shape[1] for layer in layers if isinstance(layer.mlp, GrownMLP))
    for layer in layers:
        mlp = layer.mlp.mlp if isinstance(layer.mlp, GrownMLP) else layer.mlp
        hidden = len(mlp.down_proj.weight)
        if isinstance(layer.mlp, GrownMLP):
            gate = layer.mlp.grown_gate.data + layer.mlp.grown_scope.data
            up, down = layer.mlp.grown_up.data, layer.mlp.grown_out.data
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
