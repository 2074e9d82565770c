# gcc and g++ compile real files to the same objects, bit for bit; the linker and the assembler too.
# PACKAGES: gcc g++ binutils
# TEST: timeout=300
. "$LOAM_ROOT/tests/runner/programs.sh"
need gcc gcc
need g++ g++
cat >"$input/containers.cc" <<'CC'
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>
template <int N> struct chain { std::map<std::string, std::vector<std::unique_ptr<chain<N - 1>>>> next; int sum() const {
    int s = N; for (auto &[k, v] : next) for (auto &p : v) s += p->sum() + int(k.size()); return s; } };
template <> struct chain<0> { int sum() const { return 1; } };
template <int N> int build(std::ostringstream &out) {
    chain<N> c; if constexpr (N > 0) { c.next["x" + std::to_string(N)].push_back(std::make_unique<chain<N - 1>>()); out << build<N - 1>(out); }
    return c.sum(); }
int main() {
    std::ostringstream out; out << build<9>(out);
    std::regex pattern("([a-z]+)-([0-9]+)"); std::smatch m; std::string text = "abc-123";
    std::unordered_map<std::string, std::variant<int, std::string, std::vector<double>>> values{{"a", 1}, {"b", "two"}};
    std::vector<std::function<int(int)>> fs; for (int i = 0; i < 9; i++) fs.push_back([i](int x) { return x * i; });
    std::sort(text.begin(), text.end()); std::set<int> s; for (auto &f : fs) s.insert(f(3));
    std::cout << out.str().size() << std::regex_search(text, m, pattern) << values.size() << s.size() << "\n"; }
CC
awk 'BEGIN {
    print "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>"
    for (i = 0; i < 500; i++) {
        printf "struct s%d { int a, b[%d]; struct s%d *next; };\n", i, i % 7 + 1, (i + 1) % 500
        printf "static int f%d(struct s%d *p, int x) { switch (x %% %d) { case 0: return p->a + %d; case 1: return p->b[0] * x;\n", i, i, i % 5 + 3, i
        printf "    case 2: for (int k = 0; k < %d; k++) p->b[k] += x ^ k; return f%d ? p->b[0] : 0; default: return x %% (p->a | 1); } }\n", i % 7 + 1, i
    }
    print "int main(int argc, char **argv) { int r = argc;"
    for (i = 0; i < 500; i++) printf "  { struct s%d v = {r, {%d}, 0}; r += f%d(&v, argc + %d); }\n", i, i, i, i % 11
    print "  printf(\"%d %s\\n\", r, argv[0] ? \"done\" : \"\"); return 0; }"
}' >"$input/big.c"
good gcc_O2 gcc -O2 -g -c "$input/big.c" -o big.o
good gcc_asm gcc -O1 -S "$input/big.c" -o big.s
good gxx_O2 g++ -std=c++17 -O2 -c "$input/containers.cc" -o containers.o
good gxx_g g++ -std=c++17 -O0 -g "$input/containers.cc" -o containers
good gxx_program bash -c "'$scratch/gxx_g.loam/work/containers'"
good gcc_link bash -c "gcc -O2 '$input/big.c' -o big -lm && ./big | sed 's/ .*//'"
good gcc_lto gcc -O2 -flto=2 -frandom-seed=1 "$input/big.c" -o big
same gcc_error bash -c "{ cat '$input/big.c'; echo 'int broken = undeclared + ;'; } | gcc -c -x c - -o big.o"
grep -q 'exit status 1' gcc_error.loam/status || fail "a broken file should not compile"
