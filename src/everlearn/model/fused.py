"""A network in, the same network out with norms, gated MLPs and attention that pass over memory less often, and with
embeddings whose gradients add up.

Modules of known kinds are replaced by ours with the same parameters under the same names; all others stay.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable

from everlearn.model.attention import Layout, packed_attention
from everlearn.model.kernels.gated import gated, gated_linear
from everlearn.model.kernels.linear import linear
from everlearn.model.kernels.norm import rms_norm
from everlearn.model.kernels.rotary import rotate
from everlearn.model.prefix import beside


class Embedding(nn.Embedding):
    """A table whose rows are looked up. A token may stand in a line thousands of times, and gradients added one by one
    to a bf16 sum are lost when it is 256 times as large as they are: each token's are summed in fp32 first."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """The embeddings of some tokens."""
        found: torch.Tensor = _Lookup.apply(input, self.weight, self.padding_idx)
        return found


class _Lookup(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, ids: torch.Tensor, weight: torch.Tensor, padding: int | None) -> torch.Tensor:
        ctx.save_for_backward(ids)
        ctx.tokens, ctx.dtype, ctx.padding = len(weight), weight.dtype, padding
        return nn.functional.embedding(ids, weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: torch.Tensor) -> tuple[None, torch.Tensor, None]:
        (ids,) = ctx.saved_tensors
        if ids.is_cuda:  # to know which tokens there are, Python would wait for the GPU
            padding = -1 if ctx.padding is None else ctx.padding
            sums_VD = torch.ops.aten.embedding_dense_backward(given[0].float(), ids, ctx.tokens, padding, False)
            return None, sums_VD.to(ctx.dtype), None
        once_U, which = ids.unique(return_inverse=True)
        sums_UD = torch.ops.aten.embedding_dense_backward(given[0].float(), which, len(once_U), -1, False)
        if ctx.padding is not None:  # as in torch, this token learns nothing by being looked up
            sums_UD[once_U == ctx.padding] = 0
        # where the table is the head too, autograd adds these few rows to the head's gradient in place
        shape = ctx.tokens, sums_UD.shape[1]
        return (
            None,
            torch.sparse_coo_tensor(
                once_U[None], sums_UD.to(ctx.dtype), shape, is_coalesced=True, check_invariants=False
            ),
            None,
        )


class Linear(nn.Linear):
    """A linear layer in fewer and faster passes, forward and backward."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """The layer's outputs."""
        return linear(input, self.weight, self.bias)


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
        gate, up = self.gate_proj(hidden_BTD), self.up_proj(hidden_BTD)
        down = self.down_proj  # an adapter's layer does more, and a hook wants the layer to be called
        if type(down) is Linear and down.bias is None and not down._forward_pre_hooks:
            return gated_linear(gate, up, down.weight)
        said: torch.Tensor = down(gated(gate, up))
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
            keys, values = beside(self, key[0], value[0])
            mixed = packed_attention(query[0], keys, values, layout, self.scaling)[None]
        else:
            mixed = self._attend(query, key, value, attention_mask, past_key_values)
        return self.o_proj(mixed.flatten(-2)), None

    def _attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, past: Any
    ) -> torch.Tensor:
        from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
        from transformers.models.llama.modeling_llama import eager_attention_forward

        query, key, value = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)
        if past is not None:
            key, value = past.update(key, value, self.layer_idx)
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(self.config._attn_implementation, eager_attention_forward)
        mixed: torch.Tensor = attend(self, query, key, value, mask, scaling=self.scaling)[0]
        return mixed


KINDS: dict[str, type[nn.Module]] = {
    **dict.fromkeys(("LlamaRMSNorm", "MistralRMSNorm", "Qwen2RMSNorm", "Qwen3RMSNorm"), Norm),
    **dict.fromkeys(("LlamaMLP", "MistralMLP", "Qwen2MLP", "Qwen3MLP"), GatedMLP),
    **dict.fromkeys(("LlamaAttention", "Qwen2Attention"), Attention),
}
"""What each module of transformers that computes one of ours is replaced by."""


SAME: dict[type[nn.Module], type[nn.Module]] = {nn.Embedding: Embedding, nn.Linear: Linear}
"""Modules of torch that are the same but for how their gradients are computed."""


def fuse(network: Any) -> None:
    """Replace what can be, in place."""
    for module in list(network.modules()):
        if (same := SAME.get(type(module))) and not _unusual(module):
            module.__class__ = same
        for name, child in module.named_children():
            kind = KINDS.get(type(child).__name__)
            if kind is GatedMLP and "SiLU" not in type(child.act_fn).__name__:
                kind = None
            if kind:
                setattr(module, name, kind(child))


def _unusual(module: nn.Module) -> bool:
    """Whether it is a table that changes its rows, or weighs their gradients, when they are looked up."""
    return isinstance(module, nn.Embedding) and (module.max_norm is not None or module.scale_grad_by_freq)
