"""A network in, the same network with a LoRA adapter out (Hu et al. 2021, 2106.09685, by PEFT).

The adapter lies on every linear layer, or on the MLPs of the upper half of the layers only. MLPs are where facts are
looked up (Geva et al. 2012.14913; Meng et al. 2202.05262), and what the lower half makes of a question stays as it was:
a fact is then found by what a question means to the base rather than by the words that happened to be trained.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

from everlearn.errors import ModelError

WHERE = ("all", "upper")
"""Which linear layers may carry an adapter: all, or those in the MLPs of the upper half of the layers."""

ALPHA_PER_RANK = 2
"""LoRA's alpha is this times the rank, so that one learning rate fits all ranks (2106.09685, section 4.1)."""


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
        return not any(part in name for part in ("embed", "lm_head", "wte", "wpe"))
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
