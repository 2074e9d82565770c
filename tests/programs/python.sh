# python3: a program of ours, and its own tests of json, dict, threading, subprocess and re.
# PACKAGES: python3 libpython3.11-testsuite
# TEST: timeout=400
. "$LOAM_ROOT/tests/runner/programs.sh"
python=/usr/bin/python3
[ -x $python ] || skip "needs $python; type: sudo apt-get install python3"
$python -c 'import test.test_json' 2>/dev/null ||
    skip "needs python's own tests; type: sudo apt-get install libpython3.11-testsuite"
export PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
cat >"$input/program.py" <<'PY'
import collections, hashlib, json, random, re, threading, zlib, os
random.seed(7)
words = ["".join(random.choices("abcdefgh", k=random.randint(2, 9))) for _ in range(60000)]
print(collections.Counter(words).most_common(20))
tree = {w: {"n": i, "l": list(range(i % 20)), "s": w * (i % 30)} for i, w in enumerate(words)}
text = json.dumps(tree, sort_keys=True)
print(hashlib.sha256(text.encode()).hexdigest(), json.loads(text) == tree)
print(len(re.findall(r"([a-d]+)([e-h]+)\1", " ".join(words))))
results = {}
def work(n):
    r = random.Random(n); data = [bytes(r.randrange(256) for _ in range(r.randrange(2000))) for _ in range(200)]
    results[n] = zlib.crc32(zlib.decompress(zlib.compress(b"".join(data))))
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sorted(results.items()))
for n in range(3):
    pid = os.fork()
    if pid == 0:
        os._exit(len([bytearray(1000) for _ in range(5000)]) % 256)
    print(os.waitpid(pid, 0)[1])
PY
good program $python "$input/program.py"
# without python's own allocator in between every object is a block of ours
PYTHONMALLOC=malloc good program_malloc $python "$input/program.py"
same raises $python -c 'x = [str(i) for i in range(10000)]; raise SystemExit(len(x) % 256)'

# its own tests: each method must come out as it does on the C library
outcomes() { grep -E ' \.\.\. ' | grep -oE '^[a-zA-Z_0-9]+ \([a-zA-Z0-9_.]+\)|(ok|FAIL|ERROR|skipped .*|expected failure)$' | sort | uniq -c; }
own_tests() {
    for module in test_json test_dict test_threading test_subprocess test_re; do
        $python -m unittest -v "test.$module" >"$module.out" 2>&1
        echo "$module $?"
        outcomes <"$module.out"
        grep -c ' ok$' "$module.out" >"$module.count"
        grep -A 12 -E '^(FAIL|ERROR):' "$module.out" >&2
        rm "$module.out"
    done
}
run_in_folder own.plain own_tests
LD_PRELOAD=$LOAM_LIB run_in_folder own.loam own_tests
diff own.plain/stdout own.loam/stdout || { cat own.loam/stderr; fail "python's own tests come out differently"; }
grep -hE '^test_[a-z]+ [0-9]+$' own.loam/stdout
cat own.loam/work/*.count | awk '{ n += $1 } END { print n, "methods ok"; exit n < 500 }' || fail "python's own tests did not run"
