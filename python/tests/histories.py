"""Hostile histories: few ids and times, and everything that makes them compete."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Event = dict[str, Any]

POLICIES = ("split", "first", "last", "strict")
MERGES = ("none", "user_id")


def hostile(count: int, seed: int) -> Iterator[Event]:
    """So many events of shared devices, chains of aliases, groups, blocked, odd and missing ids."""
    dice = random.Random(seed)
    people = max(8, count // 25)

    def one_of(kind: str, odd: list[Any]) -> Any:
        roll = dice.random()
        if roll < 0.12:
            return None
        if roll < 0.2:
            return dice.choice(odd)
        # Low numbers are shared by many.
        return f"{kind}{int(people * dice.random() ** 2)}"

    def email() -> Any:
        odd = ["K@staff.example", "test-1@acme.example", "no address", 7, "", "Pat <p1@acme.example>"]
        chosen = one_of("p", odd)
        is_usual = isinstance(chosen, str) and chosen[:1] == "p" and chosen[1:].isdigit()
        return f"{chosen}@acme.example" if is_usual else chosen

    for number in range(count):
        at = dice.randrange(60 * 24 * 75)
        day, minute = divmod(at, 60 * 24)
        month, day = divmod(day, 28)
        event: Event = {
            "messageId": f"m{dice.randrange(count * 20)}",
            "anonymousId": one_of("a", ["guest", "x", 7, "9223372036854775808", " "]),
            "userId": one_of("u", ["guest", "p1@acme.example", 7, 9223372036854775807]),
            "timestamp": f"2025-{month + 4:02}-{day + 1:02}T{minute // 60:02}:{minute % 60:02}:00Z",
        }
        event = {name: value for name, value in event.items() if value is not None}
        if "anonymousId" not in event and "userId" not in event and number % 3:
            event["anonymousId"] = f"a{number}"
        call = dice.choices(
            ["track", "page", "identify", "alias", "group"], [8, 4, 4, 2, 1]
        )[0]
        event["type"] = call
        if call == "track":
            event |= {"event": dice.choice(["Demo", "Ping", "Pong"]), "properties": {"n": number % 5}}
            if dice.random() < 0.2:
                event["properties"]["email"] = email()
        elif call == "identify":
            event["traits"] = {"email": email(), "name": dice.choice(["Ann", "Bob", ""])}
        elif call == "alias":
            # Chains: a user id leads to the next.
            known = int(people * dice.random())
            event |= {"previousId": f"u{known}", "userId": f"u{(known + 1) % people}"}
        elif call == "group":
            event |= {"groupId": f"g{number % 9}", "traits": {"name": f"Group {number % 4}"}}
        yield event


def deletions(count: int, seed: int, people: int) -> Iterator[Event]:
    """Deletion requests, some without a time."""
    dice = random.Random(seed)
    for number in range(count):
        request: Event = {
            "type": "delete", "messageId": f"d{number}", "userId": f"u{dice.randrange(people)}"
        }
        if number % 2:
            request["timestamp"] = f"2025-05-{dice.randrange(1, 28):02}T12:00:00Z"
        yield request


def write(folder: Path, events: list[Event], more: list[bytes], seed: int, files: int) -> Path:
    """The events in several files, a tenth of them twice, among lines that are no events."""
    dice = random.Random(seed)
    lines = [json.dumps(event).encode() for event in events] + more
    lines += dice.sample(lines, len(lines) // 10)
    lines += [b'{"no": "event"}', b"not JSON", b'{"type": "track"']
    dice.shuffle(lines)
    folder.mkdir()
    for file in range(files):
        (folder / f"{file:02}.ndjson").write_bytes(b"\n".join(lines[file::files]) + b"\n")
    return folder


def rules(path: Path, policy: str, merge: str, more: str = "") -> Path:
    """A rules file with these settings."""
    path.write_text(f"""version = 1
[plan]
raw_signals = 900
active_leads = 40
period = "month"
[identity]
policy = "{policy}"
merge = "{merge}"
max_emails = 4
block = ["guest", "test-*"]
internal_domains = ["staff.example"]
{more}
[[rule]]
id = "demo"
when = "event = 'Demo'"
type = "demo"
high_intent = true
score = 7
identify = true
[rule.map]
email = ["properties.email"]
n = ["properties.n"]
[[rule]]
id = "page"
when = "type = 'page'"
type = "visit"
score = 1
limit = 3
[rule.map]
url = ["context.page.url"]
""")
    return path
