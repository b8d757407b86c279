"""A network in, the same network out with norms, gated MLPs and attention that pass over memory less often.

Modules of known kinds are replaced by ours with the same parameters under the same names; all others stay.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from everlearn.model.attention import Layout, packed_attention
from everlearn.model.kernels.gated import gated
from everlearn.model.kernels.norm import rms_norm
from everlearn.model.kernels.rotary import rotate


class Norm(nn.Module):
    """Root-mean-square normalisation."""

    def __init__(self, norm: Any) -> None:
        super().__init__()
        self.weight = norm.weight
        self.epsilon = norm.variance_epsilon

    def forward(self, hidden_BTD: torch.Tensor) -> torch.Tensor:
        """The normalised hidden states."""
        return rms_norm(hidden_BTD, self.weight, self.epsilon)


class GatedMLP(nn.Module):
    """An MLP whose neurons are gated by SiLU."""

    def __init__(self, mlp: Any) -> None:
        super().__init__()
        self.gate_proj, self.up_proj, self.down_proj = mlp.gate_proj, mlp.up_proj, mlp.down_proj
        self.act_fn = mlp.act_fn

    def forward(self, hidden_BTD: torch.Tensor) -> torch.Tensor:
        """What the neurons say."""
        said: torch.Tensor = self.down_proj(gated(self.gate_proj(hidden_BTD), self.up_proj(hidden_BTD)))
        return said


class Attention(nn.Module):
    """Attention with rotary positions: over a packed line where there is a `layout`, as transformers does it else."""

    def __init__(self, attention: Any) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj = attention.q_proj, attention.k_proj, attention.v_proj
        self.o_proj = attention.o_proj
        self.config = attention.config
        self.layer_idx = attention.layer_idx
        self.head_dim = attention.head_dim
        self.scaling = attention.scaling
        self.num_key_value_groups = attention.num_key_value_groups
        self.is_causal = True

    def forward(
        self,
        hidden_states: torch.Tensor,
        position_embeddings: tuple[torch.Tensor, torch.Tensor],
        attention_mask: torch.Tensor | None = None,
        past_key_values: Any = None,
        layout: Layout | None = None,
        **_: Any,
    ) -> tuple[torch.Tensor, None]:
        """Called by the decoder layer with hidden states BTD; returns attended ones."""
        shape = (*hidden_states.shape[:-1], -1, self.head_dim)
        query = rotate(self.q_proj(hidden_states).view(shape), *position_embeddings)
        key = rotate(self.k_proj(hidden_states).view(shape), *position_embeddings)
        value = self.v_proj(hidden_states).view(shape)
        if layout is not None:
            mixed = packed_attention(query[0], key[0], value[0], layout, self.scaling)[None]
        else:
            mixed = self._attend(query, key, value, attention_mask, past_key_values)
        return self.o_proj(mixed.flatten(-2)), None

    def _attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, past: Any
    ) -> torch.Tensor:
        from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

        query, key, value = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)
        if past is not None:
            key, value = past.update(key, value, self.layer_idx)
        attend = ALL_ATTENTION_FUNCTIONS[self.config._attn_implementation]
        mixed: torch.Tensor = attend(self, query, key, value, mask, scaling=self.scaling)[0]
        return mixed


KINDS: dict[str, type[nn.Module]] = {
    **dict.fromkeys(("LlamaRMSNorm", "MistralRMSNorm", "Qwen2RMSNorm", "Qwen3RMSNorm"), Norm),
    **dict.fromkeys(("LlamaMLP", "MistralMLP", "Qwen2MLP", "Qwen3MLP"), GatedMLP),
    **dict.fromkeys(("LlamaAttention", "Qwen2Attention"), Attention),
}
"""What each module of transformers that computes one of ours is replaced by."""


def fuse(network: Any) -> None:
    """Replace what can be, in place."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            kind = KINDS.get(type(child).__name__)
            if kind is GatedMLP and "SiLU" not in type(child.act_fn).__name__:
                kind = None
            if kind:
                setattr(module, name, kind(child))
