"""A network in, the same network with slots beside the MLPs of three of its layers out; and which slots rows read.

A slot is a vector that is looked up, by a key that is a pair of two short keys: of n slots those nearest to a query are
found by comparing it with 2·√n short keys (Lample et al. 1907.05242; Berges et al. 2412.09764). What is read is added
to what the MLP says (2605.03229). All slots are empty at first, so that the network computes what it did. Keys and
queries never learn: a text reads the same slots for good.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from everlearn.errors import ModelError
from everlearn.model.chat import Row
from everlearn.model.linear_inputs import linear_inputs
from everlearn.model.packing import Packed, batches_by_size, pack

MARK = "slot_"
"""What the names of the new weights hold."""

VALUES = "slot_values"
"""How the names of those of them end that are trained."""

HEADS = 2
"""Queries that each token asks in each memory."""

READ = 8
"""Slots that each of them reads; there must be as many short keys."""

GAIN = 1024.0
"""What is read is multiplied by this. AdamW moves each number by about the learning rate in a step, and a token gets
about an eighth of each slot, few of which learn: without it they want rates a thousand times those of other weights."""

WIDEST = 256
"""Channels of a query, at most."""

FLAT = 1e-6
"""Variance, relative to the largest, below which a direction of the inputs tells nothing."""


class Found(NamedTuple):
    """What tokens look up: for each of H heads K slots."""

    slots_BTHK: torch.Tensor
    weights_BTHK: torch.Tensor
    """How much of each is read; those of a head add up to 1."""


class Reads(NamedTuple):
    """How often the S slots of a memory are read by some rows."""

    reads_S: torch.Tensor
    """By how many of their tokens and heads."""
    rows_S: torch.Tensor
    """By how many of the rows at all."""


class _Moments(NamedTuple):
    """Of inputs to a memory: how many, their sum, and that of their products."""

    tokens: int
    sum_D: torch.Tensor
    square_DD: torch.Tensor

    def covariance(self) -> torch.Tensor:
        """Of their channels, covariance_DD."""
        mean_D = self.sum_D / self.tokens
        return self.square_DD / self.tokens - mean_D.outer(mean_D)


class SlottedMLP(nn.Module):
    """An MLP with a memory beside it: keys, queries that do not learn, and slots that do."""

    def __init__(self, mlp: Any, hidden: int, slots: int, seed: int) -> None:
        super().__init__()
        weight = next(mlp.parameters())
        draw = torch.Generator().manual_seed(seed)
        width, side = query_width(hidden), math.isqrt(slots)

        def directions(*shape: int) -> nn.Parameter:
            drawn = torch.randn(shape, generator=draw)
            return nn.Parameter((drawn / drawn.norm(dim=-1, keepdim=True)).to(weight))

        self.mlp = mlp
        self.slot_queries = directions(HEADS * width, hidden)
        self.slot_offsets = nn.Parameter(weight.new_zeros(HEADS * width))
        self.slot_keys = directions(HEADS, 2, side, width // 2)
        self.slot_values = nn.Parameter(weight.new_zeros(slots, hidden))

    def forward(self, hidden_BTD: torch.Tensor) -> torch.Tensor:
        """What the MLP says plus what is read."""
        said: torch.Tensor = self.mlp(hidden_BTD) + self.read(self.look_up(hidden_BTD))
        return said

    def look_up(self, hidden_BTD: torch.Tensor) -> Found:
        """For each head the slots whose keys the query is nearest to: the best of all pairs are among the pairs of the
        best."""
        heads, _, side, half = self.slot_keys.shape
        query_BTHPC = functional.linear(hidden_BTD, self.slot_queries, self.slot_offsets).unflatten(
            -1, (heads, 2, half)
        )
        scores_BTHPS = torch.einsum("...hpc,hpsc->...hps", query_BTHPC.float(), self.slot_keys.float())
        best_BTHPK, key_BTHPK = scores_BTHPS.topk(READ, -1)
        pairs_BTHL = (best_BTHPK[..., 0, :, None] + best_BTHPK[..., 1, None, :]).flatten(-2)
        score_BTHK, pair_BTHK = pairs_BTHL.topk(READ, -1)
        first_BTHK = key_BTHPK[..., 0, :].gather(-1, pair_BTHK // READ)
        second_BTHK = key_BTHPK[..., 1, :].gather(-1, pair_BTHK % READ)
        return Found(first_BTHK * side + second_BTHK, score_BTHK.softmax(-1))

    def read(self, found: Found) -> torch.Tensor:
        """The sum of what is read; one head after the other, as all of their slots at once would take much memory."""
        weights_BTHK = found.weights_BTHK.to(self.slot_values.dtype)
        heads = zip(found.slots_BTHK.unbind(-2), weights_BTHK.unbind(-2), strict=True)
        read = [(weights[..., None, :] @ _Values.apply(slots, self.slot_values))[..., 0, :] for slots, weights in heads]
        return torch.stack(read).sum(0) * GAIN


class _Values(torch.autograd.Function):
    """The values of slots. A slot may be read thousands of times in a line: its gradients are summed in fp32."""

    @staticmethod
    def forward(ctx: Any, slots: torch.Tensor, values_SD: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(slots)
        ctx.shape, ctx.dtype = values_SD.shape, values_SD.dtype
        return functional.embedding(slots, values_SD)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: torch.Tensor) -> tuple[None, torch.Tensor]:
        (slots,) = ctx.saved_tensors
        sums_SD = torch.zeros(ctx.shape, dtype=torch.float32, device=slots.device)
        sums_SD.index_add_(0, slots.flatten(), given[0].float().flatten(0, -2))
        return None, sums_SD.to(ctx.dtype)


def add_slots(network: Any, slots: int) -> None:
    """Put so many slots beside the MLPs at a quarter, half and three quarters of the depth, in place.

    Raises:
        ModelError: its layers have no MLPs.
    """
    layers = getattr(network.get_decoder(), "layers", ())
    if not layers or not all(hasattr(layer, "mlp") for layer in layers):
        raise ModelError("this model has no MLPs that slots could lie beside", "train an adapter: --set weights=lora")
    hidden = network.get_input_embeddings().embedding_dim
    for depth in memory_layers(len(layers)):  # the seed is the depth: every process must draw the same
        layers[depth].mlp = SlottedMLP(layers[depth].mlp, hidden, slots, depth)


def memory_layers(layers: int) -> list[int]:
    """Which of so many layers get a memory."""
    return sorted({quarter * layers // 4 for quarter in (1, 2, 3)})


def query_width(hidden: int) -> int:
    """Channels of a query, both halves together."""
    return min(WIDEST, hidden // 3) // 2 * 2


def slots_size(hidden: int, layers: int, slots: int) -> int:
    """How many weights `add_slots` adds."""
    width = query_width(hidden)
    keys = HEADS * math.isqrt(slots) * width
    return len(memory_layers(layers)) * (slots * hidden + HEADS * width * (hidden + 1) + keys)


def are_empty(network: Any) -> bool:
    """Whether nothing was learnt in any slot yet."""
    return not any(bool(memory.slot_values.any()) for memory in _memories(network).values())


def reads(network: Any, rows: Sequence[Row], tokens: int, run: Callable[[Packed], object]) -> dict[str, Reads]:
    """For each memory, by the name of its values, how often the rows read its slots; about `tokens` tokens go through
    the network at a time. A row's last token, behind which nothing is said, reads nothing."""
    found: dict[str, Reads] = {}
    for batch, inputs in _inputs(network, rows, tokens, run):
        for path, memory in _memories(network).items():
            slots_TM = memory.look_up(inputs[path]).slots_BTHK.flatten(-2)
            name, slots = f"{path}.{VALUES}", len(memory.slot_values)
            for places in batch.places:
                own = torch.cat([slots_TM[place.at : place.at + place.stop - place.start] for place in places])
                counts_S = own.flatten().bincount(minlength=slots)
                old = found.get(name) or Reads(torch.zeros_like(counts_S), torch.zeros_like(counts_S))
                found[name] = Reads(old.reads_S + counts_S, old.rows_S + (counts_S > 0))
    return found


