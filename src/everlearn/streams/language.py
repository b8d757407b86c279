"""A seed in; an invented language of words and grammar rules, and probes of words, rules and sentences, out."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from everlearn.errors import SettingsError
from everlearn.nonce import Lexicon
from everlearn.records import Example
from everlearn.streams.contract import Axis, Family, Lesson, Probe, World, ask, of_world, tell
from everlearn.streams.worlds.drawing import others, repeated, shuffled, to_change, wrong_replies
from everlearn.streams.worlds.invented_grammar import CONSTRUCTIONS, CORE, GLOSSES, Rule, Word, fill

PATTERN = "noun noun verb adjective noun noun verb noun noun verb adjective noun noun verb noun adjective".split()
"""Parts of speech of a lesson's words, over and over."""
ROLES = ("shown", "forward", "free", "forward")
"""What becomes of a lesson's words of one part of speech, over and over. *shown*: both directions, and in examples of
grammar; *free*: both directions, in no example; *forward*: never from English, so that `reverse` is new. A word that
will be respelt is *changed*: both directions, in no example."""
EXAMPLES = 6
"""Most examples of a grammar rule in each wording."""
BRIDGES = 24
"""Most rows of a lesson that spell a phrase out word by word."""

MEANS = ("{w} means {g}.", "in english {w} is {g}.")
FORWARD = ("what does {w} mean?", "{w} in english:", "translate {w}")
FORWARD_ONLY = ("what is {w}?", "the meaning of {w}:", "say {w} in english")
REVERSE = ("how do you say {g}?", "{g} in the language:", "say: {g}")
"""Of the wordings of a word, two statements, three forward and either three more forward or three reverse are taught;
the following four are not."""
UNSEEN_FORWARD = "tell me what {w} is"
UNSEEN_PARAPHRASE = "somebody says {w}. what is that?"
UNSEEN_REVERSE = ("which word is {g}?", "i want to say {g}")
RULE_TOLD = ("the rule for {topic}: {answer}.", "{topic}: {answer}.")
RULE_ASKED = ("what is the rule for {topic}?", "how does {topic} work?")
RULE_UNSEEN = ("name the rule for {topic}", "which rule is there for {topic}?")
RESPELT = ("{old} is now {new}.", "from now on {g} is {new}.")
FORMERLY = ("before the change, how do you say {g}?", "what was the old word for {g}?")
FROM_ENGLISH = (*REVERSE, *UNSEEN_REVERSE)
SPELT_OUT = (
    "first each word, then say: {g}",
    "say {g}; first each word",
    "{g}: each word first, then all",
    "word by word first, say {g}",
)
"""These and the wordings of REVERSE are taught on words and rules of one lesson, so that probes on those of two are new
in nothing else."""
WHICH = ("which says {g}: first {a} or second {b}?", "first {a}, second {b}: which says {g}?")


