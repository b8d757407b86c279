"""A reading and a tokenizer's view of its examples in; counts, lengths, faults and coloured samples out."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.text import Text

from everlearn.data.places import counted, places
from everlearn.data.reading import Reading
from everlearn.records import Document, Example, Item, Origin, Skill

Encode = Callable[[Example], tuple[list[int], list[bool], list[str]]]
"""An example in; token ids, whether the loss falls on each token, and each token's text out."""

_CONTROL = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | {127: 0x2421}
"""Control characters → their visible pictures, so that data cannot steer the terminal."""


@dataclass(frozen=True)
class Lengths:
    """Lengths of examples in tokens."""

    shortest: int
    median: float
    longest: int
    total: int


@dataclass(frozen=True)
class Sample:
    """One example as the model sees it."""

    origin: Origin
    tokens: tuple[tuple[str, bool], ...]
    """Each token's text, and whether it is learnt."""


@dataclass(frozen=True)
class Check:
    """What there is to learn in a reading, and what is wrong with it."""

    format: str
    notes: tuple[str, ...]
    kinds: dict[str, int]
    """Number of items by kind: example, document, skill, correction."""
    context: int
    """The model's context in tokens."""
    lengths: Lengths | None
    """None where there are no examples."""
    target_tokens: int
    """Tokens of all examples that the loss falls on."""
    too_long: tuple[Origin, ...]
    """Examples with more tokens than the context."""
    untrainable: tuple[Origin, ...]
    """Examples without a token that the loss falls on."""
    duplicates: tuple[Origin, ...]
    characters: int
    """In documents, skills and corrections, which have no tokens before they are studied."""
    words: int
    samples: tuple[Sample, ...]
    """The first, the middle and the last example."""


def check(reading: Reading, encode: Encode, context: int) -> Check:
    """Counts and lengths of what was read, and where it is longer than `context` tokens or trains nothing.

    `encode` gives token ids, mask and token texts of an example, three lists of one length.
    """
    examples = [item for item in reading.items if isinstance(item, Example)]
    texts = [_text(item) for item in reading.items if not isinstance(item, Example)]
    sizes: list[int] = []
    targets: list[int] = []
    samples: list[Sample] = []
    shown = {0, len(examples) // 2, len(examples) - 1}
    for number, example in enumerate(examples):
        ids, mask, tokens = encode(example)
        assert len(ids) == len(mask) == len(tokens), "encode gives three lists of one length"
        sizes.append(len(ids))
        targets.append(sum(mask))
        if number in shown:
            samples.append(Sample(example.origin, tuple(zip(tokens, mask, strict=True))))
    return Check(
        format=reading.format,
        notes=reading.notes,
        kinds=dict(sorted(Counter(item.kind for item in reading.items).items())),
        context=context,
        lengths=_lengths(sizes),
        target_tokens=sum(targets),
        too_long=_origins(examples, [size > context for size in sizes]),
        untrainable=_origins(examples, [target == 0 for target in targets]),
        duplicates=reading.duplicates,
        characters=sum(len(text) for text in texts),
        words=sum(len(text.split()) for text in texts),
        samples=tuple(samples),
    )


def render(result: Check, colour: bool = True) -> Text:
    """The check for a terminal: figures, faults, then samples with the learnt tokens set apart.

    In colour learnt tokens are bold green and the rest is dim; without, learnt spans stand in ⟦ ⟧.
    """
    lines = [*_figures(result), *_faults(result), *(f"note       {note}" for note in result.notes)]
    text = Text("\n".join(lines).translate(_CONTROL) + "\n")
    if not result.samples:
        return text
    text.append("\n")
    text.append_text(_legend(colour))
    for sample in result.samples:
        place = f"{sample.origin.file}:{sample.origin.line}"
        text.append(f"\n\n{place}\n".translate(_CONTROL), style="bold" if colour else "")
        text.append_text(render_sample(sample, colour))
    return text.append("\n")


def render_sample(sample: Sample, colour: bool = True) -> Text:
    """One example with its learnt spans set apart, as in `render`."""
    text = Text()
    for learnt, tokens in itertools.groupby(sample.tokens, key=lambda token: token[1]):
        span = "".join(token for token, _ in tokens).translate(_CONTROL)
        if colour:
            text.append(span, style=_style(learnt))
        else:
            text.append(f"⟦{span}⟧" if learnt else span)
    return text


def _figures(result: Check) -> list[str]:
    kinds = ", ".join(counted(number, kind) for kind, number in result.kinds.items())
    lines = [f"format     {result.format}", f"items      {kinds}"]
    if result.lengths is not None:
        size = result.lengths
        share = 100 * result.target_tokens / size.total if size.total else 0.0
        lines += [
            f"length     {size.shortest:,} to {size.longest:,} tokens, median {size.median:,g}",
            f"tokens     {size.total:,}, of which {result.target_tokens:,} are learnt ({share:.0f} %)",
        ]
    if result.characters:
        lines.append(f"to study   {counted(result.characters, 'character')}, {counted(result.words, 'word')}")
    return lines


def _faults(result: Check) -> list[str]:
    found = (
        (result.too_long, f"longer than the context of {result.context:,} tokens"),
        (result.untrainable, "without a token to learn"),
    )
    return [f"attention  {counted(len(rows), 'example')} {fault} ({places(rows)})" for rows, fault in found if rows]


def _legend(colour: bool) -> Text:
    if not colour:
        return Text("⟦learnt⟧: the loss falls here; everything else is context")
    text = Text().append("learnt", style=_style(True))
    text.append(": the loss falls here; ")
    return text.append("context", style=_style(False)).append(": read, not learnt")


def _style(learnt: bool) -> str:
    return "bold green" if learnt else "dim"


def _lengths(sizes: Sequence[int]) -> Lengths | None:
    if not sizes:
        return None
    return Lengths(min(sizes), statistics.median(sizes), max(sizes), sum(sizes))


def _origins(examples: Sequence[Example], chosen: Sequence[bool]) -> tuple[Origin, ...]:
    return tuple(example.origin for example, wanted in zip(examples, chosen, strict=True) if wanted)


def _text(item: Item) -> str:
    if isinstance(item, (Document, Skill)):
        return item.text
    assert not isinstance(item, Example)
    return "\n".join((item.question, item.wrong, item.right))
