"""Nothing in; a made-up store of four commits, what is recorded in it, and its page out."""

import pytest
from made_up_store import fill
from page_reader import Page

from everlearn.report.page import write_report
from everlearn.report.recording import read_recording
from everlearn.store import Store


@pytest.fixture(scope="session")
def made_up(tmp_path_factory):
    """A store with a base and three weeks; tests only read it."""
    store = Store.create(tmp_path_factory.mktemp("made_up"))
    fill(store)
    return store


@pytest.fixture(scope="session")
def recording(made_up):
    """What is recorded in the made-up store."""
    return read_recording(made_up)


@pytest.fixture(scope="session")
def page(made_up, tmp_path_factory):
    """The text of the made-up store's report."""
    return write_report(made_up, tmp_path_factory.mktemp("report") / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def read(page):
    """The same text, taken apart."""
    return Page(page)
