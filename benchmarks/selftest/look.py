"""A look at a page by a browser: what a reader would see, in numbers.

Chromium draws the page inside a frame of the width asked for (its window cannot be as narrow as a phone); a script around the
frame says how wide the page's content is. What is not asked: whether it is beautiful. `look` returns a Look, or None where
there is no Chromium.
"""

import dataclasses
import html
import os
import re
import shutil
import struct
import subprocess
import zlib

FRAME = """<!doctype html><html><body style="margin:0"><iframe id="page" src="{page}"
style="border:0;width:{width}px;height:{height}px"></iframe><p id="told"></p><script>
addEventListener("load", () => {{
    const inner = document.getElementById("page").contentDocument, root = inner.documentElement;
    document.getElementById("told").textContent = JSON.stringify([root.scrollWidth, root.scrollHeight,
        inner.querySelectorAll("tr").length, inner.querySelectorAll("svg").length, inner.body.innerText.length]);
}});
</script></body></html>
"""


@dataclasses.dataclass
class Look:
    width: int           # of the picture
    height: int
    colours: int         # different ones in it
    covered: float       # the share of its lines that are not of one colour
    content_width: int   # of the page, as the browser laid it out
    content_height: int
    rows: int            # of tables
    drawings: int
    characters: int
    errors: list         # of scripts, and whatever else the console holds


def browser():
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def run(folder, *arguments):
    return subprocess.run([browser(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
                           "--allow-file-access-from-files", f"--user-data-dir={folder}/browser", *arguments],
                          capture_output=True, text=True, timeout=120)


def unfiltered(kind, line, before, step):
    """One line of a PNG without its filter."""
    if kind == 0:
        return line
    if kind == 2:
        return bytearray([(a + b) & 255 for a, b in zip(line, before)])
    for i, byte in enumerate(line):
        left, up = line[i - step] if i >= step else 0, before[i]
        if kind == 1:
            line[i] = (byte + left) & 255
        elif kind == 3:
            line[i] = (byte + (left + up) // 2) & 255
        elif kind == 4:
            corner = before[i - step] if i >= step else 0
            guess = left + up - corner
            a, b, c = abs(guess - left), abs(guess - up), abs(guess - corner)
            line[i] = (byte + (left if a <= b and a <= c else up if b <= c else corner)) & 255
    return line


def picture_read(path):
    """(width, height, different colours, share of lines with more than one colour) of a PNG with 8 bits a channel."""
    with open(path, "rb") as f:
        data = f.read()
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    step = {2: 3, 6: 4}[kind]
    if depth != 8:
        raise ValueError(f"{depth} bits a channel")
    packed, at = bytearray(), 8
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at:at + 8])
        if name == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += 12 + length
    raw, colours, covered = zlib.decompress(bytes(packed)), set(), 0
    line = bytearray(width * step)
    for y in range(height):
        begin = y * (width * step + 1)
        line = unfiltered(raw[begin], bytearray(raw[begin + 1:begin + 1 + width * step]), line, step)
        here = {bytes(line[i:i + 3]) for i in range(0, len(line), step)}
        colours |= here
        covered += len(here) > 1
    return width, height, len(colours), covered / height


def look(page, folder, width, height, dark=False):
    if not browser():
        return None
    frame, picture = os.path.join(folder, f"frame-{width}.html"), os.path.join(folder, f"page-{width}{'-dark' if dark else ''}.png")
    with open(frame, "w") as f:
        f.write(FRAME.format(page="file://" + page, width=width, height=height))
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    run(folder, *scheme, f"--window-size={max(width, 500)},{height}", f"--screenshot={picture}", "file://" + frame)
    dumped = run(folder, "--dump-dom", "file://" + frame)
    told = re.search(r'<p id="told">\[([\d,]+)\]', html.unescape(dumped.stdout))
    numbers = [int(n) for n in told[1].split(",")] if told else [0] * 5
    drawn = picture_read(picture) if os.path.exists(picture) else (0, 0, 0, 0.0)
    errors = [line for line in dumped.stderr.splitlines() if "CONSOLE" in line]
    return Look(*drawn, *numbers, errors)
