"""A network in, the same network with a LoRA adapter out (Hu et al. 2021, 2106.09685, by PEFT).

The adapter lies on every linear layer, or on the MLPs of the upper half of the layers only. MLPs are where facts are
looked up (Geva et al. 2012.14913; Meng et al. 2202.05262), and what the lower half makes of a question stays as it was:
a fact is then found by what a question means to the base rather than by the words that happened to be trained.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from everlearn.errors import ModelError
from everlearn.model.layers import is_table

if TYPE_CHECKING:
    import torch

WHERE = ("all", "upper")
"""Which linear layers may carry an adapter: all, or those in the MLPs of the upper half of the layers."""

ALPHA_PER_RANK = 2
"""LoRA's alpha is this times the rank, so that one learning rate fits all ranks (2106.09685, section 4.1). What an
adapter says is so scaled by this alone, and does not change with more rows."""

FIRST, SECOND = "lora_A", "lora_B"
"""What the names of an adapter's matrices A, whose rows are directions of the input, and B hold."""


def add_adapter(network: Any, rank: int, where: str = "all") -> Any:
    """The network wrapped by PEFT; its adapter starts as the identity and lies in the network's own dtype.

    Raises:
        ModelError: `where` is `upper`, and the network has no MLPs.
    """
    import torch
    from peft import get_peft_model

    from everlearn.model.low_rank import quicken

    with torch.random.fork_rng():
        torch.manual_seed(0)  # every process starts from the same adapter, or no run could be resumed
        adapted = get_peft_model(network, _config(network, rank, where), autocast_adapter_dtype=False)
    quicken(adapted)
    return adapted


def resize_adapter(network: Any, rank: int) -> None:
    """Give each layer's adapter matrices of another rank, in place; what they hold is whatever was there."""
    from peft.tuners.lora import LoraLayer
    from torch.nn import Parameter

    for config in network.peft_config.values():
        config.r, config.lora_alpha = rank, ALPHA_PER_RANK * rank
    layers: list[Any] = [module for module in network.modules() if isinstance(module, LoraLayer)]
    for layer in layers:
        for name in layer.lora_A:
            layer.r[name], layer.lora_alpha[name] = rank, ALPHA_PER_RANK * rank
            first, second = layer.lora_A[name], layer.lora_B[name]
            first.out_features = second.in_features = rank
            for linear in (first, second):
                old = linear.weight
                new = old.new_empty(linear.out_features, linear.in_features)
                linear.weight = Parameter(new, requires_grad=old.requires_grad)


def rank_of(adapter: Mapping[str, torch.Tensor]) -> int | None:
    """Rows of the first matrices; None where there are none."""
    return next((len(matrix) for name, matrix in adapter.items() if FIRST in name), None)


def part_of(adapter: Mapping[str, torch.Tensor], rows: slice) -> dict[str, torch.Tensor]:
    """The adapter of some rows of A alone, and the columns of B that belong to them."""
    return {name: matrix[rows] if FIRST in name else matrix[:, rows] for name, matrix in adapter.items()}


def side_by_side(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The adapter that says what the two say together."""
    import torch

    return {name: torch.cat([one[name], other[name]], 0 if FIRST in name else 1) for name in one}


def of_rank(adapter: Mapping[str, torch.Tensor], rank: int) -> dict[str, torch.Tensor]:
    """The adapter with so many rows: the first of those that it has, then fresh ones, which say nothing yet.

    These are drawn as PEFT draws them, from a seed that is the number of rows before them.
    """
    import torch

    now = rank_of(adapter)
    assert now is not None
    if rank <= now:
        return part_of(adapter, slice(rank))
    draw = torch.Generator().manual_seed(now)  # on the CPU, so that every device draws the same
    fresh = {}
    for name in sorted(adapter):
        rows, columns = adapter[name].shape
        if FIRST in name:
            drawn_RI = (2 * torch.rand(rank - now, columns, generator=draw) - 1) / math.sqrt(columns)
            fresh[name] = drawn_RI.to(adapter[name])
        else:
            fresh[name] = adapter[name].new_zeros(rows, rank - now)
    return side_by_side(adapter, fresh)


def save_adapter(network: Any, folder: Path) -> None:
    """Write the adapter as a directory that PEFT loads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the hub is not asked for the base's config
        network.save_pretrained(folder, safe_serialization=True)


def merged(network: Any) -> Any:
    """The plain network with the adapter added to its weights."""
    return network.merge_and_unload()


def carries_adapter(name: str, where: str, layers: int) -> bool:
    """Whether an adapter is put on the linear layer of this name, in a network of so many layers."""
    if where == "all":
        return not is_table(name)
    number = re.search(r"\.(\d+)\.mlp\.", name)
    return number is not None and int(number.group(1)) >= layers // 2


def _config(network: Any, rank: int, where: str) -> Any:
    from peft import LoraConfig

    return LoraConfig(
        r=rank, lora_alpha=ALPHA_PER_RANK * rank, target_modules=_targets(network, where), task_type="CAUSAL_LM"
    )


def _targets(network: Any, where: str) -> str | list[str]:
    if where == "all":
        return "all-linear"
    layers = network.config.num_hidden_layers
    matrices = [name.removesuffix(".weight") for name, weight in network.named_parameters() if weight.dim() == 2]
    chosen = [name for name in matrices if carries_adapter(name, where, layers)]
    if not chosen:
        raise ModelError(
            "this model has no MLPs of that name in its upper layers", "put the adapter on all of them: --set where=all"
        )
    return chosen
