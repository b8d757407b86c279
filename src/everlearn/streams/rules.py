"""A seed in; invented rules that change the format of a reply, and probes of them alone and together, out.

A rule has two invented words: its name, by which it is called for, and its trigger, at which it holds unasked.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from everlearn.nonce import Lexicon
from everlearn.records import Example
from everlearn.streams.contract import Axis, Family, Lesson, Probe, World, ask, tell
from everlearn.streams.worlds.drawing import others, repeated, shuffled, to_change, wrong_replies
from everlearn.streams.worlds.reply_formats import BEHAVIOURS, PAIRS, Behaviour, dealt, obey, pattern

LETTERS = "bcdfghjklmnpqrstvwxz"
"""What requests are about; no vowel, so that no letter is an English word."""
LENGTHS = (2, 3, 3, 4)
"""Letters in a request, as often as they stand here."""
INPUTS = 5
"""Requests for each rule and each wording that has one."""
PLAIN_ROWS = 8
"""Requests without a trigger in each lesson: else a lesson of one rule would say that the rule always holds."""
NEUTRAL = 4
"""Words of each lesson that are never taught; they stand where a trigger would, in probes only."""
BRIDGES = 20
"""Rows of each lesson on two of its own rules, in the wordings of compositions, whose format would else be unlearnt."""
ORDER = "where two rules hold: first the list, then what joins it, then the end or parentheses, then the beginning."
"""What is common to all worlds, of use where two rules go together; it is in no lesson's notes."""

STATEMENTS = ("the {n} rule: when you read {t}, {text}.", "{t} calls for the {n} rule: {text}.")
WHICH = ("what is the {n} rule?", "what does {t} call for?")
UNCUED = ("{t}: say {x}", "{t}: copy {x}", "for {t}, say {x}", "copy {x}, {t}")
"""Wordings with the trigger."""
CUED = ("use the {n} rule: say {x}", "with the {n} rule, copy {x}", "say {x} by the {n} rule", "copy {x}: the {n} rule")
"""As many with the name: both are trained alike, so that cued and un-cued use differ in nothing else."""
UNSEEN = ("{t}, write {x}", "write {x} for {t}", "{t}; please say {x}", "please copy {x}; {t}")
"""Wordings that no lesson uses."""
REVISIONS = (
    "from now on the {n} rule: when you read {t}, {text}.",
    "from now on {t} calls for the new {n} rule: {text}.",
)
WHICH_NOW = ("what is the {n} rule now?", "what does {t} call for now?")
FORMERLY = ("by the old {n} rule, say {x}", "before the change, {t}: copy {x}")
NAME = "name the {n} rule"
PLAIN = ("say {x}", "copy {x}", "please say {x}", "please copy {x}")
TOGETHER = ("{t} and {u}: say {x}", "for {t} and {u}, copy {x}")
SPELT_OUT = ("{t} and {u}: name the rules, then say {x}", "name the rules of {t} and {u}, then copy {x}")


