"""Learn from a file or folder; keep the result if it passes the gate."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from everlearn.cli import DONE, REJECTED, headlines
from everlearn.cli.terminal.output import emit, say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from everlearn.cli.terminal.card import Card
    from everlearn.cli.terminal.plan import Plan
    from everlearn.cli.terminal.progress import Tell
    from everlearn.learner import Learner
    from everlearn.report.recording import Recording
    from everlearn.teaching import Learnt

PACKAGE = Path(__file__).parent.parent


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to learn, how, and what to do about an interrupted run."""
    parser.add_argument(
        "-h", "--help", action="store_true", help="show this; with --method, that method's settings too"
    )
    parser.add_argument("data", metavar="DATA", nargs="?", help="a file, a folder of files, or a skill folder")
    parser.add_argument("--questions", metavar="FILE", type=Path, help="held-out questions on what is learnt")
    parser.add_argument(
        "--method",
        metavar="NAME",
        help="a method, several joined by +, or the path of a file with one (default: anchored)",
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        type=_setting,
        default=[],
        help="one of the method's settings; again for more",
    )
    parser.add_argument(
        "--study",
        metavar="A+B",
        help="how documents become examples (default: rules+thesaurus+questions)",
    )
    parser.add_argument("--seed", type=int, default=0, help="for everything random (default: 0)")
    parser.add_argument("--message", metavar="TEXT", default="", help="a word on this version (default: DATA's name)")
    parser.add_argument("--model", metavar="NAME", help="for a new store: alias, directory or hub id")
    parser.add_argument("--dry-run", action="store_true", help="say what it would take, and do nothing")
    parser.add_argument("--resume", action="store_true", help="go on with the run that was interrupted")
    parser.add_argument("--discard", action="store_true", help="drop the run that was interrupted")
    strategies = _listed("study strategies", "study/strategies")
    parser.epilog = f"methods: `everlearn methods` lists them, with what each keeps and costs\n\n{strategies}"


def run(arguments: argparse.Namespace) -> int:
    """Learn, and print the report card; 3 if the gate rejects the result."""
    if arguments.help:
        _print_help(arguments)
        return DONE
    if arguments.discard:
        return _discard(arguments)
    if bool(arguments.data) == arguments.resume:
        arguments.parser.error("give DATA to learn from, or --resume, or --discard")
    if arguments.dry_run:
        return _forecast(arguments)
    return _learn(arguments)


def _learn(arguments: argparse.Namespace) -> int:
    from everlearn.cli.terminal.card import card_of
    from everlearn.report.recording import read_recording

    learner, learnt = _outcome(arguments)
    recording = read_recording(learner.store, learnt.digest)
    card = card_of(recording)
    emit(arguments, card, lambda: _page(card, recording, learner))
    return DONE if card.accepted else REJECTED


def _outcome(arguments: argparse.Namespace) -> tuple[Learner, Learnt]:
    from everlearn.cli.terminal.progress import display
    from everlearn.cli.terminal.stores import find_store, open_learner, store_folder
    from everlearn.learner import Learner

    try:
        with display() as tell:
            if arguments.resume:
                learner = open_learner(arguments, tell)
                return learner, learner.resume()
            plan = _plan(arguments, tell)
            if find_store(store_folder(arguments)) is None:
                say(f"a new store begins in {store_folder(arguments).resolve() / '.everlearn'}")
            learner = Learner(store_folder(arguments), plan.model, tell=tell)
            return learner, _learn_plan(learner, plan, arguments)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_how_to_go_on(arguments)) from None


def _learn_plan(learner: Learner, plan: Plan, arguments: argparse.Namespace) -> Learnt:
    return learner.learn_items(
        plan.items,
        plan.questions,
        plan.method_name,
        plan.settings,
        study=plan.study,
        seed=arguments.seed,
        name=plan.name,
        message=arguments.message,
    )


def _plan(arguments: argparse.Namespace, tell: Tell) -> Plan:
    from everlearn.train.run import Progress

    tell(Progress("reading the data", 0, 0))
    from everlearn.cli.terminal.plan import make_plan

    plan = make_plan(arguments)
    for note in plan.notes:
        say(f"note: {note}")
    return plan


