// Promise: every form of operator new and delete works, and each pairs with each that the standard allows.
// TEST: cflags=-std=gnu++17 -fno-builtin -fsized-deallocation
//
// Plain, array, sized, aligned, nothrow and all their combinations, called directly (so that none is
// optimised away) and through expressions; over-aligned types; sizes from 0 to megabytes; absurd
// sizes throw std::bad_alloc or give nullptr, and errno is nobody's business then.
#include "support/surface.h"
#include <malloc.h>
#include <new>
#include <vector>

static const std::size_t sizes[] = {0,   1,    7,     8,      16,      17,      24,     100,
                                    512, 1000, 1024,  1025,   4096,    10000,   65536,  300000,
                                    1 << 20, (1 << 22) + 3};

static void block_is_good(void *p, std::size_t size, std::size_t alignment, const char *form) {
    CHECK(p != nullptr, "%s(%zu) is null", form, size);
    CHECK(reinterpret_cast<uintptr_t>(p) % alignment == 0, "%s(%zu) = %p", form, size, p);
    CHECK(malloc_usable_size(p) >= size, "%s(%zu): too small", form, size);
    pattern_fill(p, size, size);
    CHECK(pattern_check(p, size, size, size) == size, "%s(%zu)", form, size);
}

static void plain_forms(std::size_t size) {
    void *p = ::operator new(size);
    block_is_good(p, size, 16, "new");
    ::operator delete(p);
    p = ::operator new(size);
    ::operator delete(launder(p), size);
    p = ::operator new(size, std::nothrow);
    block_is_good(p, size, 16, "new nothrow");
    ::operator delete(p, std::nothrow);
    p = ::operator new[](size);
    block_is_good(p, size, 16, "new[]");
    ::operator delete[](p);
    p = ::operator new[](size);
    ::operator delete[](launder(p), size);
    p = ::operator new[](size, std::nothrow);
    block_is_good(p, size, 16, "new[] nothrow");
    ::operator delete[](p, std::nothrow);
    // On this system new is malloc: programs that mix them are wrong, but many.
    p = ::operator new(size);
    free(launder(p));
    p = malloc(size);
    ::operator delete(launder(p));
}

static void aligned_forms(std::size_t size, std::size_t alignment) {
    const std::align_val_t a{alignment};
    const std::size_t least = alignment < 16 ? 16 : alignment;
    void *p = ::operator new(size, a);
    block_is_good(p, size, least, "new aligned");
    ::operator delete(p, a);
    p = ::operator new(size, a);
    ::operator delete(launder(p), size, a);
    p = ::operator new(size, a, std::nothrow);
    block_is_good(p, size, least, "new aligned nothrow");
    ::operator delete(p, a, std::nothrow);
    p = ::operator new[](size, a);
    block_is_good(p, size, least, "new[] aligned");
    ::operator delete[](p, a);
    p = ::operator new[](size, a);
    ::operator delete[](launder(p), size, a);
    p = ::operator new[](size, a, std::nothrow);
    block_is_good(p, size, least, "new[] aligned nothrow");
    ::operator delete[](p, a, std::nothrow);
}

static void null_is_ignored() {
    const auto none = [] { return launder(nullptr); }; // anew, or the compiler sees a second delete
    errno = 77;
    ::operator delete(none());
    ::operator delete(none(), std::size_t{10});
    ::operator delete(none(), std::nothrow);
    ::operator delete[](none());
    ::operator delete[](none(), std::size_t{10});
    ::operator delete(none(), std::align_val_t{64});
    ::operator delete(none(), std::size_t{10}, std::align_val_t{64});
    ::operator delete[](none(), std::size_t{10}, std::align_val_t{64});
    CHECK(errno == 77, "deleting null changed errno to %d", errno);
}

template <typename F> static bool throws_bad_alloc(F call) {
    try {
        void *p = call();
        CHECK(p == nullptr, "an absurd size was served: %p", p);
    } catch (const std::bad_alloc &error) {
        return error.what() != nullptr;
    }
    return false;
}

static void absurd_sizes() {
    const std::size_t absurd[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 4096,
                                  static_cast<std::size_t>(PTRDIFF_MAX) + 1,
                                  static_cast<std::size_t>(PTRDIFF_MAX), std::size_t{1} << 62};
    for (std::size_t absurd_size : absurd) {
        volatile std::size_t size = absurd_size;
        const std::align_val_t a{64};
        // libstdc++'s own rounds SIZE_MAX up to an alignment, to 0: an error that is not to be copied.
        const bool wraps = is_any_allowed() && size > SIZE_MAX - 64;
        CHECK(throws_bad_alloc([&] { return ::operator new(size); }), "new(%zu)", size);
        CHECK(throws_bad_alloc([&] { return ::operator new[](size); }), "new[](%zu)", size);
        CHECK(!::operator new(size, std::nothrow), "new nothrow(%zu)", size);
        CHECK(!::operator new[](size, std::nothrow), "new[] nothrow(%zu)", size);
        if (wraps) continue;
        CHECK(throws_bad_alloc([&] { return ::operator new(size, a); }), "new aligned(%zu)", size);
        CHECK(throws_bad_alloc([&] { return ::operator new[](size, a); }), "new[] al.(%zu)", size);
        CHECK(!::operator new(size, a, std::nothrow), "new aligned nothrow(%zu)", size);
        CHECK(!::operator new[](size, a, std::nothrow), "new[] aligned nothrow(%zu)", size);
    }
    volatile std::size_t count = SIZE_MAX / 4;
    bool thrown = false;
    try {
        launder(new long[count]);
    } catch (const std::bad_array_new_length &) {
        thrown = true;
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    CHECK(thrown, "new long[%zu]", count);
}

struct alignas(256) Wide {
    unsigned char bytes[700];
    static int live;
    Wide() { live++; }
    ~Wide() { live--; }
};
int Wide::live = 0;

struct Base {
    virtual ~Base() = default;
    long a = 1;
};
struct Derived : Base {
    char more[300] = {};
    std::vector<int> numbers = std::vector<int>(100, 7);
};

static void expressions() {
    for (int round = 0; round < 2000; round++) {
        Wide *one = static_cast<Wide *>(launder(new Wide));
        Wide *many = static_cast<Wide *>(launder(new Wide[5]));
        CHECK(reinterpret_cast<uintptr_t>(one) % 256 == 0, "new Wide = %p",
              static_cast<void *>(one));
        CHECK(reinterpret_cast<uintptr_t>(many) % 256 == 0, "new Wide[5] = %p",
              static_cast<void *>(many));
        CHECK(Wide::live == 6, "%d live", Wide::live);
        delete one;
        delete[] many;
        Base *base = static_cast<Base *>(launder(new Derived));
        delete base;
        delete[] static_cast<char *>(launder(new char[static_cast<std::size_t>(round)]));
        delete static_cast<int *>(launder(new (std::nothrow) int(5)));
    }
    CHECK(Wide::live == 0, "%d live", Wide::live);
    // A constructor that throws: the block goes back through the matching delete.
    struct Thrower {
        char room[5000];
        Thrower() { throw 5; }
    };
    for (int i = 0; i < 1000; i++) {
        bool caught = false;
        try {
            launder(new Thrower);
        } catch (int) {
            caught = true;
        }
        CHECK(caught, "round %d", i);
    }
}

int main() {
    test_begin(60);
    for (std::size_t size : sizes) {
        plain_forms(size);
        for (std::size_t alignment = 1; alignment <= 1 << 16; alignment *= 2)
            aligned_forms(size, alignment);
    }
    null_is_ignored();
    absurd_sizes();
    expressions();
    return 0;
}