@dataclass(frozen=True)
class Rule:
    """What a name and a trigger call for, and what they do once a later lesson has revised it."""

    name: str
    trigger: str
    behaviour: Behaviour
    lesson: int
    revised: Behaviour | None = None
    revised_in: int = -1

    @property
    def key(self) -> str:
        """The thing that probes ask about."""
        return f"rules:{self.name}"

    @property
    def notes(self) -> dict[int, str]:
        """What lessons say of it, in short, by lesson."""
        rule = f"the {self.name} rule, {self.trigger}"
        notes = {self.lesson: f"{rule}: {self.behaviour.text}."}
        return notes | ({self.revised_in: f"from now on {rule}: {self.revised.text}."} if self.revised else {})

    @property
    def behaviours(self) -> tuple[Behaviour, ...]:
        """What it does at first, and what it does since its revision."""
        return (self.behaviour, *([self.revised] if self.revised else []))

    def put(self, wording: str, request: str = "", text: str = "") -> str:
        """The wording with this rule's words in it."""
        return wording.format(n=self.name, t=self.trigger, x=request, text=text)


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
    bridged: frozenset[frozenset[str]]
    """Keys of the pairs of rules that lessons show together; no probe asks for these pairs."""

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
            *(replace(self._alone(draw, "named", "atom", rule, CUED), cue="cued") for rule in asked),
            *(_checked(self._alone(draw, "triggered_paraphrase", "atom", rule, UNSEEN)) for rule in asked),
        ]

    def _triggered(self, draw: random.Random, rule: Rule) -> Probe:
        return replace(self._alone(draw, "triggered", "atom", rule, UNCUED), cue="uncued")

    def _alone(self, draw: random.Random, kind: str, axis: Axis, rule: Rule, wordings: Sequence[str]) -> Probe:
        """A probe of one trigger in a new request; of kind `revised`, of what it does since its revision."""
        letters = letters_for(draw, unseen=True)
        behaviour = rule.revised if kind == "revised" and rule.revised else rule.behaviour
        prompt = rule.put(draw.choice(wordings), " ".join(letters))
        changed = {"revised": (rule.revised_in,), "before_revision": (rule.lesson, rule.revised_in)}
        parts, reading = changed.get(kind, (rule.lesson,)), self._reading(draw, [rule])
        reply, values = obey([behaviour.name], letters), len(BEHAVIOURS) - (kind == "revised")  # not what it did
        rivals = wrong_replies((obey([other.name], letters) for other in self._behaviours(rule)), reply)
        return Probe("rules", kind, axis, prompt, reply, rule.key, parts, values, reading=reading, rivals=rivals)

    def _behaviours(self, *without: Rule) -> list[Behaviour]:
        """What the other rules do, at first or later."""
        return [behaviour for rule in self.rules if rule not in without for behaviour in rule.behaviours]

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
            rivals = wrong_replies((obey([other.name], letters) for other in self._behaviours()), reply)
            found.append(_checked(replace(probe, rivals=rivals)))
        return found

    def _pairs(self, draw: random.Random, lesson: int, count: int) -> list[Probe]:
        """Two triggers in one request: both of this lesson, never shown together, or one of an earlier lesson."""
        here = self._stable(lesson)
        earlier = [rule for before in range(lesson) for rule in self._stable(before)]
        found = []
        for across, mates in ((True, earlier), (False, here)):
            for explicit in (False, True):
                for rule in repeated(here, count, draw):
                    if fitting := [other for other in mates if self._are_asked(rule, other)]:
                        pair = draw.sample([rule, draw.choice(fitting)], 2)
                        found.append(self._pair(draw, pair, across, explicit))
        return found

    def _are_asked(self, rule: Rule, other: Rule) -> bool:
        return _go_together(rule, other) and frozenset((rule.key, other.key)) not in self.bridged

    def _pair(self, draw: random.Random, pair: Sequence[Rule], across: bool, explicit: bool) -> Probe:
        letters = letters_for(draw, unseen=True, longest=3)
        behaviours = [rule.behaviour for rule in pair]
        prompt = _put_together(draw.choice(SPELT_OUT if explicit else TOGETHER), pair, letters)
        answer, reply = obey([one.name for one in behaviours], letters), _reply(behaviours, letters, explicit)
        kind = ("two_triggers" if across else "two_within") + ("_explicit" if explicit else "")
        atoms = tuple(rule.key for rule in pair)
        key, parts = "+".join(sorted(atoms)), tuple(sorted({rule.lesson for rule in pair}))
        known = min(pair, key=lambda rule: rule.lesson).behaviour.slot
        values = sum(other.slot != known for other in BEHAVIOURS) if across else PAIRS
        probe = Probe("rules", kind, "composition", prompt, reply, key, parts, values, (), atoms, explicit)
        # Of an explicit reply only the end is graded: what comes before it may be put in other words.
        gold = (r".*\bso\s+" if explicit else "") + pattern(answer)
        swaps = [[other, behaviours[1]] for other in self._behaviours(*pair)]
        swaps += [[behaviours[0], other] for other in self._behaviours(*pair)]
        wrong = (_reply(swap, letters, explicit) for swap in swaps if swap[0].slot != swap[1].slot)
        probe = replace(probe, rivals=wrong_replies(wrong, reply), reading=(*self._reading(draw, pair), ORDER))
        return replace(probe, gold=gold, reply=reply, grade="regex")

    def _overwriting(self, draw: random.Random, lesson: int, count: int) -> list[Probe]:
        """What this lesson has revised, by the new and by the old rule, and what it has not touched."""
        found = []
        for rule in repeated([rule for rule in self.rules if rule.revised_in == lesson], count, draw):
            found.append(self._alone(draw, "revised", "adapt", rule, (*UNCUED, *CUED, *UNSEEN)))
            found.append(self._alone(draw, "before_revision", "scope", rule, FORMERLY))
            near = self._stable(rule.lesson)
            found += [self._alone(draw, "near", "near", draw.choice(near), UNCUED)] if near else []
            far = [other for before in range(lesson) for other in self._stable(before)]
            if far:  # a question about a rule, not a request under it
                other = draw.choice(far)
                gold = other.behaviour.name
                rivals = wrong_replies((behaviour.name for behaviour in self._behaviours(other)), gold)
                found.append(replace(self._alone(draw, "far", "far", other, (NAME,)), gold=gold, rivals=rivals))
        return found


