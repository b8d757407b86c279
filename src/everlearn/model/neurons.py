"""A network in, the same network with new neurons in the MLPs of its upper half out; and back into a plain network.

A neuron of a gated MLP answers a pattern in its input with a vector: a key and a value (Geva et al. 2012.14913). New
ones start as copies of old ones with a value of zero, so that they know the patterns the network knows. All new
neurons of a layer share a *scope*: a vector that is added to their keys, such that on what the lesson is about they
answer like any neuron, and elsewhere they are shut. It is not trained but solved for (ridge regression, as in analytic
continual learning, Zhuang et al. 2205.14922), which separates better than gates that are learnt by descent; the idea
to tell by activations whether knowledge is asked for is that of WISE (Wang et al. 2405.14768). They are added once, and
later stages train the same ones.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from everlearn.errors import ModelError

MARK = "grown_"
"""What the names of the new weights hold."""

TRAINED = ("grown_up", "grown_out")
"""Those of them that are trained."""

SHUT = 14.0
"""How far the scope pushes new neurons below their threshold where they are to be shut."""

RIDGE = 0.1
"""Of the scope's regression, relative to the mean square of an input channel."""

MOVE_RIDGE = 1.0
"""The same where there is a scope already: what it is drawn to then is not zero but how it was."""

KEPT = 5.0
"""Weight of earlier lessons' inputs, on which a scope should say what it said, relative to those of the new one."""


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

    def new(self, hidden_BTD: torch.Tensor) -> torch.Tensor:
        """What the new neurons say."""
        gate = functional.linear(hidden_BTD, self.grown_gate + self.grown_scope)
        return functional.linear(self.mlp.act_fn(gate) * functional.linear(hidden_BTD, self.grown_up), self.grown_out)

    def copied(self, inputs_ND: torch.Tensor) -> dict[str, torch.Tensor]:
        """Keys of those old neurons that differ most between such inputs, for the new ones to start from."""
        said_NI = self.mlp.act_fn(self.mlp.gate_proj(inputs_ND)) * self.mlp.up_proj(inputs_ND)
        order = said_NI.float().var(0).argsort(descending=True)
        chosen = order[torch.arange(len(self.grown_gate), device=order.device) % len(order)]
        return {"grown_gate": self.mlp.gate_proj.weight[chosen], "grown_up": self.mlp.up_proj.weight[chosen]}


def solve_scope(
    inside_ND: torch.Tensor,
    outside: Sequence[torch.Tensor],
    earlier_ND: torch.Tensor | None = None,
    scope_D: torch.Tensor | None = None,
) -> torch.Tensor:
    """The vector whose product with an input is near 0 inside the scope and near -SHUT outside.

    Where there is a scope already, the product stays what it was on the inputs of earlier lessons, or what was learnt
    behind it would change. Every kind of inputs outside weighs the same, all together as much as those inside.
    """
    square_DD = _square(inside_ND) + sum(map(_square, outside)) / len(outside)
    wanted_D = -SHUT * sum(kind_ND.float().mean(0) for kind_ND in outside) / len(outside)
    if earlier_ND is not None and scope_D is not None:
        kept_DD = KEPT * _square(earlier_ND)
        square_DD, wanted_D = square_DD + kept_DD, wanted_D + kept_DD @ scope_D
    ridge = (RIDGE if scope_D is None else MOVE_RIDGE) * square_DD.diagonal().mean()
    if scope_D is not None:
        wanted_D = wanted_D + ridge * scope_D
    solved: torch.Tensor = torch.linalg.solve(square_DD + ridge * torch.eye(len(square_DD)).to(square_DD), wanted_D)
    return solved


def _square(inputs_ND: torch.Tensor) -> torch.Tensor:
    return inputs_ND.float().T @ inputs_ND.float() / len(inputs_ND)


class Overheard:
    """What the old network gives to its growing MLPs on some rows."""

    def __init__(self, network: Any) -> None:
        self.grown = [module for module in network.modules() if isinstance(module, GrownMLP)]
        self.inputs: list[torch.Tensor] = []
        """For each growing MLP, inputs_ND at the N tokens heard."""
        self._pieces: list[list[torch.Tensor]] = [[] for _ in self.grown]
        self._power = [0.0 for _ in self.grown]

    @contextmanager
    def listening(self, real_BT: torch.Tensor) -> Iterator[None]:
        """Keep what passes during a forward pass at the tokens where `real_BT` is true."""
        hooks = [
            grown.mlp.register_forward_hook(partial(self._hear, number, real_BT))
            for number, grown in enumerate(self.grown)
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _hear(self, number: int, real_BT: torch.Tensor, _: Any, given: tuple[torch.Tensor], said: torch.Tensor) -> None:
        self._pieces[number].append(given[0][real_BT])
        self._power[number] += float(said[real_BT].float().square().sum())

    def close(self) -> Overheard:
        """Put together what was heard."""
        self.inputs = [torch.cat(pieces) for pieces in self._pieces]
        self._pieces = [[] for _ in self.grown]
        return self

    @classmethod
    def joined(cls, network: Any, parts: Sequence[Overheard]) -> Overheard:
        """All that was heard on several occasions."""
        whole = cls(network)
        for number in range(len(whole.grown)):
            whole._pieces[number] = [part.inputs[number] for part in parts]
            whole._power[number] = sum(part._power[number] for part in parts)
        return whole.close()

    def loudness(self, count: int, seed: int) -> torch.Tensor:
        """Squared norm of what the new neurons say relative to what the old ones said, mean over the layers and over
        `count` of the tokens heard."""
        generator = torch.Generator().manual_seed(seed)
        tokens = len(self.inputs[0])
        chosen = torch.randint(0, tokens, (count,), generator=generator)
        total = torch.zeros(())
        for grown, inputs_ND, power in zip(self.grown, self.inputs, self._power, strict=True):
            new_ND = grown.new(inputs_ND[chosen.to(inputs_ND.device)]).float()
            total = total.to(new_ND.device) + new_ND.square().sum(-1).mean() * tokens / power
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
