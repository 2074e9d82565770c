# valgrind runs programs that stand on Loam: no error in a good one, and no error in Loam itself.
# PACKAGES: valgrind gcc
# TEST: timeout=200
. "$LOAM_ROOT/tests/runner/programs.sh"
: "${LOAM_BUILD:?}"
need valgrind valgrind
need gcc gcc
cat >"$input/program.c" <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static void *work(void *arg) {
    unsigned long seed = (unsigned long)arg, sum = 0;
    char *blocks[200] = {0};
    for (int i = 0; i < 3000; i++) {
        seed = seed * 6364136223846793005ul + 1442695040888963407ul;
        unsigned slot = (unsigned)(seed >> 33) % 200;
        size_t size = (seed >> 45) % (i % 50 == 0 ? 100000 : 700) + 1;
        if (blocks[slot]) sum += (unsigned char)blocks[slot][0];
        switch (i % 4) {
        case 0: free(blocks[slot]); blocks[slot] = malloc(size); break;
        case 1: free(blocks[slot]); blocks[slot] = calloc(size, 1); sum += (unsigned char)blocks[slot][size - 1]; break;
        case 2: blocks[slot] = realloc(blocks[slot], size); break;
        default: free(blocks[slot]); blocks[slot] = aligned_alloc(64, (size + 63) / 64 * 64);
        }
        memset(blocks[slot], (int)slot, size);
    }
    for (int i = 0; i < 200; i++) free(blocks[i]);
    return (void *)sum;
}
int main(void) {
    pthread_t threads[3]; void *sum;
    for (unsigned long i = 0; i < 3; i++) pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    for (int i = 0; i < 3; i++) { pthread_join(threads[i], &sum); printf("%lu\n", (unsigned long)sum); }
    return 0;
}
C
gcc -O1 -g -fno-builtin -pthread "$input/program.c" -o plain || fail "does not compile"
gcc -O1 -g -fno-builtin -pthread "$input/program.c" "$LOAM_BUILD/loam.o" -o object || fail "does not link"
gcc -O1 -g -fno-builtin -pthread "$input/program.c" -Wl,--no-as-needed "$LOAM_BUILD/libloam.so" "-Wl,-rpath,$LOAM_BUILD" -o shared || fail "does not link"
./plain >expected || fail "the program fails on the C library"
# memcheck would put its own malloc in place of ours: nouserintercepts keeps it out of it
for program in shared object; do
    for tool in "none" "memcheck --soname-synonyms=somalloc=nouserintercepts --error-exitcode=9 --undef-value-errors=no"; do
        # shellcheck disable=SC2086 # words
        valgrind -q --tool=$tool ./$program >out 2>err || { head -n 40 err; fail "$program under ${tool%% *} ends with $?"; }
        cmp out expected || fail "$program under ${tool%% *} prints something else"
        [ ! -s err ] || { head -n 40 err; fail "$program under ${tool%% *}: a report"; }
        echo "clean: $program under ${tool%% *}"
    done
done
on_loam ./plain | cmp - expected || fail "the program prints something else on Loam"
# memcheck as everybody starts it, with its own malloc: it still finds what is wrong in the program
printf '#include <stdlib.h>\nint main(void) { char *p = malloc(10); free(p); return p[3]; }\n' >wrong.c
gcc -g -O0 -fno-builtin -w wrong.c -Wl,--no-as-needed "$LOAM_BUILD/libloam.so" "-Wl,-rpath,$LOAM_BUILD" -o wrong || fail "does not link"
valgrind -q ./wrong 2>err
grep -q 'Invalid read' err || { cat err; fail "memcheck does not see the read of a freed block any more"; }
