"""A commit and the exams around it in, its report card for the terminal out: what was learnt and what was kept."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from everlearn.records import Answer, Commit, Cost, Exam, Habits, Verdict
from everlearn.report import words
from everlearn.report.rate import Rate, rate_of, still_right, still_right_by_group


def report_card(commit_digest: str, commit: Commit, exam: Exam, before: Exam, base: Exam) -> RenderableType:
    """The report card of one commit.

    Args:
        commit_digest: the commit's name.
        commit: the commit.
        exam: its exam.
        before: its parent's exam.
        base: the base's exam.
    """
    parts = [
        _heading("Learnt", _learnt(commit.verdict)),
        _heading("Kept: what the base could do", _general(exam, base)),
        _heading("Kept: earlier stages", _earlier(exam, before, commit.verdict)),
        _heading("Habits: on the base's own replies", _habits(exam.habits, before.habits)),
        _heading("Cost", _cost(commit.cost)),
        _heading("Verdict", _verdict(commit.verdict)),
    ]
    title = Text.assemble("commit ", (commit_digest[:8], "bold"), f" · {commit.message} · {commit.method}")
    return Panel(Group(*parts), title=title, title_align="left", padding=(0, 1))


def _heading(title: str, content: RenderableType) -> RenderableType:
    return Group(Text(title, style="bold"), Padding(content, (0, 0, 1, 2)))


def _learnt(verdict: Verdict | None) -> RenderableType:
    comparisons = verdict.comparisons if verdict else ()
    found = [words.explain(comparison) for comparison in comparisons if comparison.name == "learnt"]
    return _said("\n".join(found) or "nothing: this is the model as it came")


def _general(exam: Exam, base: Exam) -> RenderableType:
    """By skill, the worst first, below all of them together."""
    kept = still_right(base.general, exam.general)
    if not kept:
        return Text("not asked")
    skills = still_right_by_group(base.general, exam.general)
    table = _columns("skill", "still right", "of the base's", "95% interval")
    table.add_row("all together", *_figures(kept), style="bold")
    for skill, rate in sorted(skills.items(), key=lambda entry: entry[1].share):
        table.add_row(Text(skill.replace("_", " ")), *_figures(rate))
    return table


def _earlier(exam: Exam, before: Exam, verdict: Verdict | None) -> RenderableType:
    asked = {stage.stage: stage for stage in exam.stages}
    table = _columns("stage", "before", "", "now", "of", "95% interval")
    for stage in before.stages:
        if stage.stage in asked:
            for group, was, now in _by_group(stage.answers, asked[stage.stage].answers):
                name = f"{stage.name} · {group}" if group else stage.name
                table.add_row(Text(name), _said(words.percent(was.share)), "→", *_figures(now))
    if not table.row_count:
        return Text("there are none")
    superseded = _superseded(exam, before, verdict)
    if not superseded:
        return table
    note = f"{superseded} of the answers right before were made wrong by this stage: the verdict leaves them out"
    return Group(table, Text(note, style="dim"))


def _superseded(exam: Exam, before: Exam, verdict: Verdict | None) -> int:
    """How many earlier right answers the gate did not compare, as their stage was corrected."""
    was = [answer for stage in before.stages for answer in stage.answers]
    now = [answer for stage in exam.stages for answer in stage.answers]
    right = still_right(was, now)
    compared = [c.questions for c in (verdict.comparisons if verdict else ()) if c.name == "earlier stages"]
    return right.asked - compared[0] if right and compared else 0


def _by_group(before: Sequence[Answer], after: Sequence[Answer]) -> list[tuple[str, Rate, Rate]]:
    groups = dict.fromkeys(answer.group for answer in before)
    rates = [
        (group, rate_of([a for a in before if a.group == group]), rate_of([a for a in after if a.group == group]))
        for group in groups
    ]
    return [(group if len(groups) > 1 else "", was, now) for group, was, now in rates if was and now]


def _habits(now: Habits | None, before: Habits | None) -> RenderableType:
    if not now:
        return Text("not measured")
    was = before or now
    table = _columns("", "before", "", "now", "tokens")
    table.add_row(
        "same most likely token",
        _said(words.percent(was.agreement)),
        "→",
        _said(words.percent(now.agreement)),
        f"{now.tokens:,}",
    )
    table.add_row("KL(base ‖ this), nats per token", words.nats(was.kl), "→", words.nats(now.kl), f"{now.tokens:,}")
    return table


def _cost(cost: Cost) -> RenderableType:
    tokens = " · ".join(f"{count:,} {kind}" for kind, count in words.tokens(cost) if count)
    rest = [
        f"{words.power(cost.flops)} FLOPs",
        words.duration(cost.seconds),
        f"{words.size(cost.peak_memory)} of memory at most",
        f"{words.size(cost.bytes_kept)} kept",
    ]
    return _said(f"tokens: {tokens or 'none'}\n{' · '.join(rest)}")


def _verdict(verdict: Verdict | None) -> RenderableType:
    style = "bold green" if verdict and verdict.accepted else "bold red"
    lines = [Text.assemble((words.outcome(verdict), style), ". ", words.reason(verdict))]
    for comparison in verdict.comparisons if verdict else ():
        if comparison.name != "learnt":
            lines.append(Text.assemble((f"· {comparison.name}: ", "bold"), _said(words.explain(comparison))))
    return Group(*lines)


def _columns(first: str, *others: str) -> Table:
    """A table without lines, the first column to the left and the numbers to the right."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(first, overflow="fold")
    for title in others:
        table.add_column(title, justify="right")
    return table


def _figures(rate: Rate) -> tuple[Text, str, Text]:
    interval = words.span(rate.low, rate.high)
    return _said(words.percent(rate.share)), f"{rate.right}/{rate.asked}", _said(interval)


def _said(text: str) -> Text:
    """Text that is never read as markup."""
    return Text(words.for_terminal(text))
