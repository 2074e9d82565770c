// Promise: blocks of an RTLD_DEEPBIND library, which reach the C library's own malloc, may be given to us.
// TEST: cflags=-fno-builtin
// TEST: libs=-ldl
//
// A library opened with RTLD_DEEPBIND looks into itself and what it needs first, so its malloc is
// the C library's, while the program's free is ours. We pass its blocks on: free, realloc and
// malloc_usable_size. (The other direction, our block given to the C library's free, is beyond any
// allocator's reach: that call never comes to us.) The library's own pairs must work, too.
#include "support/library.h"
#include <malloc.h>

static const char source[] =
    "#include <stdlib.h>\n#include <string.h>\n#include <stdio.h>\n#include <malloc.h>\n"
    "void *give(size_t size) { return malloc(size); }\n"
    "void *give_zero(size_t size) { return calloc(1, size); }\n"
    "void *give_aligned(size_t alignment, size_t size) { return memalign(alignment, size); }\n"
    "char *give_text(int n) { char *p = 0; return asprintf(&p, \"text %d\", n) < 0 ? 0 : p; }\n"
    "int own_pairs(void) { for (size_t i = 0; i < 5000; i++) {\n"
    "    void *p = malloc(i); if (!p) return 0; memset(p, 1, i); p = realloc(p, i * 2 + 1);\n"
    "    if (!p) return 0; free(p); } return 1; }\n";

int main(void) {
    test_begin(60);
    library_folder_make();
    const char *library = library_build("deepbind", source, "-D_GNU_SOURCE");
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    CHECK(handle != NULL, "dlopen: %s", dlerror());
    void *(*give)(size_t), *(*give_zero)(size_t), *(*give_aligned)(size_t, size_t);
    char *(*give_text)(int);
    int (*own_pairs)(void);
    library_find(&give, handle, "give");
    library_find(&give_zero, handle, "give_zero");
    library_find(&give_aligned, handle, "give_aligned");
    library_find(&give_text, handle, "give_text");
    library_find(&own_pairs, handle, "own_pairs");

    for (size_t size = 1; size < 3 * MIB; size = size * 5 / 3 + 7) {
        void *blocks[3] = {give(size), give_zero(size), give_aligned(4096, size)};
        for (size_t i = 0; i < 3; i++) {
            CHECK(blocks[i] != NULL, "no block of %zu", size);
            CHECK(malloc_usable_size(blocks[i]) >= size, "block %zu of %zu bytes: %zu usable", i,
                  size, malloc_usable_size(blocks[i]));
            pattern_fill(blocks[i], size, i);
            free(launder(malloc(size)));
        }
        for (size_t i = 0; i < 3; i++) {
            size_t grown = size * (i + 1) + 100;
            CHECK(pattern_check(blocks[i], size, size, i) == size, "block %zu changed", i);
            blocks[i] = realloc(blocks[i], grown);
            CHECK(blocks[i] && pattern_check(blocks[i], size, size, i) == size,
                  "realloc lost contents of block %zu of %zu", i, size);
            errno = 4095;
            free(blocks[i]);
            CHECK(errno == 4095, "free changed errno to %d", errno);
            free(give(size)); // freed at once
        }
        CHECK(realloc(give(size), 0) == NULL, "realloc to 0 of a stranger's");
    }
    for (int i = 0; i < 1000; i++) {
        char *text = give_text(i), wanted[32];
        snprintf(wanted, sizeof wanted, "text %d", i);
        CHECK(text && strcmp(text, wanted) == 0, "the text is %s", text);
        free(text);
    }
    CHECK(own_pairs(), "the library's own calls failed");
    CHECK(dlclose(handle) == 0, "dlclose: %s", dlerror());
    return 0;
}
