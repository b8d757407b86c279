"""A seed in; invented triggers that change the format of a reply, and probes of them alone and together, out."""

from __future__ import annotations

import itertools
import random
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from everlearn.drawing import others, repeated, to_change
from everlearn.nonce import Lexicon
from everlearn.records import Example
from everlearn.streams.contract import Axis, Family, Lesson, Probe, World, ask, tell

LETTERS = "bcdfghjklmnpqrstvwxz"
"""What requests are about; no vowel, so that no letter is an English word."""
LENGTHS = (2, 3, 3, 4)
"""Letters in a request, as often as they stand here."""
INPUTS = 10
"""Requests for each rule and each wording that has one."""
PLAIN_ROWS = 8
"""Requests without a trigger in each lesson: else a lesson of one rule would say that the rule always holds."""
NEUTRAL = 4
"""Words of each lesson that are never taught; they stand where a trigger would, in probes only."""

STATEMENTS = ("the {t} rule: {text}.", "when you read {t}, {text}.")
WHICH = "what is the {t} rule?"
UNCUED = ("{t}: say {x}", "{t}: copy {x}", "for {t}, say {x}", "copy {x}, {t}")
CUED = "use the {t} rule: say {x}"
UNSEEN = ("{t}, write {x}", "write {x} for {t}", "{t}; please say {x}", "please copy {x}; {t}")
"""Wordings that no lesson uses."""
REVISIONS = ("from now on {t} means: {text}.", "from now on the {t} rule: {text}.")
WHICH_NOW = "what is the {t} rule now?"
FORMERLY = ("by the old {t} rule, say {x}", "before the change, {t}: copy {x}")
NAME = "name the {t} rule"
PLAIN = ("say {x}", "copy {x}", "please say {x}", "please copy {x}")
TOGETHER = ("{t} and {u}: say {x}", "for {t} and {u}, copy {x}")
SPELT_OUT = ("{t} and {u}: name the rules, then say {x}", "name the rules of {t} and {u}, then copy {x}")


@dataclass(frozen=True)
class Behaviour:
    """Something a reply can do. Two of different slots go together, in one way only."""

    name: str
    slot: str
    text: str


BEHAVIOURS = (
    Behaviour("twice", "list", "say it twice"),
    Behaviour("again", "list", "say the last one again"),
    Behaviour("comma", "join", "put a comma between"),
    Behaviour("semicolon", "join", "put a semicolon between"),
    Behaviour("number", "join", "number each one"),
    Behaviour("well", "front", "begin with well"),
    Behaviour("yes", "front", "begin with yes"),
    Behaviour("colon", "front", "begin with a colon"),
    Behaviour("count", "front", "begin with the count"),
    Behaviour("stop", "back", "end with stop"),
    Behaviour("question", "back", "end with a question mark"),
    Behaviour("parentheses", "back", "put it in parentheses"),
)
PAIRS = sum(one.slot != other.slot for one, other in itertools.combinations(BEHAVIOURS, 2))
"""Pairs of behaviours that go together; for every request they give different replies."""


@dataclass(frozen=True)
class Rule:
    """What one trigger does, and what it does once a later lesson has revised it."""

    trigger: str
    behaviour: Behaviour
    lesson: int
    revised: Behaviour | None = None
    revised_in: int = -1

    @property
    def key(self) -> str:
        """The thing that probes ask about."""
        return f"rules:{self.trigger}"

    @property
    def notes(self) -> dict[int, str]:
        """What lessons say of it, in short, by lesson."""
        notes = {self.lesson: f"{self.trigger}: {self.behaviour.text}."}
        return notes | ({self.revised_in: f"from now on {self.trigger}: {self.revised.text}."} if self.revised else {})


def obey(names: Collection[str], letters: Sequence[str]) -> str:
    """The reply of these behaviours to a request: first the list, then its joints, then the back, then the front."""
    items = [*letters, *letters] if "twice" in names else [*letters]
    items += items[-1:] if "again" in names else []
    shown = [f"{at} {item}" for at, item in enumerate(items, 1)] if "number" in names else items
    text = (", " if "comma" in names else "; " if "semicolon" in names else " ").join(shown)
    backs = {"stop": f"{text} stop", "question": f"{text}?", "parentheses": f"({text})"}
    text = next((backs[name] for name in names if name in backs), text)
    fronts = {"well": "well", "yes": "yes", "colon": ":", "count": str(len(items))}
    return " ".join((*(fronts[name] for name in names if name in fronts), text))


def pattern(text: str) -> str:
    """A regular expression for the text, with any white space, or none, around its punctuation."""
    tokens = re.findall(r"\w+|[^\w\s]", text)
    parts = [re.escape(tokens[0])]
    for before, token in itertools.pairwise(tokens):
        parts += [r"\s+" if before.isalnum() and token.isalnum() else r"\s*", re.escape(token)]
    return "".join(parts)


def is_unseen(letters: Sequence[str]) -> bool:
    """Whether a request with these letters is kept for probes: about one in four is."""
    return sum(LETTERS.index(letter) for letter in letters) % 4 == 0


