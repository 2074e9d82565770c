"""The allocators under test: names, the libraries to preload, their versions.

Every allocator is put under a program in the same way, by LD_PRELOAD, with its defaults: the environment of a run holds
nothing that any of them reads. The C library is preloaded too: it changes nothing for most programs, but one that is
linked with an allocator of its own (Debian's redis with jemalloc) then really runs on the C library's.
"""

import dataclasses
import os
import re
import subprocess

from . import packages
from .terminal import say

# name: (Debian's package, the library in it)
RIVALS = {
    "glibc": ("libc6", r"/libc\.so\.6$"),
    "mimalloc": ("libmimalloc2.0", r"/libmimalloc\.so\.2$"),
    "jemalloc": ("libjemalloc2", r"/libjemalloc\.so\.2$"),
    "tcmalloc": ("libtcmalloc-minimal4", r"/libtcmalloc_minimal\.so\.4$"),
    "tbbmalloc": ("libtbbmalloc2", r"/libtbbmalloc_proxy\.so\.2$"),
}
REFERENCE = "glibc"


@dataclasses.dataclass
class Allocator:
    name: str
    library: str
    version: str
    subject: bool  # under development: every other one is a rival


def rival_find(name):
    package, pattern = RIVALS[name]
    for path in packages.files(package):
        if re.search(pattern, path) and os.path.exists(path):
            return Allocator(name, path, f"{package} {packages.version(package)}", False)
    return None


def probe(allocator, program):
    """None if the allocator's own malloc, free (and operator new, if it has one) are the ones a program gets."""
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LD_PRELOAD": allocator.library}
    try:
        got = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=20)
    except subprocess.TimeoutExpired:
        return "a program with one allocation did not end"
    if got.returncode != 0:
        return f"a program with one allocation ended with {got.returncode} {got.stderr.strip()[:200]}"
    where = dict(line.split(" ", 1) for line in got.stdout.splitlines())
    for name in ("malloc", "free"):
        if os.path.realpath(where.get(name, "")) != os.path.realpath(allocator.library):
            return f"{name} comes from {where.get(name)}   {got.stderr.strip()[:200]}"
    return None


def loam_build(root):
    """Brings build/release up to date, so that no stale library is measured. Returns an error text or None."""
    if not os.path.exists(os.path.join(root, "CMakePresets.json")):
        return None
    for command in (["cmake", "--preset", "release"], ["cmake", "--build", "--preset", "release"]):
        try:
            got = subprocess.run(command, cwd=root, capture_output=True, text=True)
        except FileNotFoundError:
            return "cmake is not installed"
        if got.returncode != 0:
            return " ".join(command) + ":\n" + (got.stdout + got.stderr)[-2000:]
    return None


def loam_find(root, path):
    if path is None:
        error = loam_build(root)
        if error:
            say(f"loam: cannot be built: {error}")
            return None
        path = os.path.join(root, "build", "release", "libloam.so.1")
    path = os.path.abspath(path)
    if not os.path.exists(path):
        say(f"loam: {path} does not exist; going on without it (--loam PATH names another)")
        return None
    described = subprocess.run(["git", "-C", root, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return Allocator("loam", path, described.stdout.strip() or "unversioned", True)


def find(names, extra, root, loam_path, offline):
    """The allocators called `names`, in that order; `extra` are (name, path) pairs of the command line."""
    given = dict(extra)
    wanted = [RIVALS[n][0] for n in names if n in RIVALS and n not in given]
    if not offline:
        packages.install(wanted)
    found = []
    for name in names:
        if name in given:
            path = os.path.abspath(given[name])
            allocator = Allocator(name, path, os.path.basename(path), name.startswith("loam")) if os.path.exists(path) else None
        elif name == "loam":
            allocator = loam_find(root, loam_path)
        elif name in RIVALS:
            allocator = rival_find(name)
        else:
            raise SystemExit(f"bench: no allocator is called {name}; there are: {', '.join([*RIVALS, 'loam', *given])}")
        if allocator:
            found.append(allocator)
        else:
            say(f"{name}: not here, left out")
    return found
