"""Real programs that run to an end: interpreters, compilers, git, databases in a process.

What a program prints (and writes, where that is its work) is its checksum, so a wrong result is seen. Settings are the
programs' own defaults, but for what makes runs repeatable (hash seeds, times) and what is named in the row itself
(python3_malloc: Python's small objects come from malloc instead of from Python's own pools).
"""

import dataclasses
import os
import re
import shutil
import typing

from . import inputs, measure
from .workloads import REAL


@dataclasses.dataclass
class Program:
    name: str
    program: str                              # the executable
    command: typing.Callable                  # (program, context, folder) -> its arguments after the program
    packages: tuple = ()
    make: typing.Callable = None              # (context, folder): the inputs
    stdin: str = None                         # a file in the folder
    results: tuple = ()                       # files in the folder that the program writes
    settings: tuple = ()                      # NAME=VALUE for the program, the same under every allocator
    digest: typing.Callable = None            # (folder, output) -> checksum, where the output as it is will not do
    extra: bool = False
    slow: bool = False                        # left out by --quick, unless --only names it
    group: str = REAL

    def folder(self, context):
        return context.place(f"{self.name}-{context.scale:g}")

    rounds = 0

    def runs_on(self, _allocator):
        return True

    def prepare(self, context):
        if not shutil.which(self.program, path=measure.ENVIRONMENT["PATH"]):
            return f"{self.program} is not installed (Debian: {' '.join(self.packages)})"
        if self.make:
            self.make(context, self.folder(context))
        return None

    def run(self, context, allocator):
        folder = self.folder(context)
        for result in self.results:
            if os.path.exists(os.path.join(folder, result)):
                os.unlink(os.path.join(folder, result))
        command = [self.program, *self.command(context, folder)]
        if self.settings:
            command = ["env", *self.settings, *command]
        stdin = os.path.join(folder, self.stdin) if self.stdin else None
        run, output = measure.run_program(context, allocator, command, folder, stdin)
        if run.status == "ok":
            run.checksum = self.checksum(folder, output)
        return run

    def checksum(self, folder, output):
        if self.digest:
            return self.digest(folder, output)
        data = output
        for result in self.results:
            try:
                with open(os.path.join(folder, result), "rb") as f:
                    data += f.read()
            except OSError:
                return "no " + result
        return measure.digest(data)


def script(name, program, file, package, **more):
    def command(context, _folder):
        return [os.path.join(context.source, "programs", file), f"{context.scale:g}"]
    return Program(name, program, command, (package,), **more)


def sized(context, full, least=1):
    return max(least, int(full * context.scale))


def make_c(context, folder):
    inputs.once(os.path.join(folder, "input.c"), lambda path: inputs.c_source(path, sized(context, 60, 5)))


def make_xml(context, folder):
    inputs.once(os.path.join(folder, "input.xml"), lambda path: inputs.xml(path, sized(context, 45000, 50)))


def make_git(context, folder):
    inputs.once(os.path.join(folder, "repository"), lambda path: inputs.git_repository(path, sized(context, 1200, 10)))


def make_sql(context, folder):
    def write(path):
        with open(os.path.join(context.source, "programs", "work.sql")) as f, open(path, "w") as out:
            out.write(f.read().replace("@N@", str(sized(context, 150000, 100))))
    inputs.once(os.path.join(folder, "input.sql"), write)


def make_smt(context, folder):
    bits = 8 if context.scale >= 1 else 6
    inputs.once(os.path.join(folder, "input.smt2"), lambda path: inputs.smt(path, bits, bits))


def make_postscript(context, folder):
    inputs.once(os.path.join(folder, "input.ps"), lambda path: inputs.postscript(path, sized(context, 10)))


def rocksdb(context, _folder):
    """Its own benchmark; only the counts that it prints are of use to us."""
    return ["--benchmarks=fillrandom,overwrite,readrandom", f"--num={sized(context, 60000, 500)}", "--seed=1",
            "--db=database", "--use_existing_db=0", "--value_size=300", "--threads=2", "--write_buffer_size=8388608",
            "--disable_wal=1", "--compression_type=none"]


def rocksdb_checksum(_folder, output):
    """Times and speeds differ; how many of the keys that were asked for are found does not."""
    text = output.decode(errors="replace")
    done = re.findall(r"^(fillrandom|overwrite|readrandom) ", text, re.MULTILINE)
    return measure.digest(repr((done, re.findall(r"\((\d+ of \d+) found\)", text))).encode())


def cxx_source(context, _folder):
    return ["-std=c++20", "-O2", "-c", os.path.join(context.source, "programs", "stl_heavy.cc"), "-o", "output.o"]


XPATH = "count(//item[@kind='7']/part[weight > 1000])"

PROGRAMS = [
    script("python3", "/usr/bin/python3", "work.py", "python3", settings=("PYTHONHASHSEED=0",)),
    script("python3_malloc", "/usr/bin/python3", "work.py", "python3", settings=("PYTHONHASHSEED=0", "PYTHONMALLOC=malloc")),
    script("lua", "lua5.4", "work.lua", "lua5.4"),
    script("perl", "perl", "work.pl", "perl", settings=("PERL_HASH_SEED=0",)),
    script("ruby", "ruby", "work.rb", "ruby"),
    script("node", "node", "work.js", "nodejs"),
    Program("sqlite", "sqlite3", lambda c, f: [":memory:"], ("sqlite3",), make_sql, stdin="input.sql"),
    Program("gcc", "gcc", lambda c, f: ["-w", "-O2", "-c", "input.c", "-o", "output.o"], ("gcc",), make_c, results=("output.o",)),
    Program("g++", "g++", cxx_source, ("g++",), slow=True, results=("output.o",)),
    Program("git_log", "git", lambda c, f: ["-C", "repository", "log", "-p", "--stat"], ("git",), make_git),
    Program("git_repack", "git", lambda c, f: ["-C", "repository", "-c", "pack.threads=1", "repack", "-adfq"], ("git",), make_git, slow=True),
    Program("xmllint", "xmllint", lambda c, f: ["--xpath", XPATH, "input.xml"], ("libxml2-utils",), make_xml),
    Program("z3", "z3", lambda c, f: ["input.smt2"], ("z3",), make_smt, slow=True),
    Program("ghostscript", "gs", lambda c, f: ["-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=png16m", "-r72", "-dGraphicsAlphaBits=4",
            "-dTextAlphaBits=4", "-sOutputFile=output-%d.png", "input.ps"], ("ghostscript",), make_postscript,
            results=("output-1.png",), slow=True),
    Program("rocksdb", "db_bench", rocksdb, ("rocksdb-tools",), digest=rocksdb_checksum, slow=True),
]