def letters_for(draw: random.Random, unseen: bool, longest: int = 4) -> list[str]:
    """Different letters for a request: one that lessons use, or one kept for probes."""
    while True:
        letters = draw.sample(LETTERS, min(draw.choice(LENGTHS), longest))
        if is_unseen(letters) == unseen:
            return letters


@dataclass(frozen=True)
class RulesWorld(World):
    """Rules, and words that are none."""

    rules: tuple[Rule, ...]
    neutral: tuple[str, ...]

    def probes(self, seed: int, per_kind: int) -> tuple[Probe, ...]:
        """See `World`."""
        draw = random.Random(f"rules probes {self.neutral[0]} {seed}")
        found: dict[tuple[str, int], dict[str, Probe]] = defaultdict(dict)
        for lesson in range(len(self.lessons)):
            for draws in (self._singles, self._boundary, self._pairs, self._overwriting):
                for probe in draws(draw, lesson, per_kind):
                    group = found[probe.kind, probe.lesson]
                    if len(group) < per_kind:
                        group[probe.prompt] = probe
        kept = [probe for group in found.values() for probe in group.values()]
        missing = {key for probe in kept for key in probe.atoms} - {p.key for p in kept if p.kind == "triggered"}
        return (*kept, *(self._triggered(draw, rule) for rule in self.rules if rule.key in missing))

    def _stable(self, lesson: int) -> list[Rule]:
        return [rule for rule in self.rules if rule.lesson == lesson and rule.revised is None]

    def _singles(self, draw: random.Random, lesson: int, count: int) -> list[Probe]:
        asked = repeated(self._stable(lesson), count, draw)
        return [
            *(self._triggered(draw, rule) for rule in asked),
            *(replace(self._alone(draw, "named", "atom", rule, (CUED,)), cue="cued") for rule in asked),
            *(_checked(self._alone(draw, "triggered_paraphrase", "atom", rule, UNSEEN)) for rule in asked),
        ]

    def _triggered(self, draw: random.Random, rule: Rule) -> Probe:
        return replace(self._alone(draw, "triggered", "atom", rule, UNCUED), cue="uncued")

    def _alone(self, draw: random.Random, kind: str, axis: Axis, rule: Rule, wordings: Sequence[str]) -> Probe:
        """A probe of one trigger in a new request; of kind `revised`, of what it does since its revision."""
        letters = letters_for(draw, unseen=True)
        behaviour = rule.revised if kind == "revised" and rule.revised else rule.behaviour
        prompt = draw.choice(wordings).format(t=rule.trigger, x=" ".join(letters))
        changed = {"revised": (rule.revised_in,), "before_revision": (rule.lesson, rule.revised_in)}
        parts, reading = changed.get(kind, (rule.lesson,)), self._reading(draw, [rule])
        reply, values = obey([behaviour.name], letters), len(BEHAVIOURS)
        return Probe("rules", kind, axis, prompt, reply, rule.key, parts, values, reading=reading)

    def _reading(self, draw: random.Random, rules: Sequence[Rule]) -> tuple[str, ...]:
        """The notes on these rules and, where there are so many, on three others, as they stand in the lessons."""
        stable = [rule for rule in self.rules if rule.revised is None]
        noted = [*rules, *others(stable, rules, 3, draw)]
        wanted = {note for rule in noted for note in rule.notes.values()}
        return tuple(note for lesson in self.lessons for note in lesson.notes if note in wanted)

    def _boundary(self, draw: random.Random, lesson: int, count: int) -> list[Probe]:
        """Requests with a word that is no trigger, and with none: the plain reply is right."""
        found = []
        words = self.neutral[lesson * NEUTRAL : (lesson + 1) * NEUTRAL]
        for kind, word in [("absent", word) for word in repeated(words, count, draw)] + [("plain", "")] * count:
            letters = letters_for(draw, unseen=True)
            prompt = draw.choice((*UNCUED, *UNSEEN) if word else PLAIN).format(t=word, x=" ".join(letters))
            reply, reading = " ".join(letters), self._reading(draw, [])
            key, values = f"rules:{kind}:{word or lesson}", len(BEHAVIOURS) + 1
            probe = Probe("rules", kind, "boundary", prompt, reply, key, (lesson,), values, reading=reading)
            found.append(_checked(probe))
        return found

    def _pairs(self, draw: random.Random, lesson: int, count: int) -> list[Probe]:
        """Two triggers in one request: both of this lesson, or the other one of an earlier lesson."""
        here = self._stable(lesson)
        earlier = [rule for before in range(lesson) for rule in self._stable(before)]
        found = []
        for across, mates in ((True, earlier), (False, here)):
            for explicit in (False, True):
                for rule in repeated(here, count, draw):
                    fitting = [other for other in mates if other.behaviour.slot != rule.behaviour.slot]
                    if fitting:
                        pair = draw.sample([rule, draw.choice(fitting)], 2)
                        found.append(self._pair(draw, pair, across, explicit))
        return found

    def _pair(self, draw: random.Random, pair: Sequence[Rule], across: bool, explicit: bool) -> Probe:
        letters = letters_for(draw, unseen=True, longest=3)
        names = [rule.behaviour.name for rule in pair]
        answer = obey(names, letters)
        wording = draw.choice(SPELT_OUT if explicit else TOGETHER)
        prompt = wording.format(t=pair[0].trigger, u=pair[1].trigger, x=" ".join(letters))
        reply = f"{names[0]} and {names[1]}, so {answer}" if explicit else answer
        kind = ("two_triggers" if across else "two_within") + ("_explicit" if explicit else "")
        atoms = tuple(rule.key for rule in pair)
        key, parts = "+".join(sorted(atoms)), tuple(sorted({rule.lesson for rule in pair}))
        probe = Probe("rules", kind, "composition", prompt, reply, key, parts, PAIRS, (), atoms, explicit)
        # Of an explicit reply only the end is graded: what comes before it may be put in other words.
        gold = (r".*\bso\s+" if explicit else "") + pattern(answer)
        return replace(probe, gold=gold, reply=reply, grade="regex", reading=self._reading(draw, pair))

    def _overwriting(self, draw: random.Random, lesson: int, count: int) -> list[Probe]:
        """What this lesson has revised, by the new and by the old rule, and what it has not touched."""
        found = []
        for rule in repeated([rule for rule in self.rules if rule.revised_in == lesson], count, draw):
            found.append(self._alone(draw, "revised", "adapt", rule, (*UNCUED, *UNSEEN)))
            found.append(self._alone(draw, "before_revision", "scope", rule, FORMERLY))
            near = self._stable(rule.lesson)
            found += [self._alone(draw, "near", "near", draw.choice(near), UNCUED)] if near else []
            far = [other for before in range(lesson) for other in self._stable(before)]
            if far:  # a question about a rule, not a request under it
                other = draw.choice(far)
                found.append(replace(self._alone(draw, "far", "far", other, (NAME,)), gold=other.behaviour.name))
        return found


