// Promise: a statically linked C++ program runs on us: operators, exceptions, new handler, containers, threads.
// TEST: cflags=-std=gnu++17 -fno-builtin -fsized-deallocation
// TEST: link=static
#include "support/surface.h"
#include <malloc.h>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

static int handled;
static void handler() {
    handled++;
    std::set_new_handler(nullptr);
}

static std::size_t work(int salt) {
    std::map<std::string, std::vector<int>> map;
    for (int i = 0; i < 20000; i++) {
        std::string key = "a key long enough for a block of its own " + std::to_string(i % 700);
        map[key].push_back(i * salt);
        if (i % 3 == 0) map.erase(key);
    }
    std::size_t sum = 0;
    for (auto &entry : map) sum += entry.second.size();
    return sum;
}

int main() {
    test_begin(60);
    const std::size_t alone = work(1);
    std::vector<std::thread> threads;
    std::vector<std::size_t> sums(4);
    for (std::size_t i = 0; i < sums.size(); i++)
        threads.emplace_back([i, &sums] { sums[i] = work(static_cast<int>(i)); });
    for (auto &thread : threads) thread.join();
    for (std::size_t sum : sums) CHECK(sum == alone, "%zu, alone %zu", sum, alone);
    volatile std::size_t absurd = SIZE_MAX / 2;
    bool thrown = false;
    std::set_new_handler(handler);
    try {
        ::operator delete(::operator new(absurd));
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    CHECK(thrown && handled == 1, "thrown %d, handled %d", thrown, handled);
    void *p = ::operator new(1000, std::align_val_t{512});
    CHECK(reinterpret_cast<uintptr_t>(p) % 512 == 0, "%p", p);
    CHECK(malloc_usable_size(p) >= 1000, "usable %zu", malloc_usable_size(p));
    ::operator delete(p, 1000, std::align_val_t{512});
    return 0;
}