def _how_to_go_on(arguments: argparse.Namespace) -> str:
    from everlearn.cli.terminal.stores import find_store, has_unfinished_run, store_folder

    store = find_store(store_folder(arguments))
    if store and has_unfinished_run(store):
        return "interrupted: `everlearn learn --resume` goes on, `everlearn learn --discard` drops the run"
    return "interrupted: nothing was learnt, and there is nothing to resume"


def _discard(arguments: argparse.Namespace) -> int:
    from everlearn.cli.terminal.stores import has_unfinished_run, open_store

    store = open_store(arguments)
    found = has_unfinished_run(store)
    store.clear_running()
    said = "the interrupted run is dropped; no version was touched" if found else "there was no interrupted run"
    emit(arguments, {"discarded": found}, lambda: said)
    return DONE


def _forecast(arguments: argparse.Namespace) -> int:
    from everlearn.cli.terminal.forecast import forecast, page_of
    from everlearn.cli.terminal.progress import display
    from everlearn.cli.terminal.stores import find_store, store_folder

    with display() as tell:
        plan = _plan(arguments, tell)
        found = forecast(plan, find_store(store_folder(arguments)), arguments.seed, tell)
    emit(arguments, found, lambda: page_of(found))
    return DONE


def _page(card: Card, recording: Recording, learner: Learner) -> RenderableType:
    from rich.console import Group

    from everlearn.cli.terminal.card import OWN_EXAMPLES, page_of
    from everlearn.cli.terminal.stores import short

    where = learner.store.branch() or "head"
    if card.accepted:
        placed = f"{where} is now at {short(card.id)}, on top of {short(card.parent)}"
    else:
        placed = f"{where} stays at {short(card.parent)}; what was refused is kept as {short(card.id)}"
    if card.asked == OWN_EXAMPLES:
        placed += "\nit was asked its own training examples; `--questions FILE` brings held-out ones"
    return Group(page_of(recording), placed, *_next(card, recording))


def _next(card: Card, recording: Recording) -> list[str]:
    """What a person may want to do now."""
    from everlearn.cli.terminal.output import clipped
    from everlearn.cli.terminal.stores import short

    if not card.accepted:
        return _commands(
            (f"everlearn show {short(card.id)} --answers", "what it answered"),
            (f'everlearn ask "…" --at {short(card.id)}', "ask it yourself"),
        )
    stage = recording.versions[-1].stage
    question = clipped(stage.questions[0].messages[-1].content, 44) if stage and stage.questions else "…"
    return _commands(
        (f'everlearn ask "{question}"', "try it"),
        ("everlearn diff", "what it learnt, question by question"),
        ("everlearn rollback", "undo it"),
    )


def _commands(*lines: tuple[str, str]) -> list[str]:
    width = max(len(command) for command, _ in lines)
    return [f"  {command:{width}}   {why}" for command, why in lines]


# --- help ---------------------------------------------------------------------------------------------------


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form KEY=VALUE, such as learning_rate=1e-4")
    return name, value


def _listed(title: str, folder: str) -> str:
    known = headlines(str(PACKAGE / folder))
    width = max(map(len, known))
    lines = [_wrapped(f"  {name:{width}}  ", line) for name, line in known.items()]
    return "\n".join([f"{title}:", *lines])


def _wrapped(start: str, text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 79, initial_indent=start, subsequent_indent=" " * len(start))


def _print_help(arguments: argparse.Namespace) -> None:
    if arguments.method:
        arguments.parser.epilog = _method_help(arguments.method)
    arguments.parser.print_help()


def _method_help(name: str) -> str:
    from everlearn.settings import settings_of
    from everlearn.stacking import method_called

    method: Any = method_called(name)
    lines = [f"settings of {name}, for --set:"]
    for setting in settings_of(method):
        lines.append(f"  {setting.name}={setting.default}")
        lines.append(_wrapped("      ", setting.help))
    return "\n".join(lines)