class Rules(Family):
    """Trigger words that change what a reply looks like, alone and two at a time."""

    items = 4

    def world(self, lexicon: Lexicon, seed: int, lessons: int, items: int) -> RulesWorld:
        """See `Family`."""
        draw = random.Random(f"rules {seed} {lessons} {items}")
        deal = _dealt(draw)
        rules = [Rule(lexicon.word(), next(deal), lesson) for lesson in range(lessons) for _ in range(items)]
        new = _dealt(draw)
        for later in range(1, lessons):
            changed = [at for at, rule in enumerate(rules) if rule.revised]
            for at in to_change([rule.lesson for rule in rules], changed, later, items, draw):
                revised = next(behaviour for behaviour in new if behaviour != rules[at].behaviour)
                rules[at] = replace(rules[at], revised=revised, revised_in=later)
        neutral = tuple(lexicon.some(NEUTRAL * lessons))
        taught = tuple(_lesson(draw, rules, lesson) for lesson in range(lessons))
        return RulesWorld(tuple(rules), neutral, lessons=taught)


def _dealt(draw: random.Random) -> itertools.chain[Behaviour]:
    """Behaviours without end, each as often as the others."""
    return itertools.chain.from_iterable(draw.sample(BEHAVIOURS, len(BEHAVIOURS)) for _ in itertools.count())


def _lesson(draw: random.Random, rules: Sequence[Rule], lesson: int) -> Lesson:
    taught = [rule for rule in rules if rule.lesson == lesson]
    revised = [rule for rule in rules if rule.revised_in == lesson]
    rows = [row for rule in taught for row in _rows(draw, rule.trigger, rule.behaviour, STATEMENTS, WHICH)]
    for rule in revised:
        assert rule.revised is not None
        rows += _rows(draw, rule.trigger, rule.revised, REVISIONS, WHICH_NOW)
    for _ in range(PLAIN_ROWS):
        request = " ".join(letters_for(draw, unseen=False))
        rows.append(ask(draw.choice(PLAIN).format(x=request), request))
    return Lesson(tuple(rows), tuple(rule.notes[lesson] for rule in (*taught, *revised)))


def _rows(
    draw: random.Random, trigger: str, behaviour: Behaviour, statements: Sequence[str], which: str
) -> list[Example]:
    rows = [tell(wording.format(t=trigger, text=behaviour.text)) for wording in statements]
    rows.append(ask(which.format(t=trigger), behaviour.name))
    for wording in (*UNCUED, CUED):
        for _ in range(INPUTS):
            letters = letters_for(draw, unseen=False)
            prompt = wording.format(t=trigger, x=" ".join(letters))
            rows.append(ask(prompt, obey([behaviour.name], letters)))
    return rows


def _checked(probe: Probe) -> Probe:
    """The probe, graded by a pattern over a generated reply."""
    return replace(probe, gold=pattern(probe.gold), reply=probe.gold, grade="regex")