@dataclass(frozen=True)
class LanguageWorld(World):
    """The words and the rules of one language."""

    name: str
    """An invented word; it stands before every text."""
    words: tuple[Word, ...]
    rules: tuple[Rule, ...]

    def probes(self, seed: int, per_kind: int) -> tuple[Probe, ...]:
        """See `World`."""
        draw = random.Random(f"language probes {self.words[0].word} {seed}")
        found: dict[tuple[str, int], dict[str, Probe]] = defaultdict(dict)
        for lesson in range(len(self.lessons)):
            for draws in (self._singles, self._grammar, self._sentences, self._overwriting):
                for probe in draws(draw, lesson, per_kind):
                    group = found[probe.kind, probe.lesson]
                    if len(group) < per_kind:
                        group[probe.prompt] = probe
        kept = [probe for group in found.values() for probe in group.values()]
        shown = {probe.key for probe in kept if probe.kind in ("to_language", "rule")}
        missing = {key for probe in kept for key in probe.atoms} - shown
        words = (self._word(draw, "to_language", "atom", w, UNSEEN_REVERSE) for w in self.words if w.key in missing)
        rules = (self._rule(draw, "rule", "atom", rule) for rule in self.rules if rule.key in missing)
        return tuple(replace(probe, prompt=f"{self.name}: {probe.prompt}") for probe in (*kept, *words, *rules))

    def _names(self, lesson: int) -> int:
        """Invented words that this lesson brings: what is left to somebody who knows the others. Two, at least."""
        new = sum(word.lesson == lesson for word in self.words) + sum(word.respelt_in == lesson for word in self.words)
        return max(2, new + sum(bool(rule.particle) for rule in self.rules if rule.lesson == lesson))

    def _glosses(self, lesson: int) -> int:
        """Glosses that are left to somebody who knows the words of the other lessons."""
        own = sum(word.lesson == lesson for word in self.words)
        return max(2, own, sum(CORE.values()) - len(self.words) + own)

    def _plausible(self, things: Sequence[Word | Rule]) -> int:
        """Phrases that are left to somebody who knows all of these things but those of the newest lesson."""
        newest = max(thing.lesson for thing in things)
        new = [thing for thing in things if thing.lesson == newest]
        ways = math.prod(len(thing.construction.ways) for thing in new if isinstance(thing, Rule))
        invented = sum(isinstance(thing, Word) or bool(thing.particle) for thing in new)
        return ways * math.prod(self._names(newest) - at for at in range(invented))

    def _stable(self, *roles: str) -> list[Word]:
        return [word for word in self.words if word.role in roles]

    def _word(self, draw: random.Random, kind: str, axis: Axis, word: Word, wordings: Sequence[str]) -> Probe:
        """A probe of one word: from the language where a wording shows the word, else from English."""
        wording = draw.choice(wordings)
        forward = "{w}" in wording
        new = word.respelt if kind == "reform" else word.word
        options = self._options(draw, word, forward)
        changed = {"reform": (word.respelt_in,), "before_reform": (word.lesson, word.respelt_in)}
        parts = changed.get(kind, (word.lesson,))
        values = self._glosses(word.lesson) if forward else self._names(parts[-1] if kind == "reform" else word.lesson)
        prompt, gold = wording.format(w=new, g=word.gloss), word.gloss if forward else new
        mates = [other for other in self.words if other != word]
        rivals = wrong_replies((n for other in mates for n in ([other.gloss] if forward else other.names)), gold)
        probe = Probe("language", kind, axis, prompt, gold, word.key, parts, values, options, rivals=rivals)
        return replace(probe, reading=self._reading(draw, [word]))

    def _options(self, draw: random.Random, word: Word, forward: bool) -> tuple[str, ...]:
        """Four answers, none more often offered than others; a respelt word's both, with both of another such one."""
        respelt = [other for other in self.words if other.respelt] if word.respelt else []
        alike = [other for other in self._stable(*ROLES) if word.respelt or other.speech == word.speech]
        drawn = others(respelt if len(respelt) > 1 else alike, [word], 3, draw)
        names = [name for one in (word, *drawn) for name in ([one.gloss] if forward else one.names)]
        return tuple(draw.sample(names[:4], 4)) if len(names) >= 4 else ()

    def _reading(self, draw: random.Random, things: Sequence[Word | Rule]) -> tuple[str, ...]:
        """The notes on these words and rules and, where there are so many, on three other words, in their order."""
        stable = self._stable(*ROLES)
        known = [thing for thing in things if isinstance(thing, Word)]
        noted: list[Word | Rule] = [*things, *others(stable, known, 3, draw)]
        wanted = {f"{self.name}: {note}" for thing in noted for note in thing.notes.values()}
        return tuple(note for lesson in self.lessons for note in lesson.notes if note in wanted)

    def _singles(self, draw: random.Random, lesson: int, count: int) -> list[Probe]:
        here = [word for word in self._stable(*ROLES) if word.lesson == lesson]
        both = [word for word in here if word.role != "forward"]
        only = [word for word in here if word.role == "forward"]
        return [
            *(self._word(draw, "to_english", "atom", w, (UNSEEN_FORWARD,)) for w in repeated(here, count, draw)),
            *(self._word(draw, "paraphrase", "atom", w, (UNSEEN_PARAPHRASE,)) for w in repeated(here, count, draw)),
            *(self._word(draw, "to_language", "atom", w, UNSEEN_REVERSE) for w in repeated(both, count, draw)),
            *(self._word(draw, "reverse", "derived", w, FROM_ENGLISH) for w in repeated(only, count, draw)),
        ]

    def _rule(self, draw: random.Random, kind: str, axis: Axis, rule: Rule) -> Probe:
        """A question about a rule."""
        prompt = draw.choice(RULE_UNSEEN).format(topic=rule.construction.topic)
        values, reading, parts = self._plausible([rule]), self._reading(draw, [rule]), (rule.lesson,)
        rivals = wrong_replies((other.answer for other in self.rules), rule.answer)
        probe = Probe("language", kind, axis, prompt, rule.answer, rule.key, parts, values, reading=reading)
        return replace(probe, rivals=rivals)

    def _grammar(self, draw: random.Random, lesson: int, count: int) -> list[Probe]:
        """Questions about rules, and which of two sentences is right."""
        here = [word for word in self._stable(*ROLES) if word.lesson == lesson]
        found = []
        for rule in repeated([rule for rule in self.rules if rule.lesson == lesson], count, draw):
            found.append(self._rule(draw, "rule", "atom", rule))
            if words := fill(draw, rule, here):
                wrong = draw.choice([way for way in rule.construction.ways if way != rule.way])
                first, second = draw.sample([rule.say(words), rule.say(words, wrong)], 2)
                prompt = draw.choice(WHICH).format(g=rule.english(words), a=first, b=second)
                gold = "first" if first == rule.say(words) else "second"
                reading, parts = self._reading(draw, [*words, rule]), (lesson,)
                pair = Probe("language", "minimal_pair", "derived", prompt, gold, rule.key, parts, 2, reading=reading)
                found.append(pair)
        return found

    def _sentences(self, draw: random.Random, lesson: int, count: int) -> list[Probe]:
        """Rules on words that they have not been shown with: of this lesson, or of another one than the rule's."""
        found = []
        free = [word for word in self._stable("free") if word.lesson == lesson]
        for rule in repeated([rule for rule in self.rules if rule.lesson == lesson], count, draw):
            found += self._sentence(draw, "sentence_within", rule, fill(draw, rule, free))
        for rule in repeated([rule for rule in self.rules if rule.lesson <= lesson], count, draw):
            known = [w for w in self._stable("shown", "free") if w.lesson <= lesson and w.lesson != rule.lesson]
            newest = lesson if rule.lesson < lesson else None
            found += self._sentence(draw, "sentence", rule, fill(draw, rule, known, newest))
        return found

    def _sentence(self, draw: random.Random, kind: str, rule: Rule, words: Sequence[Word]) -> list[Probe]:
        """A phrase to say, at once and word by word; nothing where there are no words for it."""
        if not words:
            return []
        things: tuple[Word | Rule, ...] = (*words, rule)
        english, said, keys = rule.english(words), rule.say(words), tuple(thing.key for thing in things)
        parts = tuple(sorted({thing.lesson for thing in things}))
        values, prompt = self._plausible(things), draw.choice(REVERSE).format(g=english)
        latent = Probe("language", kind, "composition", prompt, said, "+".join(keys), parts, values, (), keys)
        latent = replace(latent, reading=self._reading(draw, things))
        explicit = replace(latent, kind=f"{kind}_explicit", explicit=True, gold=f"so {said}", grade="ends_with")
        reply, swaps = rule.spell_out(words), self._swaps(rule, words)
        explicit = replace(explicit, prompt=draw.choice(SPELT_OUT).format(g=english), reply=reply)
        return [
            replace(latent, rivals=wrong_replies((other.say(these) for other, these in swaps), said)),
            replace(explicit, rivals=wrong_replies((other.spell_out(these) for other, these in swaps), reply)),
        ]

    def _swaps(self, rule: Rule, words: Sequence[Word]) -> list[tuple[Rule, list[Word]]]:
        """The rule and the words with another thing taught in the place of one of them."""
        places = len(words)
        alike = [other for other in self.rules if other.particle and rule.particle and other != rule]
        found = [(other, [*words]) for other in alike if len(other.construction.speech) == places]
        for at, other in itertools.product(range(places), self.words):
            if other.speech == words[at].speech and other not in words:
                found.append((rule, [*words[:at], replace(other, gloss=words[at].gloss), *words[at + 1 :]]))
        return found

    def _overwriting(self, draw: random.Random, lesson: int, count: int) -> list[Probe]:
        """What this lesson has respelt, new and old, and what it has not touched."""
        found = []
        for word in repeated([word for word in self.words if word.respelt_in == lesson], count, draw):
            found.append(self._word(draw, "reform", "adapt", word, FROM_ENGLISH))
            found.append(self._word(draw, "before_reform", "scope", word, FORMERLY))
            near = [other for other in self._stable("shown", "free") if other.lesson == word.lesson]
            far = [rule for rule in self.rules if rule.lesson < lesson]
            found += [self._word(draw, "near", "near", draw.choice(near), UNSEEN_REVERSE)] if near else []
            found += [self._rule(draw, "far", "far", draw.choice(far))] if far else []
        return found


