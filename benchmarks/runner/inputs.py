"""Inputs made for the real programs: the same bytes everywhere, from a seed; nothing is downloaded or committed."""

import os
import random
import subprocess

WORDS = ("time year people way day man thing woman life child world school state family student group country problem "
         "hand part place case week company system program question work government number night point home water room "
         "mother area money story fact month lot right study book eye job word business issue side kind head house").split()


LAST = "all-has-been-answered\r\n"  # how the replies to a stream of commands end


def words(r, n):
    return " ".join(r.choices(WORDS, k=n))


def once(path, make):
    """Makes a file if it is not there; never leaves half a file behind."""
    if not os.path.exists(path):
        part = path + ".part"
        make(part)
        os.rename(part, path)
    return path


def c_function(r, i):
    steps = "\n".join(
        f"    case {k}: for (int j = 0; j < n + {r.randrange(9)}; j++) {{ t[(j * {r.randrange(1, 9)} + {k}) & 63] += "
        f"s->a{r.randrange(6)} {r.choice('+-*^|')} (j {r.choice('+-^')} {r.randrange(1, 999)}); "
        f"if (t[j & 63] > {r.randrange(1000)}) n -= {r.randrange(1, 5)}; }} break;" for k in range(r.randrange(4, 10)))
    call = f"f{r.randrange(i)}(s, t, n / 2)" if i else "n"
    return (f"int f{i}(struct state *s, int *t, int n)\n{{\n    switch (n & 15) {{\n{steps}\n    default: s->a{r.randrange(6)} "
            f"+= n; }}\n    if (n > {r.randrange(20, 90)}) return {call} + t[n & 63];\n    s->text = \"{words(r, 4)}\";\n"
            f"    return s->a{r.randrange(6)} * {r.randrange(3, 99)} + n;\n}}\n")


def c_source(path, functions):
    r = random.Random(21)
    with open(path, "w") as f:
        f.write("struct state { int a0, a1, a2, a3, a4, a5; const char *text; };\n")
        for i in range(functions):
            f.write(c_function(r, i))


def xml(path, items):
    r = random.Random(22)
    with open(path, "w") as f:
        f.write('<?xml version="1.0" encoding="UTF-8"?>\n<catalogue>\n')
        for i in range(items):
            f.write(f'  <item id="i{i}" kind="{r.randrange(40)}" price="{r.randrange(1, 99999) / 100}">\n'
                    f"    <name>{words(r, 3)}</name>\n    <note lang=\"en\">{words(r, r.randrange(3, 30))}</note>\n")
            for _ in range(r.randrange(5)):
                f.write(f'    <part number="{r.randrange(9999)}"><weight unit="g">{r.randrange(5000)}</weight></part>\n')
            f.write("  </item>\n")
        f.write("</catalogue>\n")


def git_files(r, files, commit):
    """What one commit changes: a few files, each by some lines."""
    for number in sorted(r.sample(sorted(files), min(len(files), 8)) if files and commit % 4 else [len(files)]):
        lines = files.setdefault(number, [words(r, 9) for _ in range(r.randrange(20, 200))])
        for _ in range(r.randrange(1, 12)):
            lines[r.randrange(len(lines))] = words(r, r.randrange(4, 14))
        yield number, lines


def git_repository(path, commits):
    """A history written by git fast-import; `path` is a bare repository."""
    r, files = random.Random(23), {}
    subprocess.run(["git", "init", "-q", "--bare", path], check=True)
    stream = bytearray()
    for commit in range(commits):
        message = words(r, 8)
        stream += (f"commit refs/heads/main\ncommitter A B <a@b> {1600000000 + commit * 3600} +0000\n"
                   f"data {len(message)}\n{message}\n").encode()
        for number, lines in git_files(r, files, commit):
            text = "\n".join(lines) + "\n"
            stream += f"M 644 inline folder{number % 17}/file{number}.txt\ndata {len(text)}\n{text}\n".encode()
    subprocess.run(["git", "-C", path, "fast-import", "--quiet"], input=bytes(stream), check=True)
    subprocess.run(["git", "-C", path, "symbolic-ref", "HEAD", "refs/heads/main"], check=True)


def shift_add(bits):
    """Multiplication of b by a as a circuit of shifts and additions."""
    terms = [f"(ite (= ((_ extract {i} {i}) b) #b1) (bvshl a (_ bv{i} {bits})) (_ bv0 {bits}))" for i in range(bits)]
    expression = terms[0]
    for term in terms[1:]:
        expression = f"(bvadd {expression} {term})"
    return expression


def z3_multiply(f, bits):
    f.write(f"(declare-const a (_ BitVec {bits}))\n(declare-const b (_ BitVec {bits}))\n"
            f"(push)\n(assert (not (= (bvmul b a) {shift_add(bits)})))\n(check-sat)\n(pop)\n")


