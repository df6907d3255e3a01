"""Reads pages and Markdown as a browser would: prints, by file, the elements that they have, with what
they do, as one JSON object."""

import json
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

from markdown_it import MarkdownIt


class Elements(HTMLParser):
    def __init__(self):
        super().__init__()
        self.names = Counter()
        self.active = []
        self.texts = []

    def handle_starttag(self, tag, attrs):
        self.names[tag] += 1
        for name, value in attrs:
            value = (value or "").strip().lower()
            if (tag, name, value) == ("link", "href", "data:,"):
                continue  # no icon is asked for
            if name.startswith("on") or value.startswith(("javascript:", "http:", "data:")):
                self.active.append(f"{tag} {name}={value[:40]}")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_data(self, data):
        self.texts.append(data)


def read(html):
    elements = Elements()
    elements.feed(html)
    elements.close()
    return {"elements": elements.names, "active": elements.active, "text": "".join(elements.texts)}


markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
said = {}
for file in sorted(Path(sys.argv[1]).iterdir()):
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".html":
        said[file.name] = read(text)
    elif file.suffix == ".md":
        said[file.name] = read(markdown.render(text))
    elif file.suffix == ".xml":
        root = ElementTree.fromstring(text)
        names = Counter(element.tag for element in root.iter())
        said[file.name] = {"elements": names, "active": [], "text": "".join(root.itertext())}

print(json.dumps(said))
