"""Names of weights and a forward pass in, what was given to their linear layers during it out.

What a layer is given spans the directions in which its weight must not change if it is to go on saying the same (GPM,
2103.09762), and is the key of what it looks up (MEMIT, 2210.07229).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from everlearn.model.adapter import FIRST, SECOND

IN_AN_ADAPTED_LAYER = re.compile(r"\.(base_layer|lora_[AB]\.\w+)$")
"""How names of linear layers end that a layer of PEFT's holds: it computes with their weights, and calls none."""


def linear_weights(network: nn.Module, decoder: nn.Module) -> list[str]:
    """Names of the weights of all linear layers in a network's decoder: the head is none of them."""
    inside = set(decoder.modules())
    return [
        f"{name}.weight"
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear) and module in inside
    ]


def linear_inputs(network: nn.Module, names: Iterable[str], run: Callable[[], object]) -> dict[str, torch.Tensor]:
    """inputs_TD of each weight, called as in `linear_weights`, while a line of T tokens goes through the network."""
    layers = {name: IN_AN_ADAPTED_LAYER.sub("", name.removesuffix(".weight")) for name in names}
    given: dict[str, torch.Tensor] = {}
    with ExitStack() as listening:
        for layer in set(layers.values()):
            hook = network.get_submodule(layer).register_forward_pre_hook(partial(_keep, given, layer))
            listening.callback(hook.remove)
        run()
    return {name: _own(network, name, given[layer]) for name, layer in layers.items()}


def _keep(given: dict[str, torch.Tensor], layer: str, _: nn.Module, arguments: tuple[Any, ...]) -> None:
    given[layer] = arguments[0].flatten(0, -2)


def _own(network: nn.Module, name: str, inputs_TD: torch.Tensor) -> torch.Tensor:
    """What a weight itself is multiplied with: the second matrix of an adapter with what the first makes of it."""
    if SECOND not in name:
        return inputs_TD
    return functional.linear(inputs_TD, network.get_parameter(name.replace(SECOND, FIRST)))