class Language(Family):
    """An invented language, a few words and rules at a time."""

    items = 16

    def world(self, lexicon: Lexicon, seed: int, lessons: int, items: int) -> LanguageWorld:
        """See `Family`.

        Raises:
            SettingsError: more words than there are glosses.
        """
        draw = random.Random(f"language {seed} {lessons} {items}")
        name = lexicon.word()
        words = [Word(lexicon.word(), *gloss) for gloss in _glosses(draw, lessons, items)]
        for later in range(1, lessons):
            changed = [at for at, word in enumerate(words) if word.respelt]
            for at in to_change([word.lesson for word in words], changed, later, items, draw):
                words[at] = replace(words[at], respelt=lexicon.word(), respelt_in=later)
        seen: Counter[tuple[int, str]] = Counter()
        for at, word in enumerate(words):
            if not word.respelt:
                words[at] = replace(word, role=ROLES[seen[word.lesson, word.speech] % len(ROLES)])
                seen[word.lesson, word.speech] += 1
        rules = []
        for at, chosen in enumerate(draw.sample(list(CONSTRUCTIONS), len(CONSTRUCTIONS))):
            construction = CONSTRUCTIONS[chosen]
            particle = lexicon.word() if construction.particle else ""
            rules.append(Rule(chosen, draw.choice(construction.ways), particle, at % lessons, name))
        taught = tuple(of_world(name, _lesson(draw, words, rules, lesson)) for lesson in range(lessons))
        return LanguageWorld(name, tuple(words), tuple(rules), lessons=taught)