class Rules(Family):
    """Rules with a name and a trigger that change what a reply looks like, alone and two at a time."""

    items = 4

    def world(self, lexicon: Lexicon, seed: int, lessons: int, items: int) -> RulesWorld:
        """See `Family`."""
        draw = random.Random(f"rules {seed} {lessons} {items}")
        # Each lesson is dealt for itself: somebody who knows all the others cannot count out what is left.
        deals = [itertools.islice(dealt(draw), items) for _ in range(lessons)]
        rules = [
            Rule(lexicon.word(), lexicon.word(), what, lesson) for lesson, deal in enumerate(deals) for what in deal
        ]
        free = [at for at in range(len(rules)) if not _stays(at, items)]
        for later in range(1, lessons):
            new = dealt(draw)
            changed = [place for place, at in enumerate(free) if rules[at].revised]
            for place in to_change([rules[at].lesson for at in free], changed, later, items, draw):
                at = free[place]
                revised = next(behaviour for behaviour in new if behaviour != rules[at].behaviour)
                rules[at] = replace(rules[at], revised=revised, revised_in=later)
        neutral = tuple(lexicon.some(NEUTRAL * lessons))
        bridges = [_bridged(draw, rules, lesson) for lesson in range(lessons)]
        taught = tuple(_lesson(draw, rules, lesson, pairs) for lesson, pairs in enumerate(bridges))
        bridged = frozenset(frozenset(rule.key for rule in pair) for pairs in bridges for pair in pairs)
        return RulesWorld(tuple(rules), neutral, bridged, lessons=taught)


def _stays(at: int, items: int) -> bool:
    """Whether the rule at this place is never revised: the first two of a lesson are not, since it shows them together.
    Of lessons of two only the first one stays so: something must change."""
    return at % items < 2 <= items and (items > 2 or at < items)


def _go_together(rule: Rule, other: Rule) -> bool:
    return rule.behaviour.slot != other.behaviour.slot


def _bridged(draw: random.Random, rules: Sequence[Rule], lesson: int) -> list[tuple[Rule, Rule]]:
    """Pairs of a lesson's rules, never revised, to show together: the first two rules (see `_stays`) and others, half
    of all, rounded up, at most BRIDGES; of three rules or fewer, one pair."""
    taught = [rule for rule in rules if rule.lesson == lesson]
    here = [rule for rule in taught if rule.revised is None]
    pairs = [pair for pair in itertools.combinations(here, 2) if _go_together(*pair)]
    more = min((len(pairs) - 1) // 2, BRIDGES - 1) if len(taught) > 3 else 0
    return [*pairs[:1], *draw.sample(pairs[1:], max(0, more))]


def _lesson(draw: random.Random, rules: Sequence[Rule], lesson: int, bridged: Sequence[tuple[Rule, Rule]]) -> Lesson:
    taught = [rule for rule in rules if rule.lesson == lesson]
    revised = [rule for rule in rules if rule.revised_in == lesson]
    rows = [row for rule in taught for row in _rows(draw, rule, rule.behaviour, STATEMENTS, WHICH)]
    for rule in revised:
        assert rule.revised is not None
        rows += _rows(draw, rule, rule.revised, REVISIONS, WHICH_NOW)
    for _ in range(PLAIN_ROWS):
        request = " ".join(letters_for(draw, unseen=False))
        rows.append(ask(draw.choice(PLAIN).format(x=request), request))
    pairs = shuffled(repeated(bridged, BRIDGES, draw), draw)  # else two pairs would have but half of the wordings each
    for pair, wording in zip(pairs, itertools.cycle((*TOGETHER, *SPELT_OUT)), strict=False):
        letters, order = letters_for(draw, unseen=False, longest=3), draw.sample(pair, 2)
        reply = _reply([rule.behaviour for rule in order], letters, explicit=wording in SPELT_OUT)
        rows.append(ask(_put_together(wording, order, letters), reply))
    return Lesson(tuple(rows), tuple(rule.notes[lesson] for rule in (*taught, *revised)))


def _rows(
    draw: random.Random, rule: Rule, behaviour: Behaviour, statements: Sequence[str], which: Sequence[str]
) -> list[Example]:
    rows = [tell(rule.put(wording, text=behaviour.text)) for wording in statements]
    rows += [ask(rule.put(wording), behaviour.name) for wording in which]
    for wording in (*UNCUED, *CUED):
        for _ in range(INPUTS):
            letters = letters_for(draw, unseen=False)
            rows.append(ask(rule.put(wording, " ".join(letters)), obey([behaviour.name], letters)))
    return rows


def _put_together(wording: str, pair: Sequence[Rule], letters: Sequence[str]) -> str:
    return wording.format(t=pair[0].trigger, u=pair[1].trigger, x=" ".join(letters))


def _reply(pair: Sequence[Behaviour], letters: Sequence[str], explicit: bool) -> str:
    """What two behaviours make of a request; with `explicit`, after their names."""
    answer = obey([one.name for one in pair], letters)
    return f"{pair[0].name} and {pair[1].name}, so {answer}" if explicit else answer


def _checked(probe: Probe) -> Probe:
    """The probe, graded by a pattern over a generated reply."""
    return replace(probe, gold=pattern(probe.gold), reply=probe.gold, grade="regex")
