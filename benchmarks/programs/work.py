"""Ordinary Python: JSON, dictionaries, objects, text, sorting. Prints a checksum; argument: SCALE."""

import json
import re
import sys
import zlib

scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
state = 1


def below(n):
    global state
    state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
    return (state >> 33) % n


class Account:
    def __init__(self, number, owner):
        self.number, self.owner, self.history, self.balance = number, owner, [], 0

    def book(self, amount, why):
        self.history.append((amount, why))
        self.balance += amount


def documents(n):
    total = 0
    for i in range(n):
        record = {"id": i, "name": f"record {i}", "tags": [f"tag{below(50)}" for _ in range(below(8))],
                  "points": [{"x": below(1000) / 7, "y": below(1000) / 3, "label": "p" * below(40)} for _ in range(12)],
                  "text": "lorem ipsum dolor " * below(30)}
        text = json.dumps(record, sort_keys=True)
        total = zlib.crc32(text.encode(), total)
        total += len(json.loads(text)["points"])
    return total


def accounts(n):
    table = {}
    for i in range(n):
        number = below(4000)
        account = table.get(number) or table.setdefault(number, Account(number, f"owner {number}"))
        account.book(below(1000) - 500, f"reason {i % 97}")
        if below(200) == 0:
            del table[number]
    return sum(a.balance * len(a.history) for a in table.values())


def words(n):
    counts = {}
    pattern = re.compile(r"[a-z]+[0-9]*")
    for i in range(n):
        line = " ".join(f"word{below(3000)}" for _ in range(12))
        for word in pattern.findall(line.upper().lower()):
            counts[word] = counts.get(word, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return zlib.crc32(repr(ordered[:500]).encode())


def matrices(n):
    total = 0
    for _ in range(n):
        rows = [[below(100) for _ in range(30)] for _ in range(30)]
        total += sum(sum(a * b for a, b in zip(row, column)) for row, column in zip(rows, zip(*rows)))
    return total


def times(full):
    return max(1, int(full * scale))


checksum = 0
for part in (documents(times(2500)), accounts(times(220000)), words(times(10000)), matrices(times(120))):
    checksum = (checksum * 1000003 + part) & 0xFFFFFFFFFFFFFFFF
print(f"checksum {checksum:016x}")