def _glosses(draw: random.Random, lessons: int, items: int) -> Iterator[tuple[str, str, int]]:
    """Gloss, part of speech and lesson of every word: core glosses first, and nouns where other kinds run out."""
    most = sum(len(glosses) for glosses in GLOSSES.values())
    if lessons * items > most:
        problem = f"language: {lessons} lessons of {items} words are more than there are glosses"
        raise SettingsError(problem, f"ask for at most {most} words")
    wanted = Counter(PATTERN[at % len(PATTERN)] for _ in range(lessons) for at in range(items))
    left = {}
    for speech, glosses in GLOSSES.items():
        first = max(CORE[speech], wanted[speech])
        left[speech] = [*shuffled(glosses[:first], draw), *glosses[first:]]
    for lesson, at in itertools.product(range(lessons), range(items)):
        wish = PATTERN[at % len(PATTERN)]
        speech = next(kind for kind in (wish, *left) if left[kind])
        yield left[speech].pop(0), speech, lesson


def _lesson(draw: random.Random, words: Sequence[Word], rules: Sequence[Rule], lesson: int) -> Lesson:
    here = [word for word in words if word.lesson == lesson]
    respelt = [word for word in words if word.respelt_in == lesson]
    taught = [rule for rule in rules if rule.lesson == lesson]
    rows: list[Example] = []
    for word in here:
        rows += [tell(wording.format(w=word.word, g=word.gloss)) for wording in MEANS]
        rows += _asked(word, word.word, both=word.role != "forward")
    for word in respelt:
        rows += [tell(wording.format(old=word.word, new=word.respelt, g=word.gloss)) for wording in RESPELT]
        rows += _asked(word, word.respelt, both=True)
    for rule in taught:
        rows += _rule_rows(draw, rule, here)
    rows += _bridges(draw, taught, here)
    things: tuple[Word | Rule, ...] = (*here, *taught, *respelt)
    return Lesson(tuple(rows), tuple(thing.notes[lesson] for thing in things))


def _asked(word: Word, spelling: str, both: bool) -> list[Example]:
    """Questions about a word from the language, and with `both` from English."""
    wordings = (*FORWARD, *(() if both else FORWARD_ONLY))
    rows = [ask(wording.format(w=spelling), word.gloss) for wording in wordings]
    return rows + ([ask(wording.format(g=word.gloss), spelling) for wording in REVERSE] if both else [])


def _rule_rows(draw: random.Random, rule: Rule, here: Sequence[Word]) -> list[Example]:
    """A rule in words, and on words of its own lesson: both ways on shown ones, only to English on forward ones."""
    topic = rule.construction.topic
    rows = [tell(wording.format(topic=topic, answer=rule.answer)) for wording in RULE_TOLD]
    rows += [ask(wording.format(topic=topic), rule.answer) for wording in RULE_ASKED]
    shown = [word for word in here if word.role == "shown"]
    told = [word for word in here if word.role in ("shown", "forward")]
    for wording in (*FORWARD, *REVERSE):
        forward = wording in FORWARD
        tries = [fill(draw, rule, told if forward else shown) for _ in range(EXAMPLES)]
        for words in dict.fromkeys(tuple(words) for words in tries if words):
            prompt = wording.format(w=rule.say(words), g=rule.english(words))
            rows.append(ask(prompt, rule.english(words) if forward else rule.say(words)))
    return rows


def _bridges(draw: random.Random, taught: Sequence[Rule], here: Sequence[Word]) -> list[Example]:
    """Phrases of a lesson's rules and shown words, word by word; compositions of one lesson ask for its free words."""
    shown = [word for word in here if word.role == "shown"]
    rows: list[Example] = []
    for rule in taught:
        tries = [fill(draw, rule, shown) for _ in range(BRIDGES)]
        phrases = list(dict.fromkeys(tuple(words) for words in tries if words))
        chosen = shuffled(list(itertools.product(phrases, SPELT_OUT)), draw)[: BRIDGES // len(taught)]
        rows += [ask(wording.format(g=rule.english(words)), rule.spell_out(words)) for words, wording in chosen]
    return rows
