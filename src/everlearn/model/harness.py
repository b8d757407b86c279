"""A language model in, what lm-evaluation-harness asks of a model out; needs the extra `eval`.

Tokens are cut and put together as the harness's own HFLM does it, so that scores are those of the harness.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from lm_eval.api.model import TemplateLM
from lm_eval.models.utils import normalize_gen_kwargs, postprocess_generated_text
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

from everlearn.errors import PluginError
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel

PART = 256
"""Requests between two words about how far the work has come."""

REPLY_LIMIT = 256
"""Tokens a reply may take where a task does not say; the harness's own default."""

WITHOUT_EFFECT = {"num_beams": 1, "top_p": 1, "repetition_penalty": 1}
"""Settings of a generation that change nothing at these values."""


class Way(NamedTuple):
    """How replies are to be generated."""

    until: tuple[str, ...]
    """A reply ends before the first of these."""
    limit: int
    """Tokens a reply may take."""
    temperature: float

    @classmethod
    def of(cls, wanted: dict[str, Any]) -> Way:
        """The way that a task's `generation_kwargs` describe.

        Raises:
            PluginError: a setting that is not known here.
        """
        known = normalize_gen_kwargs(wanted, REPLY_LIMIT)
        temperature = float(known["temperature"]) if known["do_sample"] else 0.0
        idle = {"do_sample", "temperature", "until", "max_gen_toks", *(("top_p", "top_k") if temperature == 0 else ())}
        strange = {name for name, value in known.items() if name not in idle and WITHOUT_EFFECT.get(name) != value}
        if strange:
            raise PluginError(
                f"a task sets {', '.join(sorted(strange))} for its replies, which everlearn does not know",
                "take these lines out of the task's generation_kwargs, or leave the task out",
            )
        until = known["until"] if isinstance(known["until"], list) else [known["until"]]
        return cls(tuple(stop for stop in until if stop), int(known["max_gen_toks"]), temperature)


class HarnessModel(TemplateLM):
    """A model as the harness asks it; `tell` is told how many requests of how many are done."""

    def __init__(self, model: LanguageModel, tell: Callable[[int, int], None]) -> None:
        super().__init__()
        self.tokenizer = model.tokenizer
        self._model = model
        self._tell = tell
        self._pieces: list[str] = []
        self.lengths: dict[tuple[str, str], int] = {}
        """Tokens of each continuation that has been scored, by context and continuation."""

    @property
    def eot_token_id(self) -> int:
        """The token that ends a text."""
        return int(self.tokenizer.eos_token_id)

    @property
    def prefix_token_id(self) -> int:
        """What stands before a text without context."""
        begin = self.tokenizer.bos_token_id
        return self.eot_token_id if begin is None else int(begin)

    def tok_encode(self, string: str, add_special_tokens: bool | None = None) -> list[int]:
        """Tokens of a text; with those that the tokenizer itself puts around it, unless the text begins with them."""
        begin = self.tokenizer.bos_token
        add = not (begin and string.startswith(begin)) if add_special_tokens is None else add_special_tokens
        return list(self.tokenizer.encode(string, add_special_tokens=add))

    def loglikelihood(self, requests: Sequence[Any], disable_tqdm: bool = True) -> list[tuple[float, bool]]:
        """For each (context, continuation): its log-likelihood in nats, and whether it is the most likely one."""
        outcomes: list[tuple[float, bool]] = super().loglikelihood(requests, disable_tqdm=disable_tqdm)
        return outcomes

    def _loglikelihood_tokens(
        self, requests: Sequence[tuple[Any, list[int], list[int]]], disable_tqdm: bool = True
    ) -> list[tuple[float, bool]]:
        rows = [self._row(context, continuation) for _, context, continuation in requests]
        self.lengths |= {texts: row.targets for (texts, _, _), row in zip(requests, rows, strict=True)}
        forced = [outcome for part in self._parts(rows) for outcome in self._model.force(part)]
        return [(-outcome.nll * row.targets, outcome.right) for row, outcome in zip(rows, forced, strict=True)]

    def loglikelihood_rolling(self, requests: Sequence[Any], disable_tqdm: bool = True) -> list[float]:
        """The log-likelihood of each whole text in nats, read in windows as long as the context."""
        rows, owners = [], []
        for number, request in enumerate(requests):
            ids = self.tok_encode(request.args[0])
            for window in get_rolling_token_windows(ids, self.prefix_token_id, self._model.context, 1):
                rows.append(self._row(*make_disjoint_window(window)))
                owners.append(number)
        sums = [0.0] * len(requests)
        forced = (outcome for part in self._parts(rows) for outcome in self._model.force(part))
        for number, row, outcome in zip(owners, rows, forced, strict=True):
            sums[number] -= outcome.nll * row.targets
        return sums

    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = True) -> list[str]:
        """The reply to each (context, how to generate), up to where it is to end."""
        ways: dict[Way, list[int]] = defaultdict(list)
        for number, request in enumerate(requests):
            ways[Way.of(request.args[1])].append(number)
        replies: dict[int, str] = {}
        for way, numbers in ways.items():
            contexts = [requests[number].args[0] for number in numbers]
            said = [text for part in self._parts(contexts) for text in self._continue(part, way)]
            replies.update(zip(numbers, said, strict=True))
        return [replies[number] for number in range(len(requests))]

    def _continue(self, contexts: Sequence[str], way: Way) -> list[str]:
        room = self._model.context - way.limit
        if room < 1:
            raise PluginError(
                f"a task wants replies of {way.limit:,} tokens, but the model's context is {self._model.context:,}",
                "lower max_gen_toks in the task's generation_kwargs, or leave the task out",
            )
        prompts = [self.tok_encode(text)[-room:] or [self.prefix_token_id] for text in contexts]
        stops = self._stops(way.until)
        ends = [self.eot_token_id, *stops]
        replies = self._model.generate(prompts, way.limit, temperature=way.temperature, stop=ends)
        texts = []
        for reply in replies:
            # the token that ended it may hold words before the stop
            ids = [*reply.ids, *([reply.end] if reply.end in stops else [])]
            text = str(self.tokenizer.decode(ids, skip_special_tokens=True))
            texts.append(str(postprocess_generated_text(text, list(way.until), None)))
        return texts

    def _stops(self, until: Sequence[str]) -> set[int]:
        """Tokens that hold a whole stop: behind them nothing counts."""
        if until and not self._pieces:
            self._pieces = self.tokenizer.batch_decode([[token] for token in range(len(self.tokenizer))])
        return {token for token, piece in enumerate(self._pieces) if any(stop in piece for stop in until)}

    def _row(self, context: Sequence[int], continuation: Sequence[int]) -> Row:
        """What does not fit into the context is cut off at the left."""
        size = len(continuation)
        if not 0 < size <= self._model.context:
            raise PluginError(
                f"a task scores a continuation of {size:,} tokens, but the model's context is {self._model.context:,}",
                "leave the task out",
            )
        ids = (*context, *continuation)[-self._model.context - 1 :]
        return Row(ids, tuple(place >= len(ids) - size for place in range(len(ids))))

    def _parts(self, whole: Sequence[Any]) -> Iterator[Sequence[Any]]:
        for start in range(0, len(whole), PART):
            self._tell(start, len(whole))
            yield whole[start : start + PART]
