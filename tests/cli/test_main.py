"""Words in, exit codes and the two lines of an error out."""

import subprocess
import sys

import pytest

from everlearn import cli
from everlearn.cli import log

HEAVY = ("torch", "transformers", "pydantic", "rich", "numpy", "argparse", "typing", "pathlib", "functools")


def test_help_starts_without_heavy_imports():
    script = (
        "import sys\nfrom everlearn.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "rollback  Move the branch back" in done.stdout


@pytest.mark.parametrize("verb", ["learn", "log", "exam", "diff", "doctor"])
def test_help_of_a_verb_starts_without_torch(verb):
    script = (
        "import sys\nfrom everlearn.cli import main\n"
        f"try:\n    main([{verb!r}, '--help'])\nexcept SystemExit:\n    pass\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_every_verb_has_a_short_line_of_help():
    lines = cli.verbs()
    assert {"learn", "ask", "chat", "exam", "log", "show", "diff", "verify", "rollback", "branch"} <= set(lines)
    assert {"export", "data", "doctor", "gc"} <= set(lines)
    too_long = [line for name, line in lines.items() if name != "demo" and not 10 < len(line) <= 68]
    assert not too_long


def test_no_verb_prints_the_help_and_is_a_usage_error(call):
    outcome = call()
    assert outcome.code == 2
    assert outcome.out == ""
    assert "verbs:" in outcome.err


@pytest.mark.parametrize("words", [["-h"], ["--help"], ["--json", "--help"]])
def test_help_is_the_same_wherever_it_is_asked_for(words, capsys):
    try:
        code = cli.main(words)
    except SystemExit as stop:
        code = stop.code
    said = capsys.readouterr().out
    assert code == 0
    assert said.startswith("usage: everlearn [--store DIR] VERB …\n\nTeach")
    assert said.endswith("  --traceback  show where an error arose\n")
    assert "  --store DIR  where to look for the store" in said


def test_an_unknown_verb_gets_the_nearest_name(usage_error):
    assert "everlearn: error: there is no verb 'lern'; did you mean 'learn'?" in usage_error("lern")


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("everlearn 0.")


@pytest.mark.parametrize("order", ["before", "after"])
def test_global_options_stand_before_or_after_the_verb(call, home, monkeypatch, order):
    monkeypatch.chdir("/")
    options = ["--store", str(home), "--json"]
    outcome = call(*options, "log") if order == "before" else call("log", *options)
    assert outcome.code == 0
    assert len(outcome.json) == 4


def test_an_error_is_exactly_two_lines(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = call("log")
    assert outcome.code == 1
    assert outcome.out == ""
    assert outcome.err == (
        "error: .: there is no store here or in any folder above\n"
        "hint: go to the folder of your store; `everlearn learn FILE` makes a new one\n"
    )


def test_traceback_shows_where_an_error_arose(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = call("log", "--traceback")
    assert outcome.code == 1
    assert "Traceback" in outcome.err
    assert outcome.err.endswith("makes a new one\n")


def test_ctrl_c_is_130(call, monkeypatch):
    monkeypatch.setattr(log, "open_store", lambda arguments: (_ for _ in ()).throw(KeyboardInterrupt))
    outcome = call("log")
    assert (outcome.code, outcome.err) == (130, "\ninterrupted\n")


def test_a_reader_that_stops_early_is_no_error(home):
    script = f"import sys; from everlearn.cli import main; sys.exit(main(['--store', {str(home)!r}, 'log']))"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_fault_of_ours_is_not_explained_away(monkeypatch):
    monkeypatch.setattr(log, "open_store", lambda arguments: (_ for _ in ()).throw(RuntimeError("broken")))
    with pytest.raises(RuntimeError, match="broken"):
        cli.main(["log"])