def spread(network: Any, rows: Sequence[Row], tokens: int, run: Callable[[Packed], object]) -> dict[str, torch.Tensor]:
    """Queries by which the tokens of such rows are spread over all slots, by the names of their masters.

    Hidden states lie along few directions, and by raw ones most tokens would read the same few slots. A query is what
    an input has in the principal directions of such inputs, each divided by its standard deviation, and turned at
    random, in another way for each head.
    """
    moments: dict[str, _Moments] = {}
    for batch, inputs in _inputs(network, rows, tokens, run):
        real_T = torch.zeros(batch.tokens, dtype=torch.bool)
        for place in (place for places in batch.places for place in places):
            real_T[place.at : place.at + place.stop - place.start] = True
        for path, inputs_TD in inputs.items():
            own_ND = inputs_TD[real_T.to(inputs_TD.device)].float()
            new = _Moments(len(own_ND), own_ND.sum(0), own_ND.T @ own_ND)
            old = moments.get(path)
            moments[path] = _Moments(*map(operator.add, old, new)) if old else new
    changed: dict[str, torch.Tensor] = {}
    for seed, (path, of) in enumerate(moments.items()):
        queries_QD = _whitened(of.covariance(), query_width(len(of.sum_D)), seed)
        changed[f"{path}.slot_queries"] = queries_QD
        changed[f"{path}.slot_offsets"] = -queries_QD.to(network.dtype).float() @ of.sum_D / of.tokens
    return changed


def _whitened(covariance_DD: torch.Tensor, width: int, seed: int) -> torch.Tensor:
    """queries_QD of all heads: turned by random rotations, the principal directions by their standard deviations."""
    draw = torch.Generator().manual_seed(seed)
    variances_D, directions_DD = torch.linalg.eigh(covariance_DD.double())
    variances_C = variances_D[-width:].clamp(min=FLAT * float(variances_D[-1]) or 1.0)
    principal_CD = (directions_DD[:, -width:] / variances_C.sqrt()).T
    turns = [torch.linalg.qr(torch.randn(width, width, generator=draw).double())[0] for _ in range(HEADS)]
    return torch.cat([turn.to(principal_CD) @ principal_CD for turn in turns]).float()


def _memories(network: Any) -> Mapping[str, SlottedMLP]:
    return {path: module for path, module in network.named_modules() if isinstance(module, SlottedMLP)}


def _inputs(
    network: Any, rows: Sequence[Row], tokens: int, run: Callable[[Packed], object]
) -> Iterator[tuple[Packed, dict[str, torch.Tensor]]]:
    """The rows in batches, and for each batch what every memory is given, by its path: inputs_TD."""
    for group in batches_by_size(rows, tokens):
        batch = pack([rows[index] for index in group])

        def forward(batch: Packed = batch) -> None:
            run(batch)

        yield batch, linear_inputs(network, _memories(network), forward)
