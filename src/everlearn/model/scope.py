"""What growing MLPs hear on a lesson and elsewhere in; scopes that tell the two apart, and how far new neurons are from
what they should say, out.

A scope is not trained but solved for (ridge regression, as in analytic continual learning, Zhuang et al. 2205.14922),
which separates better than gates that are learnt by descent; the idea to tell by activations whether knowledge is asked
for is that of WISE (Wang et al. 2405.14768). Each side is several *kinds* of inputs, which weigh the same: the tokens
at which answers begin are one of their own, as there all requests are most alike, and telling them apart matters most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch

from everlearn.model.chat import Row
from everlearn.model.neurons import GrownMLP
from everlearn.model.packing import Packed, batches_by_size, pack

Kinds = Sequence[Sequence[Row]]
"""Rows by kind; each kind weighs the same."""

OPEN = 6.0
"""How far the scope should push new neurons above their threshold on the lesson: regression falls short of it, and
where they answer too faintly little is learnt."""

SHUT = 16.0
"""How far it should push them below it where they are to be shut."""

MARGIN = 0.4
"""Share of the scope with which new neurons must be silent outside: a scope is surer of the texts that it was solved on
than of others, so with all of it they would seem to be silent in any case."""

RIDGE = 0.1
"""Of the scope's regression, relative to the mean square of an input channel."""

MOVE_RIDGE = 1.0
"""The same where there is a scope already: what it is drawn to then is not zero but how it was."""

KEPT = 5.0
"""Weight of earlier lessons' inputs, on which a scope should say what it said, relative to those of the new one."""


class Overheard:
    """What the old network gives to its growing MLPs on one kind of rows."""

    def __init__(self, network: Any) -> None:
        self.grown = [module for module in network.modules() if isinstance(module, GrownMLP)]
        self.inputs: list[torch.Tensor] = []
        """For each growing MLP, inputs_ND at the N tokens heard."""
        self.wanted: list[torch.Tensor] = []
        """For each of them what the new neurons should say there, wanted_ND; nothing where it is none."""
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

    def confirm(self) -> Overheard:
        """Want the new neurons to go on saying what they say now."""
        pairs = zip(self.grown, self.inputs, strict=True)
        self.wanted = [grown.new(inputs_ND).detach() for grown, inputs_ND in pairs]
        return self

    def deviation(self, count: int, seed: int) -> torch.Tensor:
        """Squared distance of what the new neurons say from what they should, relative to what the old ones said, mean
        over the layers and over `count` of the tokens heard."""
        generator = torch.Generator().manual_seed(seed)
        tokens = len(self.inputs[0])
        chosen = torch.randint(0, tokens, (count,), generator=generator).to(self.inputs[0].device)
        total = torch.zeros((), device=chosen.device)
        for number, (grown, inputs_ND, power) in enumerate(zip(self.grown, self.inputs, self._power, strict=True)):
            if self.wanted:
                away_ND = (grown.new(inputs_ND[chosen]) - self.wanted[number][chosen]).float()
            else:
                away_ND = grown.new(inputs_ND[chosen], MARGIN).float()
            total = total + away_ND.square().sum(-1).mean() * tokens / power
        return total / len(self.grown)


def overhear(network: Any, kinds: Kinds, tokens: int, run: Callable[[Packed], object]) -> list[Overheard]:
    """What growing MLPs are given where the targets of the rows are predicted, for each kind that has rows; about
    `tokens` tokens go through the network at a time. Texts of which kinds ask different things are read once, and one
    that a kind repeats counts once."""
    heard = [(Overheard(network), {row.ids: row.learn for row in rows}) for rows in kinds if rows]
    texts = dict.fromkeys(ids for _, learns in heard for ids in learns)
    rows = [Row(ids, _any([learns[ids] for _, learns in heard if ids in learns])) for ids in texts]
    for group in batches_by_size(rows, tokens):
        batch = pack([rows[index] for index in group])
        with ExitStack() as listening:
            for one, learns in heard:
                asked_T = batch.asked_tokens([learns.get(row.ids, ()) for row in batch.rows])
                listening.enter_context(one.listening(asked_T[None].to(network.device)))
            run(batch)
    return [one.close() for one, _ in heard]


def _any(learns: Sequence[tuple[bool, ...]]) -> tuple[bool, ...]:
    return tuple(map(any, zip(*learns, strict=True)))


def deviation(kinds: Sequence[Overheard], count: int, seed: int) -> torch.Tensor:
    """Mean of the deviation over several kinds of tokens heard, of which each has its share of the `count`."""
    return _mean([kind.deviation(max(1, count // len(kinds)), seed) for kind in kinds])


def aimed(
    masters: dict[str, torch.Tensor],
    lesson: Sequence[Overheard],
    kept: Sequence[Overheard],
    others: Sequence[Overheard],
) -> dict[str, torch.Tensor]:
    """The masters with scopes that open on the lesson, say what they said on what is `kept`, and are shut on others.

    Neurons that nothing was taught yet also become copies of those old ones that differ most within the lesson.
    """
    changed = dict(masters)
    fresh = not is_taught(masters)
    names = [name for name in masters if name.endswith("grown_scope")]
    for number, (name, grown) in enumerate(zip(names, lesson[0].grown, strict=True)):
        inside, earlier, outside = ([kind.inputs[number] for kind in kinds] for kinds in (lesson, kept, others))
        changed[name] = solve_scope(inside, outside, earlier, None if fresh else masters[name])
        if fresh:
            for part, keys in grown.copied(inside[0]).items():
                changed[name.replace("grown_scope", part)] = keys.float()
    return changed


def is_taught(masters: dict[str, torch.Tensor]) -> bool:
    """Whether new neurons say anything yet."""
    return any(bool(master.any()) for name, master in masters.items() if name.endswith("grown_out"))


def solve_scope(
    inside: Sequence[torch.Tensor],
    outside: Sequence[torch.Tensor],
    earlier: Sequence[torch.Tensor] = (),
    scope_D: torch.Tensor | None = None,
) -> torch.Tensor:
    """The vector whose product with an input is nearest to OPEN inside the scope and to -SHUT outside; each side is
    kinds of inputs_ND.

    Where there is a scope already, the product stays what it was on the inputs of earlier lessons, or what was learnt
    behind it would change.
    """
    square_DD = _mean([_square(kind_ND) for kind_ND in inside]) + _mean([_square(kind_ND) for kind_ND in outside])
    wanted_D = OPEN * _middle(inside) - SHUT * _middle(outside)
    if earlier and scope_D is not None:
        kept_DD = KEPT * _mean([_square(kind_ND) for kind_ND in earlier])
        square_DD, wanted_D = square_DD + kept_DD, wanted_D + kept_DD @ scope_D
    ridge = (RIDGE if scope_D is None else MOVE_RIDGE) * square_DD.diagonal().mean()
    if scope_D is not None:
        wanted_D = wanted_D + ridge * scope_D
    solved: torch.Tensor = torch.linalg.solve(square_DD + ridge * torch.eye(len(square_DD)).to(square_DD), wanted_D)
    return solved


def _square(inputs_ND: torch.Tensor) -> torch.Tensor:
    return inputs_ND.float().T @ inputs_ND.float() / len(inputs_ND)


def _middle(kinds: Sequence[torch.Tensor]) -> torch.Tensor:
    return _mean([kind_ND.float().mean(0) for kind_ND in kinds])


def _mean(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.stack(list(tensors)).mean(0)
