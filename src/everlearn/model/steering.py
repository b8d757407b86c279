"""A layer and what is made of its outputs in, a network that goes on from that out, for as long as it is asked for.

What the output would have to be for a model to say something else is what editing solves for (ROME, 2202.05262).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

Steer = Callable[[torch.Tensor], torch.Tensor]
"""From a layer's outputs_TD, one for each token of a line, what the next layer is given."""


@contextmanager
def steered(network: nn.Module, layer: str, steer: Steer) -> Iterator[None]:
    """Have what comes out of the layer of this name changed, while no weight gets a gradient."""

    def hook(_: nn.Module, __: Any, outputs: Any) -> Any:
        if isinstance(outputs, tuple):
            return (steer(outputs[0].flatten(0, -2)).view_as(outputs[0]), *outputs[1:])
        return steer(outputs.flatten(0, -2)).view_as(outputs)

    changing = [weight for weight in network.parameters() if weight.requires_grad]
    registered = network.get_submodule(layer).register_forward_hook(hook)
    try:
        for weight in changing:
            weight.requires_grad_(False)
        yield
    finally:
        registered.remove()
        for weight in changing:
            weight.requires_grad_(True)
