"""OSFT's gradients, and the change of the matrix after a step along them, for matrices of three shapes beside PEFT's
OSF. PEFT trains the factors U, S and V of the part that may change, ours the matrix itself: compared are the gradients
that the factors get from our projected gradient of the matrix, and what is left of PEFT's change of the matrix after
our projection, which should be all. Not compared: many steps of AdamW, which moves factors otherwise than matrices.
"""

from __future__ import annotations

import torch
from torch import nn

TITLE = "OSFT's gradients and changes, PEFT"
PEER = ""
LIMIT = 1e-4

SHAPES = ((40, 24), (24, 40), (24, 24))
HELD = 18
"""Directions that do not change, of 24."""
RATE = 0.5


def layer(shape: tuple[int, int]) -> nn.Linear:
    """A linear layer, the same on both sides: they run where the same torch is installed."""
    torch.manual_seed(0)
    return nn.Linear(shape[1], shape[0], bias=False)


def learn(network: nn.Module, shape: tuple[int, int]) -> None:
    """Gradients of a loss of what the network says."""
    drawn = torch.Generator().manual_seed(1)
    inputs, wanted = (torch.randn(64, size, generator=drawn) for size in reversed(shape))
    (network(inputs) - wanted).square().mean().backward()


def ours() -> dict[str, torch.Tensor]:
    """The matrix's gradient within what may change, handed on to the factors; a step along it, within the same."""
    from everlearn.methods.osft import weakest, within

    found = {}
    for shape in SHAPES:
        plain = layer(shape)
        learn(plain, shape)
        free = weakest(plain.weight.detach(), 1 - HELD / min(shape))
        gradient = within(plain.weight.grad, free)
        left, values, right = torch.linalg.svd(plain.weight.detach(), full_matrices=False)
        left, values, right = left[:, HELD:], values[HELD:], right[HELD:]
        of = {
            "U": gradient @ right.T * values,
            "S": (left.T @ gradient @ right.T).diagonal(),
            "V": values[:, None] * (left.T @ gradient),
        }
        moved = (left - RATE * of["U"]) * (values - RATE * of["S"]) @ (right - RATE * of["V"])
        of["change"] = within(moved - left * values @ right, free)
        found |= {f"{name} of {shape[0]}x{shape[1]}": each for name, each in of.items()}
    return found


def theirs(ours: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The gradients of PEFT's factors, and what a step of SGD makes of the matrix."""
    from peft import OSFConfig, get_peft_model

    found = {}
    for shape in SHAPES:
        network = get_peft_model(nn.Sequential(layer(shape)), OSFConfig(effective_rank=HELD, target_modules=["0"]))
        learn(network, shape)
        adapted = network.base_model.model[0]
        factors = adapted.osf_svd_params["default"]
        of = {name: factors[f"{name}_low"].grad.clone() for name in ("U", "S", "V")}
        torch.optim.SGD(factors.parameters(), lr=RATE).step()
        of["change"] = adapted.get_delta_weight("default").detach()
        found |= {f"{name} of {shape[0]}x{shape[1]}": each for name, each in of.items()}
    return found
