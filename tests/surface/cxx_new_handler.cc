// Promise: the new handler is called until memory is found or it gives up, as the standard says.
// TEST: cflags=-std=gnu++17 -fno-builtin -fsized-deallocation
//
// Under a limit of address space: a handler that frees a reserve lets the very same new succeed;
// one that removes itself ends in std::bad_alloc; one that throws is what the caller catches, or
// nullptr from nothrow forms; std::set_new_handler and get_new_handler are libstdc++'s, which the
// allocator must find although it does not need libstdc++.
#include "support/surface.h"
#include <new>
#include <sys/resource.h>

static constexpr std::size_t huge = std::size_t{1} << 48; // more than there are addresses
static int called;
static void *reserve;

static void give_up_at_third() {
    if (++called == 3) std::set_new_handler(nullptr);
}
struct Tired : std::bad_alloc {};
static void throw_tired() {
    called++;
    throw Tired();
}
static void free_reserve() {
    called++;
    free(reserve);
    reserve = nullptr;
    std::set_new_handler(nullptr);
}

enum Form { PLAIN, ARRAY, ALIGNED, ARRAY_ALIGNED, NOTHROW, ARRAY_NOTHROW, ALIGNED_NOTHROW,
            ARRAY_ALIGNED_NOTHROW, FORMS };

static void *new_of(int form, std::size_t size) {
    const std::align_val_t a{128};
    switch (form) {
    case PLAIN: return ::operator new(size);
    case ARRAY: return ::operator new[](size);
    case ALIGNED: return ::operator new(size, a);
    case ARRAY_ALIGNED: return ::operator new[](size, a);
    case NOTHROW: return ::operator new(size, std::nothrow);
    case ARRAY_NOTHROW: return ::operator new[](size, std::nothrow);
    case ALIGNED_NOTHROW: return ::operator new(size, a, std::nothrow);
    default: return ::operator new[](size, a, std::nothrow);
    }
}

static void delete_of(int form, void *p) {
    const std::align_val_t a{128};
    switch (form) {
    case PLAIN: case NOTHROW: ::operator delete(p); break;
    case ARRAY: case ARRAY_NOTHROW: ::operator delete[](p); break;
    case ALIGNED: case ALIGNED_NOTHROW: ::operator delete(p, a); break;
    default: ::operator delete[](p, a);
    }
}

// 0: threw std::bad_alloc itself, 1: threw Tired, 2: returned null, 3: returned a block
static int outcome_of(int form, std::size_t size) {
    try {
        void *p = new_of(form, size);
        if (!p) return 2;
        pattern_fill(p, size < MIB ? size : MIB, 1);
        delete_of(form, p);
        return 3;
    } catch (const Tired &) {
        return 1;
    } catch (const std::bad_alloc &) {
        return 0;
    }
}

static void without_success() {
    for (int form = 0; form < FORMS; form++) {
        const bool nothrow = form >= NOTHROW;
        std::set_new_handler(nullptr);
        CHECK(outcome_of(form, huge) == (nothrow ? 2 : 0), "form %d without a handler", form);

        called = 0;
        std::set_new_handler(give_up_at_third);
        CHECK(std::get_new_handler() == give_up_at_third, "another handler is set");
        CHECK(outcome_of(form, huge) == (nothrow ? 2 : 0), "form %d gives up", form);
        CHECK(called == 3, "form %d called the handler %d times", form, called);

        called = 0;
        std::set_new_handler(throw_tired);
        CHECK(outcome_of(form, huge) == (nothrow ? 2 : 1), "form %d throws", form);
        CHECK(called == 1, "form %d called the handler %d times", form, called);

        called = 0;
        CHECK(outcome_of(form, 100) == 3 && called == 0, "form %d needs no handler", form);
    }
    std::set_new_handler(nullptr);
}

static void with_a_reserve() {
    struct rlimit limit = {std::size_t{400} << 20, RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0, "no limit");
    for (int form = 0; form < FORMS; form++) {
        called = 0;
        reserve = malloc(250 * MIB);
        CHECK(reserve != nullptr, "no reserve for form %d", form);
        std::set_new_handler(free_reserve);
        CHECK(outcome_of(form, 200 * MIB) == 3, "form %d did not come through", form);
        CHECK(called == 1, "form %d called the handler %d times", form, called);
    }
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_AS, &limit);
}

// Many small ones until memory is gone: thrown then, and all is well after they are deleted.
static void small_ones_until_it_ends() {
    struct Node {
        Node *next;
        char room[1000];
    };
    struct rlimit limit = {std::size_t{200} << 20, RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0, "no limit");
    for (int round = 0; round < 3; round++) {
        Node *list = nullptr;
        std::size_t count = 0;
        bool thrown = false;
        while (!thrown) {
            try {
                Node *node = new Node;
                node->next = list;
                list = node;
                count++;
            } catch (const std::bad_alloc &) {
                thrown = true;
            }
        }
        while (list) {
            Node *next = list->next;
            delete list;
            list = next;
        }
        printf("round %d: %zu blocks until std::bad_alloc\n", round, count);
        fflush(stdout);
        CHECK(count > 50000, "only %zu blocks in 200 MiB", count);
    }
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_AS, &limit);
}

int main() {
    test_begin(60);
    without_success();
    with_a_reserve();
    small_ones_until_it_ends();
    return 0;
}
