"""A stage's items and everything taught before in, the training examples of the stage out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from everlearn import plugins
from everlearn.records import Correction, Document, Example, Item, Skill
from everlearn.study.corrections import revise
from everlearn.study.naming import name_subject
from everlearn.study.strategies.contract import Strategy, without_repeats

if TYPE_CHECKING:  # it imports torch, which those who only read a lesson need not wait for
    from everlearn.model.language_model import LanguageModel

DEFAULT = "rules+thesaurus+questions"


@dataclass(frozen=True)
class Lesson:
    """What a stage teaches."""

    examples: tuple[Example, ...]
    retired: tuple[Example, ...] = ()
    """Earlier examples that the stage makes wrong."""


def prepare_lesson(
    items: Sequence[Item],
    strategies: str,
    earlier: Sequence[Example],
    model: LanguageModel,
    seed: int,
    tell: Callable[[int, int], None],
) -> Lesson:
    """Examples as they are, documents and skills by the strategies (`raw+rules`), corrections by revision.

    Raises:
        PluginError: an unknown strategy.
    """
    chosen = [plugins.find("study.strategies", name, Strategy)() for name in strategies.split("+")]
    made: list[Example] = []
    retired: list[Example] = []
    for number, item in enumerate(items):
        tell(number, len(items))
        if isinstance(item, Example):
            made.append(item)
        elif isinstance(item, Correction):
            revision = revise(item, earlier)
            made += revision.taught
            retired += revision.retired
        else:
            document = _as_document(item)
            studied = [example for strategy in chosen for example in strategy.examples(document, model, seed)]
            # a text of which nothing can be asked is learnt as it is
            studied = studied or plugins.find("study.strategies", "raw", Strategy)().examples(document, model, seed)
            made += name_subject(studied, document.text, seed)
    return Lesson(tuple(without_repeats(made)), tuple(without_repeats(retired)))


def _as_document(item: Document | Skill) -> Document:
    if isinstance(item, Document):
        return item
    return Document(f"{item.description}\n\n{item.text}", item.name, item.origin)
