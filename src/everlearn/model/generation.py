"""Prompts in, greedy or sampled continuations out, many at once.

What all prompts share is computed once; rows that have finished leave the batch. A continuation may follow a script,
which puts some tokens into the model's mouth and lets it choose the others.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

import torch

from everlearn.model.kernels.logits import most_likely
from everlearn.model.prefix import Heads, prefixes, standing
from everlearn.model.shared_cache import SharedCache, choose_shared_attention

WORTH_COPYING = 0.7
"""Share of the rows of a batch at which those that have finished are dropped from it."""


class Reply(NamedTuple):
    """A generated continuation."""

    ids: tuple[int, ...]
    """Without the token that ended it."""
    end: int | None
    """The token that ended it; None where it reached the limit."""

    @property
    def finished(self) -> bool:
        """Whether it ended by itself, within the limit."""
        return self.end is not None


Script = Generator[int | float, int, None]
"""What one row does next: yields a token that is said, or a temperature at which the model chooses one (0 is greedy);
is sent the token that was added."""


@torch.inference_mode()
def scripted(
    network: Any, start: Sequence[int], scripts: Sequence[Script], generator: torch.Generator
) -> list[tuple[int, ...]]:
    """What each script added to the same `start`. A script yields at least once."""
    written: list[list[int]] = [[] for _ in scripts]
    alive = list(range(len(scripts)))
    asked = [next(script) for script in scripts]
    state = _Decoding(network, [start] * len(scripts))
    while True:
        temperatures_B = torch.tensor([ask if isinstance(ask, float) else 0.0 for ask in asked], device=state.device)
        chosen = _choose_each(state.logits(), temperatures_B, generator).tolist()
        added = [ask if isinstance(ask, int) else token for ask, token in zip(asked, chosen, strict=True)]
        keep, asked = [], []
        for place, (owner, token) in enumerate(zip(alive, added, strict=True)):
            written[owner].append(token)
            try:
                asked.append(scripts[owner].send(token))
                keep.append(place)
            except StopIteration:
                pass
        if not keep:
            return [tuple(ids) for ids in written]
        if len(keep) < len(alive):
            alive = [alive[place] for place in keep]
            state.select(keep)
        state.advance([written[owner][-1] for owner in alive])


@torch.inference_mode()
def continuations(
    network: Any,
    prompts: Sequence[Sequence[int]],
    limit: int,
    ends: set[int],
    temperature: float,
    generator: torch.Generator,
) -> list[Reply]:
    """Continue each prompt by at most `limit` tokens or up to a token in `ends`; greedy at temperature 0."""
    written: list[list[int]] = [[] for _ in prompts]
    ended: list[int | None] = [None] * len(prompts)
    alive = list(range(len(prompts)))
    state = _Decoding(network, prompts)
    for _ in range(limit):
        tokens = _choose(state.logits(), temperature, generator).tolist()
        keep = []
        for place, (owner, token) in enumerate(zip(alive, tokens, strict=True)):
            if token in ends:
                ended[owner] = token
            else:
                written[owner].append(token)
                keep.append(place)
        if not keep:
            break
        if len(keep) < len(alive):
            alive = [alive[place] for place in keep]
            state.select(keep)
        state.advance([written[owner][-1] for owner in alive])
    return [Reply(tuple(ids), end) for ids, end in zip(written, ended, strict=True)]


@torch.no_grad()
def heads_of(network: Any, ids: Sequence[int]) -> dict[int, Heads]:
    """What the tokens of a text leave in each layer, by its number: their keys and values."""
    cache = _Decoding(network, [(*ids, ids[-1])]).cache  # a start that is shared is one that something follows
    starts = {layer: kept.prefix for layer, kept in cache.layers.items()}
    return {layer: Heads(*(each.transpose(0, 1).clone() for each in start)) for layer, start in starts.items() if start}


class _Decoding:
    """The keys, values and next logits of a batch of rows being continued."""

    def __init__(self, network: Any, prompts: Sequence[Sequence[int]]) -> None:
        self.network = network
        self.device = next(network.parameters()).device
        self.cache = SharedCache()
        self.alive = list(range(len(prompts)))
        choose_shared_attention(network)
        found = prefixes(network)
        self.begin = standing(found)
        """The position of each row's first token."""
        for prefix in found if self.begin else ():
            heads = prefix.heads()
            assert heads is not None
            self.cache.stand(prefix.layer, heads)
        shared = shared_prefix(prompts)
        if shared:
            self._read(torch.tensor([prompts[0][:shared]]), torch.zeros(1, dtype=torch.long), shared)
        self.cache.shared = True
        self.width = max(len(prompt) for prompt in prompts) - shared
        ids_BT = torch.zeros(len(prompts), self.width, dtype=torch.long)
        padding = [self.width - len(prompt) + shared for prompt in prompts]
        for number, prompt in enumerate(prompts):
            ids_BT[number, padding[number] :] = torch.tensor(prompt[shared:])
        self.padding_B = torch.tensor(padding)
        self.cache.padding_B = torch.tensor(padding, dtype=torch.int32, device=self.device)
        self.shared = shared
        self._forward(ids_BT)

    def logits(self) -> torch.Tensor:
        """Logits_BV of the next token of each row that is left."""
        return self._logits_BV if len(self.alive) == len(self._logits_BV) else self._logits_BV[self.alive]

    def advance(self, tokens: list[int]) -> None:
        """Append one token to each row that is left."""
        ids_BT = torch.zeros(len(self.padding_B), 1, dtype=torch.long)
        ids_BT[self.alive, 0] = torch.tensor(tokens)
        self.width += 1
        self._forward(ids_BT)

    def select(self, places: list[int]) -> None:
        """Keep only some rows. The others are dropped once they are enough to be worth copying what is kept."""
        self.alive = [self.alive[place] for place in places]
        if len(self.alive) <= WORTH_COPYING * len(self.padding_B):
            self.cache.select(torch.tensor(self.alive, device=self.device))
            self.padding_B = self.padding_B[self.alive]
            self.alive = list(range(len(self.alive)))

    def _forward(self, ids_BT: torch.Tensor) -> None:
        self._logits_BV = self._read(ids_BT, self.padding_B, self.width)

    def _read(self, ids_BT: torch.Tensor, padding_B: torch.Tensor, width: int) -> torch.Tensor:
        """Logits behind the last of the new tokens; rows have `width` tokens of their own then, padding included."""
        queries_T = torch.arange(width - ids_BT.shape[1], width)
        keys_S = torch.arange(width)
        seen_BTS = (keys_S <= queries_T[:, None]) & (keys_S >= padding_B[:, None, None])
        seen_BTS |= keys_S == queries_T[:, None]  # padding sees itself, or its softmax would have nothing to share out
        bias_BTS = torch.zeros(seen_BTS.shape, dtype=self.network.dtype)
        bias_BTS.masked_fill_(~seen_BTS, torch.finfo(self.network.dtype).min)
        behind = self.begin + (self.shared if self.cache.shared else 0)
        positions_BT = (queries_T - padding_B[:, None]).clamp(min=0) + behind
        logits_BV: torch.Tensor = self.network(
            input_ids=ids_BT.to(self.device),
            attention_mask=bias_BTS[:, None].to(self.device),
            position_ids=positions_BT.to(self.device),
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        return logits_BV


def _choose(logits_BV: torch.Tensor, temperature: float, generator: torch.Generator) -> torch.Tensor:
    if temperature == 0:
        return most_likely(logits_BV)
    # by the inverse of the distribution function: one random number a row, where multinomial draws one a token
    heights_BV = torch.softmax(logits_BV.float() / temperature, -1).cumsum(-1)
    drawn_B1 = torch.rand(len(logits_BV), 1, generator=generator, device=logits_BV.device)
    chosen_B: torch.Tensor = torch.searchsorted(heights_BV, drawn_B1 * heights_BV[:, -1:], right=True)[:, 0]
    return chosen_B.clamp(max=logits_BV.shape[1] - 1)


def _choose_each(logits_BV: torch.Tensor, temperatures_B: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A token a row; greedy where the temperature is 0."""
    chosen_B = most_likely(logits_BV)
    warm_B = temperatures_B > 0
    if warm_B.any():
        logits_WV = logits_BV[warm_B].float() / temperatures_B[warm_B, None]
        chosen_B[warm_B] = _choose(logits_WV, 1.0, generator)
    return chosen_B


def shared_prefix(prompts: Sequence[Sequence[int]]) -> int:
    """Length of the longest common start that leaves each prompt at least one token."""
    shortest = min(len(prompt) for prompt in prompts) - 1
    for position in range(shortest):
        if any(prompt[position] != prompts[0][position] for prompt in prompts):
            return position
    return shortest
