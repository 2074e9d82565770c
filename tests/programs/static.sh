# C and C++ programs that hold all of Loam: libloam.a and loam.o, fully static and not; against the C library's.
# PACKAGES: gcc g++
. "$LOAM_ROOT/tests/runner/programs.sh"
: "${LOAM_BUILD:?}"
need gcc gcc
need g++ g++
cat >"$input/c.c" <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct node { struct node *left, *right; unsigned key; char text[]; };
static struct node *insert(struct node *n, unsigned key) {
    if (!n) { n = calloc(1, sizeof *n + key % 100 + 12); n->key = key; sprintf(n->text, "%u", key); return n; }
    if (key < n->key) n->left = insert(n->left, key); else n->right = insert(n->right, key);
    return n;
}
static unsigned long drop(struct node *n) {
    if (!n) return 0;
    unsigned long sum = strlen(n->text) + drop(n->left) + drop(n->right);
    free(n); return sum;
}
static void *work(void *arg) {
    unsigned long seed = (unsigned long)arg, sum = 0;
    for (int round = 0; round < 5; round++) {
        struct node *root = NULL;
        for (int i = 0; i < 10000; i++) { seed = seed * 6364136223846793005ul + 1; root = insert(root, (unsigned)(seed >> 40)); }
        sum += drop(root);
        char *grow = NULL;
        for (size_t n = 1; n < 300000; n = n * 3 / 2 + 1) { grow = realloc(grow, n); grow[n - 1] = (char)n; sum += (unsigned char)grow[n / 2 > 0 ? n - 1 : 0]; }
        free(grow);
    }
    return (void *)sum;
}
int main(void) {
    pthread_t threads[4]; void *sum;
    for (unsigned long i = 0; i < 4; i++) pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    for (int i = 0; i < 4; i++) { pthread_join(threads[i], &sum); printf("%lu\n", (unsigned long)sum); }
    return 0;
}
C
cat >"$input/cxx.cc" <<'CC'
#include <iostream>
#include <map>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <thread>
#include <vector>
struct alignas(64) line { char c[64]; };
static unsigned long work(unsigned n) {
    std::map<std::string, std::vector<std::shared_ptr<std::string>>> m;
    for (unsigned i = 0; i < 20000; i++) m[std::to_string(i * n % 997)].push_back(std::make_shared<std::string>(i % 90, 'x'));
    unsigned long sum = 0; for (auto &[k, v] : m) for (auto &s : v) sum += k.size() + s->size();
    std::vector<std::unique_ptr<line>> lines; for (int i = 0; i < 100; i++) { lines.emplace_back(new line); sum += reinterpret_cast<size_t>(lines.back().get()) % 64; }
    return sum;
}
int main() {
    unsigned long sums[4]; std::vector<std::thread> threads;
    for (unsigned i = 0; i < 4; i++) threads.emplace_back([&sums, i] { sums[i] = work(i + 3); });
    for (auto &t : threads) t.join();
    for (auto s : sums) std::cout << s << "\n";
    try { volatile size_t n = ~size_t(0) / 4; delete[] new char[n]; std::cout << "no exception\n"; } catch (const std::bad_alloc &e) { std::cout << e.what() << "\n"; }
    std::cout << (new (std::nothrow) char[~size_t(0) / 8] == nullptr) << std::endl; }
CC
build_and_compare() { # NAME SOURCE FLAG...
    local name=$1 compiler=gcc
    case $2 in *.cc) compiler="g++ -std=c++17" ;; esac
    $compiler -O1 -pthread "${@:2}" -o "$name" 2>"$name.err" || { cat "$name.err"; fail "$name does not link"; }
    ./"$name" >"$name.out" 2>&1 || { cat "$name.out"; fail "$name ends with $?"; }
    cmp "$name.out" "${name%%_*}_plain.out" || fail "$name prints something else than on the C library"
    echo "same: $name"
}
# the address of malloc lies in code of ours: a word of our own is beside it in the program
holds_loam() {
    nm "$1" | grep -q ' [TW] loam_' || fail "$1 does not hold Loam"
    nm -D "$1" 2>/dev/null | grep -qE ' U (malloc|free)(@|$)' && fail "$1 still takes malloc from elsewhere"
    nm "$1" | grep -qE ' [Tt] malloc$' || fail "$1 has no malloc of its own"
}
for language in c cxx; do
    source=$input/$language.c; [ $language = c ] || source=$input/cxx.cc
    build_and_compare ${language}_plain "$source"
    [ -s ${language}_plain.out ] || fail "the program prints nothing"
    build_and_compare ${language}_archive "$source" "$LOAM_BUILD/libloam.a"
    build_and_compare ${language}_object "$source" "$LOAM_BUILD/loam.o"
    build_and_compare ${language}_static_archive "$source" -static "$LOAM_BUILD/libloam.a"
    build_and_compare ${language}_static_object "$source" -static "$LOAM_BUILD/loam.o"
    build_and_compare ${language}_pie_static "$source" -static-pie "$LOAM_BUILD/libloam.a"
    build_and_compare ${language}_shared "$source" -Wl,--no-as-needed "$LOAM_BUILD/libloam.so" "-Wl,-rpath,$LOAM_BUILD"
    for form in archive object static_archive static_object pie_static; do holds_loam "${language}_$form"; done
    ldd ${language}_static_archive 2>&1 | grep -q 'not a dynamic' || fail "the static program is not static"
    ldd ${language}_shared | grep -q libloam.so.1 || fail "the program does not load libloam.so.1"
done
