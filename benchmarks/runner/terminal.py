"""What is said while working: lines to stderr, and one line of progress that is rewritten where there is a terminal."""

import shutil
import sys
import time


def say(text):
    clear()
    print(text, file=sys.stderr, flush=True)


def clear():
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")


def duration(seconds):
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


class Progress:
    """Counts runs and guesses the time left from the seconds that the runs to come took once before."""

    def __init__(self, runs, seconds):
        self.runs, self.seconds = runs, seconds
        self.done, self.spent, self.begin = 0, 0.0, time.monotonic()

    def step(self, what, expected):
        self.done += 1
        elapsed = time.monotonic() - self.begin
        pace = elapsed / self.spent if self.spent > 1 else 1.0
        left = duration(max(0.0, (self.seconds - self.spent) * pace))
        self.spent += expected
        line = f"[{self.done:4}/{self.runs}] {what}" + (f"   about {left} left" if self.seconds else "")
        if sys.stderr.isatty():
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r\x1b[K" + line[:width])
            sys.stderr.flush()
        elif self.done % 25 == 1 or self.done == self.runs:
            say(line)
