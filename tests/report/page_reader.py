"""The text of a page in, its elements and its visible words out."""

from html.parser import HTMLParser
from typing import NamedTuple


class Element(NamedTuple):
    """A start tag."""

    tag: str
    attributes: dict[str, str]


class Page(HTMLParser):
    """Everything a test asks of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.words = []
        self.inside = {"style": "", "script": ""}
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append(Element(tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag):
        self._open = ""

    def handle_data(self, data):
        if self._open in self.inside:
            self.inside[self._open] += data
        else:
            self.words.append(data)

    @property
    def text(self):
        """The visible words, one space between any two."""
        return " ".join("".join(self.words).split())

    def all(self, tag, name="", value=""):
        """All elements of a tag, with a word in an attribute where that is asked."""
        return [e for e in self.elements if e.tag == tag and (not name or value in e.attributes.get(name, "").split())]

    @property
    def shape(self):
        """Tags with the names of their attributes: what no user text may change."""
        return [(element.tag, *element.attributes) for element in self.elements]
