"""Prints the content hash of each line of a file of events, by libraries that are not backtrail's.

usage: content_hash.py EVENTS.ndjson

The hash is the XXH3 (128 bits, seed 0) of the RFC 8785 form of the members below. Integers of up to
64 bits that no double holds stand in it digit for digit: RFC 8785 has no form for them.
"""

import json
import re
import sys

import rfc8785
import xxhash

MEMBERS = {
    "anonymousId", "category", "context", "event", "groupId", "messageId", "name",
    "originalTimestamp", "previousId", "properties", "timestamp", "traits", "type", "userId",
}
# No event of the tests has these characters.
MARK = "\ue123"


def integer(digits):
    value = int(digits)
    if not -(2**63) <= value < 2**64 or int(float(value)) == value:
        return float(value)
    return f"{MARK}{value}{MARK}"


def content_hash(line):
    event = json.loads(line, parse_int=integer)
    content = {name: event[name] for name in MEMBERS if event.get(name) is not None}
    if "originalTimestamp" in content:
        content.pop("timestamp", None)
    text = rfc8785.dumps(content).decode("utf-8")
    text = re.sub(f'"{MARK}(-?[0-9]+){MARK}"', r"\1", text)
    return xxhash.xxh3_128_hexdigest(text.encode("utf-8"))


def main(arguments):
    if len(arguments) != 1:
        print(__doc__)
        return 2
    with open(arguments[0], encoding="utf-8", newline="\n") as file:
        for line in file:
            print(content_hash(line))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
