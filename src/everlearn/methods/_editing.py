"""Examples in, MLPs whose output at the end of each prompt makes the model answer as taught out, in closed form.

What `memit` and `alphaedit` have in common; no method by itself. An MLP's last matrix W is a memory (Geva et al.
2012.14913): it answers a key k, what its neurons say at a token, with a value W k. First the state is sought in which
the model would answer, with all weights as they are; then W is changed so that it brings the state about. The loop is a
method's own, as it moves states, not weights.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch

from everlearn.errors import ModelError, SettingsError
from everlearn.methods.contract import Memory, Method
from everlearn.model.adaptation import Adaptation
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.model.packing import Packed, batches_by_size, pack
from everlearn.records import Example
from everlearn.train.anchors import write_anchors
from everlearn.train.input_squares import squares, targets_of
from everlearn.train.run import Progress, Run

TOKENS = 2048
"""Tokens of rows whose states are sought at a time."""

IN_AN_MLP = re.compile(r"^(.*\.(\d+))\.mlp\.")
"""How the names of weights of a layer's MLP begin: with the layer's own name."""

Squares = dict[str, torch.Tensor]
"""By matrix, the mean of k kᵀ over keys k."""


class Seen(NamedTuple):
    """What a matrix is given and the last edited layer says at the end of each prompt."""

    keys_ED: torch.Tensor
    states_EH: torch.Tensor


@dataclass(frozen=True)
class Editing(Method):
    """Edits of MLPs by least squares. Texts, which have no prompt, are not learnt."""

    family: ClassVar[str] = "editing"
    cost: ClassVar[str] = "about as many passes as steps, half of them backward through the upper layers"

    place: ClassVar[str] = ""
    """Where in the memory it is what is kept of the keys in use."""

    layers: int = 2
    """how many layers are edited, one below the other"""
    depth: float = 0.75
    """where the last of them is, as a share of all layers"""
    steps: int = 25
    """steps in which the state is sought that makes the model give an answer"""
    learning_rate: float = 0.2
    """size of such a step, relative to the root mean square of the state"""
    reach: float = 1.5
    """how far the state may go, relative to its length"""
    belief: float = 0.0625
    """weight of the KL from what the model held likely before as an answer's first token"""
    anchors: int = 256
    """texts that the start model writes by itself, to know which keys are in use"""
    anchor_length: int = 48
    """tokens in each of these texts, at most"""

    def __post_init__(self) -> None:
        for name in ("layers", "depth", "steps", "learning_rate", "reach"):
            if getattr(self, name) <= 0:
                raise SettingsError(f"{name} is {getattr(self, name)}", f"{name} must be above zero")
        if self.depth > 1:
            raise SettingsError(f"depth is {self.depth}", "give a share of the layers, up to 1")
        if self.anchors < 8 or self.anchor_length < 8:
            raise SettingsError(
                f"anchors is {self.anchors}, anchor_length {self.anchor_length}", "both must be at least 8"
            )

    # --- what differs ---------------------------------------------------------------------------------

    def kept(self, squares: Squares) -> Memory:
        """What is remembered of the keys in use."""
        raise NotImplementedError

    def change(self, name: str, keys_ED: torch.Tensor, missing_EH: torch.Tensor, memory: Memory) -> torch.Tensor:
        """The change_HD of a matrix that adds what is missing at its keys; all in fp64."""
        raise NotImplementedError

    def edited(self, keys: Mapping[str, torch.Tensor], memory: Memory) -> Memory:
        """The memory once an edit is done, from its keys_ED by matrix, as they are then."""
        return memory

    # --- a stage --------------------------------------------------------------------------------------

    def learn(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Seek a state for each example, and write what is missing into one matrix after the other."""
        model.adapt(Adaptation("full"))
        run.meter.frozen_base = True
        rows = [model.chat.example(example) for example in examples if example.messages[0].role != "text"]
        if not rows:
            return memory
        names = self.matrices(model)
        if self.place not in memory:
            memory = memory | self.kept(run.checkpoints.tensors_once("keys", lambda: self._squares(model, names, run)))
        wanted_EH = self._wanted(model, rows, _layer(names[-1]), run)
        for number, name in enumerate(names):
            run.tell(Progress("editing", number, len(names)))
            seen = look(model, rows, name, _layer(names[-1]), run)
            missing_EH = (wanted_EH - seen.states_EH).double() / (len(names) - number)
            change_HD = self.change(name, seen.keys_ED.double(), missing_EH, memory)
            model.masters[name] = model.masters[name] + change_HD.float()
        return self.edited({name: look(model, rows, name, _layer(name), run).keys_ED for name in names}, memory)

    def matrices(self, model: LanguageModel) -> list[str]:
        """The last matrices of the MLPs that are edited, the lowest layer first.

        Raises:
            ModelError: the model has none.
        """
        found: dict[int, str] = {}
        for name in model.linear_weights():
            if layer := IN_AN_MLP.match(name):
                found[int(layer[2])] = name  # the last one of a layer stays
        if not found:
            raise ModelError("this model has no MLPs whose matrices could be edited", "take a method that trains")
        last = max(1, round(self.depth * len(found)))
        return [found[number] for number in sorted(found)[max(0, last - self.layers) : last]]

    def _squares(self, model: LanguageModel, names: Sequence[str], run: Run) -> Squares:
        """The mean square of the start model's keys on texts that it writes."""
        run.tell(Progress("writing texts", 0, self.anchors))
        now = model.snapshot()
        model.restore(model.start())
        written = write_anchors(model, self.anchors, self.anchor_length, run.seed)
        run.meter.read("generated", sum(row.targets for row in written.rows))
        everywhere = [Row(row.ids, (False, *[True] * (len(row.ids) - 1))) for row in written.rows]
        squares = mean_squares(model, everywhere, names, run)
        model.restore(now)
        return squares

    def _wanted(self, model: LanguageModel, rows: Sequence[Row], layer: str, run: Run) -> torch.Tensor:
        """For each row the state_EH at the end of its prompt, behind the layer, with which it would be answered."""
        found: dict[int, torch.Tensor] = {}
        for group in batches_by_size([_until_answer(row) for row in rows], TOKENS):
            run.tell(Progress("seeking states", len(found), len(rows)))
            states_EH = self._seek(model, [rows[index] for index in group], layer, run)
            found |= dict(zip(group, states_EH, strict=True))
        return torch.stack([found[index] for index in range(len(rows))])

    def _seek(self, model: LanguageModel, rows: Sequence[Row], layer: str, run: Run) -> torch.Tensor:
        """Adam on the states of all rows at once: each has its own loss, so none feels the others."""
        asked = Asked.of(rows, model.device)
        before_EH = look_at(model, asked, [], layer, run)[1]
        size_E1 = before_EH.square().mean(1, keepdim=True).sqrt()
        moved_EH = torch.zeros_like(before_EH, requires_grad=True)
        adam = torch.optim.Adam([moved_EH], lr=self.learning_rate)
        believed_EV: torch.Tensor | None = None

        def steer(states_TD: torch.Tensor) -> torch.Tensor:
            return states_TD.index_add(0, asked.end_E, (moved_EH * size_E1).to(states_TD.dtype))

        for _ in range(self.steps):
            with model.steered(layer, steer):
                logits_NV = model.logits(asked.batch)
            run.meter.learnt("new", asked.batch.tokens)
            says_EV = logits_NV[asked.first_E].float().log_softmax(-1)
            believed_EV = says_EV.detach() if believed_EV is None else believed_EV
            away = torch.nn.functional.kl_div(says_EV, believed_EV, log_target=True, reduction="sum")
            (moved_EH.grad,) = torch.autograd.grad(asked.surprise(logits_NV) + self.belief * away, moved_EH)
            adam.step()
            with torch.no_grad():  # a ball around where each state was
                moved_EH.renorm_(2, 0, self.reach * moved_EH.shape[1] ** 0.5)
        return before_EH + moved_EH.detach() * size_E1


@dataclass(frozen=True)
class Asked:
    """Rows on a line, whose prompts end at places of their own."""

    batch: Packed
    end_E: torch.Tensor
    """Where in the line each row's prompt ends."""
    first_E: torch.Tensor
    """Which prediction is that of each answer's first token."""
    share_N: torch.Tensor
    """Of each prediction in its row's loss, zero for what is not the answer's."""

    @classmethod
    def of(cls, rows: Sequence[Row], device: torch.device) -> Asked:
        """The last token of a prompt is predicted as well: rows have only in common what stands before that."""
        batch = pack([_until_answer(row) for row in rows])
        row_N = batch.row_N
        opens_N = torch.cat([torch.ones(1, dtype=torch.bool), row_N[1:] != row_N[:-1]])
        first_E = opens_N.nonzero()[:, 0] + 1
        share_N = torch.where(opens_N, 0.0, 1 / (row_N.bincount() - 1)[row_N])
        return cls(batch, batch.predict_N[first_E].to(device), first_E.to(device), share_N.to(device))

    def surprise(self, logits_NV: torch.Tensor) -> torch.Tensor:
        """The sum over rows of the mean nats of each answer's tokens."""
        targets_N = self.batch.targets_N.to(logits_NV.device)
        nll_N = torch.nn.functional.cross_entropy(logits_NV.float(), targets_N, reduction="none")
        return (self.share_N * nll_N).sum()


def look(model: LanguageModel, rows: Sequence[Row], name: str, layer: str, run: Run) -> Seen:
    """What a matrix is given, and a layer says, at the end of each row's prompt."""
    keys: dict[int, torch.Tensor] = {}
    states: dict[int, torch.Tensor] = {}
    for group in batches_by_size([_until_answer(row) for row in rows], TOKENS):
        asked = Asked.of([rows[index] for index in group], model.device)
        given, states_EH = look_at(model, asked, [name], layer, run)
        keys |= dict(zip(group, given[name][asked.end_E].float(), strict=True))
        states |= dict(zip(group, states_EH, strict=True))
    order = range(len(rows))
    return Seen(torch.stack([keys[index] for index in order]), torch.stack([states[index] for index in order]))


def look_at(
    model: LanguageModel, asked: Asked, names: Sequence[str], layer: str, run: Run
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """inputs_TD of some matrices on a line, and states_EH behind a layer at the ends of its prompts."""
    said: list[torch.Tensor] = []

    def listen(states_TD: torch.Tensor) -> torch.Tensor:
        said.append(states_TD[asked.end_E].float())
        return states_TD

    with model.steered(layer, listen):
        given = model.linear_inputs(asked.batch, names)
    run.meter.read("study", asked.batch.tokens)
    return given, said[0]


def mean_squares(model: LanguageModel, rows: Sequence[Row], names: Sequence[str], run: Run) -> Squares:
    """E[k kᵀ] of what each matrix is given where the rows' targets are predicted."""
    total = squares(model, rows, names, targets_of, run.meter)
    return {name: (square_DD / total.tokens).cpu() for name, square_DD in total.sums.items()}


def _layer(name: str) -> str:
    """The layer that a matrix of an MLP is in."""
    found = IN_AN_MLP.match(name)
    assert found
    return found[1]


def _until_answer(row: Row) -> Row:
    """The row with the last token of its prompt learnt too, and nothing of its prompt before that."""
    end = len(row.prompt) - 1
    return Row(row.ids, tuple(learn or at == end for at, learn in enumerate(row.learn)))
