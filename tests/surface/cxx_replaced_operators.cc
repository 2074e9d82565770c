// Promise: a program that replaces only some operators of new and delete gets its own for all that rest on them.
// TEST: cflags=-std=gnu++17 -fno-builtin -fsized-deallocation
//
// The standard says: the array forms call the plain ones, the nothrow forms the throwing ones, the
// sized deletes the unsized. Programs rely on it: they replace operator new(size) and operator
// delete(p) with a pool of their own, and a compiler calls the sized delete for them. If our sized
// delete freed the pool's block itself, it would free what is not ours.
// (Inside our library a call of operator delete must therefore be one that the program can replace.)
#include "support/surface.h"
#include <new>
#include <string>
#include <vector>

#ifndef __clang__
#pragma GCC diagnostic ignored "-Wsized-deallocation" // left out on purpose
#endif

static char pool[1 << 20]; // never reused; large enough for this test
static std::size_t pool_used;
static unsigned news, deletes, foreign;

void *operator new(std::size_t size) {
    news++;
    pool_used = (pool_used + 15) / 16 * 16;
    if (size > sizeof pool - pool_used) throw std::bad_alloc();
    void *p = pool + pool_used;
    pool_used += size;
    return p;
}
void operator delete(void *p) noexcept {
    if (!p) return;
    deletes++;
    char *bytes = static_cast<char *>(p);
    if (bytes < pool || bytes >= pool + sizeof pool) foreign++;
}

static void in_pool(void *p, const char *form) {
    char *bytes = static_cast<char *>(p);
    CHECK(bytes >= pool && bytes < pool + sizeof pool, "%s did not reach the program's new", form);
}

struct Node {
    Node *next = nullptr;
    std::string name = "a name that is too long for the small string buffer";
};

int main() {
    test_begin(30);
    void *p = ::operator new(100);
    in_pool(p, "new");
    ::operator delete(launder(p), std::size_t{100}); // sized
    CHECK(deletes == 1, "sized delete: %u deletes", deletes);
    p = ::operator new[](100);
    in_pool(p, "new[]");
    ::operator delete[](launder(p));
    CHECK(deletes == 2, "delete[]: %u deletes", deletes);
    p = ::operator new[](100);
    ::operator delete[](launder(p), std::size_t{100});
    CHECK(deletes == 3, "sized delete[]: %u deletes", deletes);
    p = ::operator new(100, std::nothrow);
    in_pool(p, "new nothrow");
    ::operator delete(launder(p), std::nothrow);
    CHECK(deletes == 4, "nothrow delete: %u deletes", deletes);
    p = ::operator new[](100, std::nothrow);
    in_pool(p, "new[] nothrow");
    ::operator delete[](launder(p), std::nothrow);
    CHECK(deletes == 5, "nothrow delete[]: %u deletes", deletes);
    CHECK(!::operator new(2 * sizeof pool, std::nothrow), "the program's bad_alloc got through");

    for (int i = 0; i < 100; i++) {
        Node *node = static_cast<Node *>(launder(new Node));
        delete node; // sized, by the compiler
        int *array = static_cast<int *>(launder(new int[50]));
        delete[] array;
        std::vector<int> numbers(30, 5);
        launder(numbers.data());
    }
    printf("%u news, %u deletes, %u of them of a block that is not the program's\n", news, deletes,
           foreign);
    // More news than deletes: the absurd one, and what the C++ library keeps.
    CHECK(foreign == 0 && deletes >= 400 && news >= deletes, "%u foreign", foreign);
    return 0;
}
