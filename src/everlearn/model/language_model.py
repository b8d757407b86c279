"""A model directory in; logits at chosen positions, greedy or sampled texts, and changeable weights out.

The network computes with bf16 weights. What may change also exists as fp32 masters, which optimisers and averages work
on.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from everlearn.errors import ModelError
from everlearn.model import prefix, slots
from everlearn.model.adaptation import MARKS, TRAINED, Adaptation
from everlearn.model.adapter import SECOND, of_rank, rank_of, resize_adapter
from everlearn.model.allocation import keep_freed_memory
from everlearn.model.attention import Layout, Rows, attending_packed
from everlearn.model.cache import model_directory, weights_digest
from everlearn.model.chat import Chat, Row
from everlearn.model.forcing import Forced, forced
from everlearn.model.fused import fuse
from everlearn.model.generation import Reply, Script, continuations, heads_of, scripted, shared_prefix
from everlearn.model.graphs import Graphs, Line
from everlearn.model.linear_inputs import linear_inputs, linear_weights
from everlearn.model.masters import Masters
from everlearn.model.neurons import grow
from everlearn.model.packing import Packed, batches_by_size, pack
from everlearn.model.pooling import pooled
from everlearn.model.scope import Kinds, Overheard, aimed, deviation, is_taught, overhear
from everlearn.model.steering import Steer, steered
from everlearn.model.support import ensure_packable
from everlearn.model.tokenizer import usable_context
from everlearn.model.trunk import Trunk

SCORE_TOKENS = 8192
"""Tokens per forward pass when nothing is learnt."""

PREDICTIONS = 256
"""Predictions whose logits are there at the same time when nothing is learnt."""

GENERATE_ROWS = 192
"""Rows continued at the same time, at most."""

PROMPT_TOKENS = 8192
"""Tokens of prompts, padding included, that are read at the same time."""


Router = Callable[["LanguageModel", Sequence[Sequence[int]]], Iterator[list[int]]]
"""From prompts: groups of their numbers, each given out while the model is set for it; a generator, which puts the
model back at its end."""


class LanguageModel:
    """A causal language model, its chat format, and the weights that may change."""

    def __init__(self, network: Any, tokenizer: Any, name: str, digest: str) -> None:
        self.name = name
        self.digest = digest
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        # loaded in bf16 already; a cast here would round the rotary frequencies, which transformers keeps in fp32
        self.network = network.to(self.device).eval()
        fuse(self.network)
        keep_freed_memory()
        self.tokenizer = tokenizer
        self.context = usable_context(network.config)
        self.chat = Chat(tokenizer, self.context)
        self.adaptation = Adaptation()
        self.masters = Masters({})
        self._start: dict[str, torch.Tensor] = {}
        self._trunk: Trunk | None = None
        self._graphs = Graphs(self.parameters)
        self._outside: list[Overheard] = []
        self._kept: list[Overheard] = []
        self._router: Router | None = None
        self.tokens_read = 0
        """Tokens that `force`, `pooled` and `generate` have computed, forward only."""
        ensure_packable(self.network, self.logits)

    @classmethod
    def load(cls, name: str) -> LanguageModel:
        """The model called `name`: an alias, a directory, or a hub id.

        Raises:
            ModelError: it cannot be found, fetched, or loaded, or its texts cannot be packed.
        """
        from transformers import AutoTokenizer

        folder = model_directory(name)
        with ThreadPoolExecutor(1) as aside:  # hashing needs no interpreter, loading hardly anything else
            digest = aside.submit(weights_digest, Path(folder))
            try:
                network = _network(name)
                tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            except (OSError, ValueError) as error:
                raise ModelError(
                    f"could not load {name}: {str(error).splitlines()[0]}", "a transformers directory is needed"
                ) from None
        return cls(network, tokenizer, name, digest.result())

    @property
    def parameters(self) -> int:
        """How many weights a token passes, an adapter's included; of slots it reads a few, which do not count."""
        return sum(one.numel() for name, one in self.network.named_parameters() if not name.endswith(slots.VALUES))

    # --- what may change ------------------------------------------------------------------------------

    def adapt(self, adaptation: Adaptation) -> None:
        """Choose what may change and make fp32 masters of it; from here on the base stays as it is.

        Raises:
            ModelError: another adaptation has been chosen before.
        """
        if self.masters:
            if adaptation != self.adaptation:
                raise ModelError(
                    f"this lineage changes {self.adaptation}, not {adaptation}",
                    "start a branch at the base to change what is trained: everlearn branch NAME base",
                )
            return
        if adaptation.kind == "lora":
            from everlearn.model.adapter import add_adapter

            self.network = add_adapter(self.network, adaptation.size, adaptation.where)
        elif adaptation.kind == "neurons":
            grow(self.network, adaptation.size)
        elif adaptation.kind == "memory":
            slots.add_slots(self.network, adaptation.size)
        elif adaptation.kind == "cartridge":
            prefix.add_prefix(self.network, adaptation.size, heads_of(self.network, self.chat.first))
        self.adaptation = adaptation
        self.network.requires_grad_(adaptation.kind == "full")
        mark = MARKS[adaptation.kind]
        chosen = {name: weight for name, weight in self.network.named_parameters() if mark in name}
        for name, weight in chosen.items():
            weight.requires_grad_(name.endswith(TRAINED.get(adaptation.kind, "")))
        self.masters = Masters(chosen)
        if adaptation.kind == "neurons" or adaptation == ("lora", adaptation.size, "upper"):
            layers = self._decoder().layers
            self._trunk = Trunk(layers, len(layers) // 2)
        if adaptation.kind != "full":
            self._start = {name: weight.detach().clone() for name, weight in self.weights().items()}
        self._graphs = Graphs(self.parameters)

    def weights(self) -> dict[str, torch.nn.Parameter]:
        """The network's own bf16 parameters that have a master, by name."""
        return {name: weight for name, weight in self.network.named_parameters() if name in self.masters}

    def snapshot(self) -> dict[str, torch.Tensor]:
        """A copy of the masters."""
        return dict(self.masters)

    def restore(self, masters: Mapping[str, torch.Tensor]) -> None:
        """Set masters and network to a snapshot; an adapter takes its rank too."""
        rank = rank_of(masters)
        if rank is not None and rank != self.rank:
            self._take_rank(rank)
        self.masters.update(masters)

    @property
    def rank(self) -> int | None:
        """Of the adapter, as it is now: `resize` may have made it another one than the lineage began with. None where
        there is no adapter."""
        return rank_of({name: self.masters.weight(name) for name in self.masters})

    @property
    def taught_rank(self) -> int:
        """The same; 0 where the adapter says nothing yet."""
        seconds = [self.masters.weight(name) for name in self.masters if SECOND in name]
        return self.rank or 0 if any(bool(second.any()) for second in seconds) else 0

    def resize(self, rank: int) -> None:
        """Give the adapter so many rows: the first of those that it has, then fresh ones, which say nothing yet."""
        self.restore(of_rank(self.snapshot(), rank))

    def _take_rank(self, rank: int) -> None:
        """Make room for an adapter of a rank; optimisers and averages find its masters where they were."""
        with torch.inference_mode(False):  # or nothing could be learnt in what an exam has brought back
            resize_adapter(self.network, rank)
            self.masters.move_to(self.weights())
        self._graphs = Graphs(self.parameters)

    def start(self) -> dict[str, torch.Tensor]:
        """The masters as they were before anything was learnt, an adapter at its first rank; those of all weights are
        read again, not kept, unless a router serves."""
        start = self._start or dict(_network(self.name).named_parameters())
        return {name: start[name].detach().float().to(self.device) for name in self.masters}

    @contextmanager
    def as_started(self) -> Iterator[None]:
        """Have the weights be those before anything was learnt, for a while."""
        now = self.snapshot()
        try:
            self.restore(self.start())
            yield
        finally:
            self.restore(now)

    # --- which weights answer --------------------------------------------------------------------------

    def serve(self, router: Router | None) -> None:
        """From here on have `force` and `generate` use the weights that a router sets for each prompt; None: those that
        are there."""
        self._router = router
        if self.adaptation.kind == "full":  # a router asks for the start at every prompt, and training has no room
            self._start = dict(_network(self.name).named_parameters()) if router else {}

    def routes(self, prompts: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        """Numbers of the prompts that are answered together, the weights set for them while they are."""
        router, self._router = self._router, None  # what a router itself asks the model is not routed
        try:
            yield from router(self, prompts) if router else [list(range(len(prompts)))]
        finally:
            self._router = router

    @torch.no_grad()
    def read_cartridge(self, ids: Sequence[int]) -> dict[str, torch.Tensor]:
        """What as many tokens as a cartridge has leave in every layer, by the names of the masters. With these masters
        the model says what it says where the tokens stand in front of each row, behind the token that begins all."""
        found = prefix.prefixes(self.network)
        assert found and len(ids) == self.adaptation.size and not found[0].others
        with self.as_started():
            heads = heads_of(self.network, (*self.chat.first, *ids))
        pairs = ((name, each) for one in found for name, each in zip(one.names, heads[one.layer], strict=True))
        return {name: each[1:].float() for name, each in pairs}

    def stand_beside(self, others: Sequence[prefix.Cartridge]) -> None:
        """From here on have all rows also see these cartridges, besides the one whose masters are there."""
        prefix.stand(prefix.prefixes(self.network), others)

    # --- forward ---------------------------------------------------------------------------------------

    def logits(self, batch: Packed) -> torch.Tensor:
        """Logits_NV, in the network's own type, for the N predictions that a packed batch asks for; nothing else is
        computed."""
        chosen_ND = self._hidden(batch)[0, batch.predict_N.to(self.device)]
        logits: torch.Tensor = self.network.get_output_embeddings()(chosen_ND)
        return logits

    def logits_in_parts(self, batch: Packed) -> Iterator[torch.Tensor]:
        """The same, PREDICTIONS after PREDICTIONS of them: all at once would take much memory."""
        chosen_ND = self._hidden(batch)[0, batch.predict_N.to(self.device)]
        for hidden_PD in chosen_ND.split(PREDICTIONS):
            yield self.network.get_output_embeddings()(hidden_PD)

    def _hidden(self, batch: Packed) -> torch.Tensor:
        """Last hidden states_1TD of a batch, from halfway where these are remembered."""
        halfway_TD = self._trunk.states(batch) if self._trunk else None
        if self._trunk and halfway_TD is not None:
            return self._trunk.onwards(batch, halfway_TD, self._decode)
        return self._decode(batch)

    def _decode(self, batch: Packed, hidden_TD: torch.Tensor | None = None) -> torch.Tensor:
        """Last hidden states_1TD of a batch; with `hidden_TD` in the place of its embeddings."""
        halfway = hidden_TD is not None
        if hidden_TD is None:
            hidden_TD = self.network.get_input_embeddings()(batch.ids_T.to(self.device))
        before = prefix.standing(prefix.prefixes(self.network))
        positions_T = batch.positions_T.to(self.device) + before
        with attending_packed(self.network):
            if not before and self._graphs.fit(hidden_TD):
                line = Line(hidden_TD, positions_T, batch.until_T.to(self.device))
                return self._graphs.decode(self._decoder(), line, halfway)[None]
            last_1TD: torch.Tensor = self._decoder()(
                inputs_embeds=hidden_TD[None],
                position_ids=positions_T[None],
                use_cache=False,
                layout=self._layout(batch, hidden_TD),
            ).last_hidden_state
        return last_1TD

    def _layout(self, batch: Packed, hidden_TD: torch.Tensor) -> Layout:
        """Who sees whom, in the way that is fastest where the states are."""
        extra = prefix.seen(prefix.prefixes(self.network))
        if extra:
            return tuple(group.behind(batch.tokens, extra).to(self.device) for group in batch.layout)
        if batch.alone and Rows.can_attend(hidden_TD):
            return batch.alone.to(self.device)
        return tuple(group.to(self.device) for group in batch.layout)

    def linear_weights(self) -> list[str]:
        """Names of the masters that are weights of linear layers, the head excepted."""
        return [name for name in linear_weights(self.network, self._decoder()) if name in self.masters]

    @torch.no_grad()
    def linear_inputs(self, batch: Packed, names: Iterable[str]) -> dict[str, torch.Tensor]:
        """inputs_TD of linear layers at all tokens of a batch, those that fill its line up included; by the names of
        their weights, as in `linear_weights`. Layers that are given the same share a tensor."""
        return linear_inputs(self.network, names, lambda: self._decode(batch))

    @contextmanager
    def steered(self, layer: str, steer: Steer) -> Iterator[None]:
        """Have what comes out of a layer (called as its module) changed, while no weight gets a gradient."""
        recorded, self._graphs = self._graphs, Graphs(self.parameters, usable=False)  # what is recorded is not steered
        try:
            with steered(self.network, layer, steer):
                yield
        finally:
            self._graphs = recorded

    def remember(self, rows: Iterable[Row], lasting: bool = False) -> None:
        """Compute now what no training will change of these rows: the states halfway, if the lower half is frozen.

        `forget` frees them, unless they are `lasting`.
        """
        if self._trunk:
            width = self.network.get_input_embeddings().embedding_dim
            self._trunk.remember(list(rows), width, self._decode, lasting)

    @torch.no_grad()
    def aim(self, lesson: Kinds, earlier: Kinds, outside: Kinds) -> None:
        """Let new neurons answer where targets of the lesson's rows are predicted, go on saying what they say where
        those of `earlier` ones are, and be shut at those `outside`; each of the three is kinds of rows.

        The scope is solved for on what the start model makes of the lesson and of what is outside, and on what the
        model makes of earlier rows now. What is heard is kept for `loudness` and `drift`. Nothing happens where no
        neurons were grown, or nothing is to be learnt.
        """
        if self.adaptation.kind != "neurons" or not any(lesson):
            return
        now = self.snapshot()
        self.remember([row for kinds in (lesson, earlier, outside) for rows in kinds for row in rows])
        # before the start model takes over: what they said is to be heard, not what they would have said untaught
        self._kept = [heard.confirm() for heard in self._hear(earlier)] if is_taught(now) else []
        self.restore(self.start())
        self._outside = self._hear(outside)
        self.restore(aimed(now, self._hear(lesson), self._kept, self._outside))

    def _hear(self, kinds: Kinds) -> list[Overheard]:
        return overhear(self.network, kinds, SCORE_TOKENS, self._hidden)

    def loudness(self, count: int, seed: int) -> torch.Tensor | None:
        """How loud the new neurons are at `count` of the tokens overheard outside (see `aim`); None without any."""
        return deviation(self._outside, count, seed) if self._outside else None

    def drift(self, count: int, seed: int) -> torch.Tensor | None:
        """How far the new neurons are from what they said at `count` tokens of earlier lessons; None without any."""
        return deviation(self._kept, count, seed) if self._kept else None

    @torch.no_grad()
    def spread_queries(self, rows: Sequence[Row]) -> None:
        """Have rows like these read all slots about alike; nothing happens once something was learnt in a slot, as no
        text would find it again."""
        if slots.are_empty(self.network):
            self.restore(slots.spread(self.network, rows, SCORE_TOKENS, self._hidden))

    @torch.no_grad()
    def reads(self, rows: Sequence[Row]) -> dict[str, slots.Reads]:
        """For each memory, by the name of its values, how often the rows read its slots."""
        return slots.reads(self.network, rows, SCORE_TOKENS, self._hidden)

    @torch.inference_mode()
    def pooled(self, prompts: Sequence[Sequence[int]]) -> torch.Tensor:
        """Mean over each prompt's tokens of their hidden states halfway through the layers: states_ND, fp32."""
        found = pooled(self._decoder(), prompts, SCORE_TOKENS, self._decode)
        self.tokens_read += found.tokens
        return found.states_ND

    def forget(self) -> None:
        """Free what `remember` and `aim` kept, and stand beside nothing."""
        self._outside, self._kept = [], []
        self.stand_beside(())
        if self._trunk:
            self._trunk.clear()

    @torch.inference_mode()
    def force(self, rows: Sequence[Row], again: bool = False) -> list[Forced]:
        """Teacher-force each row: is every target the most likely token, and how likely are they?

        With `again`, what can be kept of the work is kept for the next time that the same rows are forced.
        """
        if again:
            self.remember(rows, lasting=True)
        outcomes: dict[int, Forced] = {}
        for chosen in self.routes([row.prompt for row in rows]):
            for group in batches_by_size([rows[index] for index in chosen], SCORE_TOKENS):
                numbers = [chosen[index] for index in group]
                batch = pack([rows[number] for number in numbers])
                self.tokens_read += batch.tokens
                parts = zip(self.logits_in_parts(batch), batch.targets_N.split(PREDICTIONS), strict=True)
                outcomes.update(zip(numbers, forced(batch, parts), strict=True))
        return [outcomes[number] for number in range(len(rows))]

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        limit: int,
        *,
        temperature: float = 0.0,
        seed: int = 0,
        stop: Sequence[int] = (),
    ) -> list[Reply]:
        """Continue each prompt by up to `limit` tokens; greedy at temperature 0.

        A reply ends at the end-of-turn token or at any token in `stop`. Random numbers depend on `seed` and
        on the list of prompts alone.
        """
        generator = torch.Generator(self.device).manual_seed(seed)
        ends = {self.chat.end, *stop}
        replies: dict[int, Reply] = {}
        for group in self.routes(prompts):
            chosen = [prompts[index] for index in group]
            replies.update(zip(group, self._continued(chosen, limit, ends, temperature, generator), strict=True))
        return [replies[index] for index in range(len(prompts))]

    def _continued(
        self,
        prompts: Sequence[Sequence[int]],
        limit: int,
        ends: set[int],
        temperature: float,
        generator: torch.Generator,
    ) -> list[Reply]:
        """Continue each prompt by the weights that are there."""
        order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
        replies: dict[int, Reply] = {}
        shared = shared_prefix(prompts) if prompts else 0
        while order:
            longest = len(prompts[order[-1]]) - shared
            count = min(len(order), GENERATE_ROWS, max(1, PROMPT_TOKENS // longest))
            order, group = order[:-count], order[-count:]
            chosen = [prompts[index] for index in group]
            answered = continuations(self.network, chosen, limit, ends, temperature, generator)
            replies.update(zip(group, answered, strict=True))
            self.tokens_read += sum(map(len, chosen)) + sum(len(reply.ids) for reply in answered)
        return [replies[index] for index in range(len(prompts))]

    def play(self, start: Sequence[int], scripts: Sequence[Script], seed: int) -> list[tuple[int, ...]]:
        """What each script, with the model choosing where it asks for that, added to `start`."""
        generator = torch.Generator(self.device).manual_seed(seed)
        added: list[tuple[int, ...]] = []
        for at in range(0, len(scripts), GENERATE_ROWS):
            added += scripted(self.network, start, scripts[at : at + GENERATE_ROWS], generator)
        return added

    # --- the parts of the network ----------------------------------------------------------------------

    def _decoder(self) -> Any:
        """The transformer without its output head."""
        whole = self.network.get_base_model() if self.adaptation.kind == "lora" else self.network
        return whole.get_decoder()

    def twin(self) -> LanguageModel:
        """Another model with the same weights, to be a teacher: what changes in one does not reach the other."""
        other = copy.copy(self)
        other.network = self.copy_network().requires_grad_(False)
        other.masters = Masters({name: one for name, one in other.network.named_parameters() if name in self.masters})
        other.masters.load(self.masters.state())
        other._trunk, other._graphs = None, Graphs(self.parameters)
        other._outside, other._kept, other._router, other.tokens_read = [], [], None, 0
        return other

    def copy_network(self) -> Any:
        """A deep copy of the network, to merge or export without touching this one."""
        return copy.deepcopy(self.network)


def _network(name: str) -> Any:
    """The network called `name`, in bf16, as it is before anything is learnt."""
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    return AutoModelForCausalLM.from_pretrained(
        model_directory(name), dtype=torch.bfloat16, local_files_only=True, use_safetensors=True
    )
