"""Numbers of things in, a grid for each family and number out, all of them asked about the same few first things.

Every grid has one family alone, in lessons of one size and as many of them as it takes. Who learns is asked at the end
alone, and about the first lessons alone: what an exam costs does not grow with what was learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from everlearn.bench.arms import CONTEXT, JOINT, SOLO
from everlearn.bench.grid import Grid, Request
from everlearn.bench.recording import read_stream
from everlearn.bench.request import Wish, resolve
from everlearn.bench.stream import SYLLABLES, Plan, family, generate
from everlearn.errors import EverlearnError, SettingsError

COUNTS = (4, 16, 64, 256)
"""Things that are taught where nothing else was asked for."""

COUNTS_OF = {"facts": (10, 100, 1000, 3000)}
"""The same for families whose things are small."""

ASKED = 16
"""Things that are asked about, at most; one lesson's in any case."""


@dataclass(frozen=True)
class Ladder:
    """What a person asks for; what is left out is the tier's."""

    tier: str
    methods: tuple[str, ...]
    """As in `Wish`."""
    families: tuple[str, ...]
    counts: tuple[int, ...] = ()
    """Things to teach; empty for those that each family has of its own."""
    streams: int = 1
    model: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    warmup: bool | None = None
    """As `Wish.warmup`."""


@dataclass(frozen=True)
class Rung:
    """One family at one number of things."""

    family: str
    count: int
    """Things taught."""
    grid: Grid

    @property
    def name(self) -> str:
        """As its folder is called."""
        return name_of(self.family, self.count)

    @property
    def lessons(self) -> int:
        """Lessons, which are stages here."""
        return self.grid.request.plan.rounds

    @property
    def asked(self) -> int | None:
        """Things of which there are atom probes, in the first stream that has been drawn; None where none has."""
        for seed in self.grid.request.seeds:
            if (self.grid.stream_path(seed) / "probes.jsonl").is_file():
                probes = read_stream(self.grid.stream_path(seed)).probes
                return len({probe.key for probe in probes if probe.axis == "atom"})
        return None


def name_of(family_name: str, count: int) -> str:
    """`operators-64`."""
    return f"{Path(family_name).stem}-{count}"


def rungs_of(ladder: Ladder, folder: Path) -> tuple[Rung, ...]:
    """All grids of a ladder, in folders of their own, by family and by number; nothing is written.

    Raises:
        EverlearnError: as `resolve`; an arm that cannot be asked at the end alone; or things that a family cannot make:
            their number is no multiple of a lesson, or it has no words or attributes left.
    """
    if not ladder.families:
        raise SettingsError("no family was named", "name what shall grow: --families operators,facts")
    if not ladder.methods:
        raise SettingsError("no method was named", "name one at least: --methods finetune")
    if SOLO in ladder.methods:
        raise SettingsError(f"{SOLO} has a model for each stage, and here one is asked at the end", f"leave {SOLO} out")
    wish = Wish(
        ladder.tier,
        (JOINT, CONTEXT, *(name for name in ladder.methods if name not in (JOINT, CONTEXT))),
        ladder.streams,
        references=False,
        model=ladder.model,
        families=ladder.families,
        settings=ladder.settings,
        warmup=ladder.warmup,
    )
    request = resolve(wish)
    return tuple(
        Rung(Path(name).stem, count, Grid(folder / name_of(name, count), replace(request, plan=plan)))
        for name in dict.fromkeys(request.plan.families)
        for count, plan in _plans(request, name, ladder.counts)
    )


def lesson_size(name: str, usual: int, counts: Sequence[int]) -> int:
    """Things in each lesson: a size near the usual one, of which every larger number is a multiple.

    Raises:
        SettingsError: there is no such size between half and twice the usual one.
    """
    sizes = sorted(range(-(-usual // 2), 2 * usual + 1), key=lambda size: (abs(size - usual), size))
    found = next((size for size in sizes if all(n <= size or n % size == 0 for n in counts)), None)
    if found is None:
        said = ", ".join(f"{n:,}" for n in counts)
        raise SettingsError(
            f"{said} things of {Path(name).stem} cannot be cut into lessons of one size",
            f"take multiples of {usual}: --counts {usual},{4 * usual},{16 * usual}",
        )
    return found


def notes_of(rungs: Sequence[Rung]) -> tuple[str, ...]:
    """What a reader must know of these grids."""
    notes = []
    for name in dict.fromkeys(rung.family for rung in rungs):
        own = [rung for rung in rungs if rung.family == name]
        plan = own[-1].grid.request.plan
        if plan.syllables > SYLLABLES[0]:
            notes.append(
                f"{name}: invented words have {plan.syllables} syllables at every size, as those of {SYLLABLES[0]} are "
                f"too few for {own[-1].count:,} things"
            )
        size = own[-1].count // own[-1].lessons
        fixed = min(size * plan.probed, own[-1].count)
        small = [f"{rung.count:,}" for rung in own if rung.count < fixed]
        if small:
            notes.append(
                f"{name}: probes are about the first {fixed} things at most; {', '.join(small)} are fewer than that"
            )
    return tuple(notes)


def _plans(request: Request, name: str, wanted: Sequence[int]) -> list[tuple[int, Plan]]:
    """By number of things, ascending, the plan that teaches them."""
    counts = sorted(set(wanted or COUNTS_OF.get(Path(name).stem, COUNTS)))
    if counts[0] < 1:
        raise SettingsError(f"{counts[0]} things cannot be taught", "take one at least: --counts")
    maker = family(name)
    size = lesson_size(name, maker.items, counts)
    plan = replace(
        request.plan,
        families=(name,),
        together=0,
        per_kind=min(request.plan.per_kind, -(-size // 2)),  # half of a lesson never changes: as many at every number
        probed=max(1, ASKED // size),
        asked="end",
    )
    plans = [(n, replace(plan, rounds=-(-n // size), scale=min(n, size) / maker.items)) for n in counts]
    syllables = _syllables(*plans[-1], request.seeds)
    return [(n, replace(one, syllables=syllables)) for n, one in plans]


def _syllables(count: int, plan: Plan, seeds: Sequence[int]) -> int:
    """Syllables that the words of the largest number need on some stream: those of all numbers get as many.

    Raises:
        SettingsError: the family cannot make so many things.
    """
    name = Path(plan.families[0]).stem
    longest = plan.syllables
    for seed in seeds:
        try:
            stream = generate(plan, seed)
            if stream.stages == generate(replace(plan, syllables=SYLLABLES[-1]), seed).stages:
                longest = SYLLABLES[-1]
        except (EverlearnError, ValueError) as error:
            said = error.problem if isinstance(error, EverlearnError) else str(error)
            raise SettingsError(f"{name} cannot make {count:,} things: {said}", "ask for fewer: --counts") from None
        notes = {note for stage in stream.stages for note in stage.notes}
        if len(notes) < count:
            raise SettingsError(
                f"{name} makes only {len(notes):,} things where {count:,} were asked for", "ask for fewer: --counts"
            )
    return longest