def z3_schedule(f, jobs, machines, limits):
    """Jobs in their orders on machines that do one at a time: can all be done by each limit?"""
    r = random.Random(27)
    lasts = [[r.randrange(1, 30) for _ in range(machines)] for _ in range(jobs)]
    orders = [r.sample(range(machines), machines) for _ in range(jobs)]
    for j, m in ((j, m) for j in range(jobs) for m in range(machines)):
        f.write(f"(declare-const s{j}_{m} Int)\n(assert (>= s{j}_{m} 0))\n")
    for j, order in enumerate(orders):
        for m, following in zip(order, order[1:]):
            f.write(f"(assert (>= (- s{j}_{following} s{j}_{m}) {lasts[j][m]}))\n")
    for m, i, j in ((m, i, j) for m in range(machines) for i in range(jobs) for j in range(i)):
        f.write(f"(assert (or (>= (- s{i}_{m} s{j}_{m}) {lasts[j][m]}) (>= (- s{j}_{m} s{i}_{m}) {lasts[i][m]})))\n")
    for limit in limits:
        ends = "".join(f"(assert (<= s{j}_{order[-1]} {limit - lasts[j][order[-1]]}))\n" for j, order in enumerate(orders))
        f.write(f"(push)\n{ends}(check-sat)\n(pop)\n")


def smt(path, bits, machines):
    with open(path, "w") as f:
        z3_multiply(f, bits)
        z3_schedule(f, 8, machines, (160, 180, 200, 220, 240))


def postscript(path, pages):
    """Pages of text, curves and shaded fields."""
    r = random.Random(28)
    with open(path, "w") as f:
        f.write("%!PS-Adobe-3.0\n/Helvetica findfont 9 scalefont setfont\n")
        for _ in range(pages):
            for line in range(60):
                f.write(f"40 {780 - line * 12} moveto ({words(r, 14)}) show\n")
            for _ in range(150):
                x, y = r.randrange(550), r.randrange(750)
                f.write(f"{r.random():.2f} {r.random():.2f} {r.random():.2f} setrgbcolor newpath {x} {y} moveto "
                        f"{x + 60} {y + 90} {x - 40} {y + 30} {x + 20} {y + 5} curveto closepath fill 0 setgray\n")
            f.write("showpage\n")


def redis_value(r):
    return b"v" * (r.randrange(16, 200) if r.random() < 0.8 else r.randrange(200, 8000))


def redis_command(*words_of_it):
    parts = [w if isinstance(w, bytes) else str(w).encode() for w in words_of_it]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


def redis_one(r, client, keys):
    """One command of a mixed service: strings most, then hashes, lists, sorted sets, deletes."""
    key, dice = f"c{client}:{r.randrange(keys)}", r.randrange(100)
    if dice < 30:
        return redis_command("SET", "s" + key, redis_value(r))
    if dice < 55:
        return redis_command("GET", "s" + key)
    if dice < 62:
        return redis_command("APPEND", "s" + key, "more" * r.randrange(1, 20))
    if dice < 74:
        return redis_command("HSET", "h" + key, f"field{r.randrange(40)}", "x" * r.randrange(8, 120))
    if dice < 80:
        return redis_command("LPUSH", "l" + key, "y" * r.randrange(8, 120))
    if dice < 84:
        return redis_command("LTRIM", "l" + key, 0, 30)
    if dice < 90:
        return redis_command("ZADD", "z" + key, r.randrange(1000), f"member{r.randrange(200)}")
    if dice < 93:
        return redis_command("ZRANGE", "z" + key, 0, 5)
    return redis_command("DEL", r.choice("shlz") + key)


def redis_stream(path, client, commands):
    r, keys = random.Random(2400 + client), max(10, commands // 12)
    with open(path, "wb") as f:
        for _ in range(commands):
            f.write(redis_one(r, client, keys))
        f.write(redis_command("ECHO", LAST.strip()))


def web_files(path):
    """A folder of 60 files of 200 bytes to 200 KiB, all of the same age (which is in the replies)."""
    r = random.Random(29)
    os.makedirs(path)
    for i in range(60):
        text = LAST if i == 0 else words(r, int(30 * 1000 ** r.random())) + "\n"
        name = os.path.join(path, f"file{i}.txt")
        with open(name, "w", newline="") as f:
            f.write(text)
        os.utime(name, (1600000000, 1600000000))


def web_stream(path, client, requests):
    """Requests of a browser, pipelined: headers in all lengths, most of them small files; the last file is LAST."""
    r = random.Random(2600 + client)
    with open(path, "w", newline="") as f:
        for i in range(requests + 1):
            dice = r.randrange(100)
            target = "file0.txt" if i == requests else f"file{r.randrange(1, 60)}.txt" if dice < 92 else \
                "list/" if dice < 95 else "nothing-there"
            packed = "Accept-Encoding: gzip\r\n" if dice < 25 and i < requests else ""
            f.write(f"GET /{target} HTTP/1.1\r\nHost: bench\r\nUser-Agent: {words(r, 12)}\r\nAccept: */*\r\n{packed}"
                    f"Cookie: session={r.getrandbits(160):x}; seen={words(r, r.randrange(1, 40)).replace(' ', '+')}\r\n\r\n")


def memcached_stream(path, client, commands):
    r, keys = random.Random(2500 + client), max(10, commands // 8)
    with open(path, "wb") as f:
        for _ in range(commands):
            key = f"c{client}:{r.randrange(keys)}"
            if r.random() < 0.35:
                value = b"v" * (r.randrange(16, 400) if r.random() < 0.9 else r.randrange(400, 20000))
                f.write(f"set {key} 0 0 {len(value)}\r\n".encode() + value + b"\r\n")
            elif r.random() < 0.1:
                f.write(f"delete {key}\r\n".encode())
            else:
                f.write(f"get {key}\r\n".encode())
        f.write(f"set end{client} 0 0 {len(LAST.strip())}\r\n{LAST}get end{client}\r\n".encode())
