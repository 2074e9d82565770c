// Promise: the C++ library's containers, strings, streams, memory resources and exceptions run on us, with threads.
// TEST: cflags=-std=gnu++17 -fno-builtin -fsized-deallocation
#include "support/surface.h"
#include <algorithm>
#include <deque>
#include <functional>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

static void resource_is_good(std::pmr::memory_resource *resource) {
    for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2)
        for (std::size_t size : {std::size_t{1}, std::size_t{100}, std::size_t{5000}, 200 * KIB}) {
            void *p = resource->allocate(size, alignment);
            CHECK(reinterpret_cast<uintptr_t>(p) % alignment == 0, "%p for %zu", p, alignment);
            pattern_fill(p, size, alignment);
            CHECK(pattern_check(p, size, size, alignment) == size, "%zu bytes", size);
            resource->deallocate(p, size, alignment);
        }
}

static void memory_resources() {
    resource_is_good(std::pmr::new_delete_resource());
    std::pmr::monotonic_buffer_resource monotonic;
    resource_is_good(&monotonic);
    std::pmr::synchronized_pool_resource pool;
    resource_is_good(&pool);
    std::pmr::map<std::pmr::string, std::pmr::vector<int>> map(&pool);
    for (int i = 0; i < 5000; i++)
        map[std::pmr::string("key ") + std::to_string(i).c_str()].assign(
            static_cast<std::size_t>(i % 50), i);
    for (int i = 0; i < 5000; i += 2)
        map.erase(std::pmr::string("key ") + std::to_string(i).c_str());
    CHECK(map.size() == 2500, "%zu left", map.size());
}

// A mixed load whose result does not depend on the allocator.
static unsigned long long containers(unsigned seed) {
    std::mt19937 random(seed);
    std::map<int, std::string> ordered;
    std::unordered_map<std::string, std::vector<int>> hashed;
    std::deque<std::unique_ptr<std::string>> queue;
    std::list<std::set<int>> sets;
    unsigned long long sum = 0;
    for (int i = 0; i < 20000; i++) {
        int n = static_cast<int>(random() % 2000);
        ordered[n] += static_cast<char>('a' + n % 26);
        hashed[std::to_string(n % 500) + " with a tail that leaves the small buffer"].push_back(n);
        queue.push_back(std::make_unique<std::string>(static_cast<std::size_t>(n % 300), 'q'));
        if (queue.size() > 400) {
            sum += queue.front()->size();
            queue.pop_front();
        }
        if (i % 50 == 0) sets.emplace_back();
        sets.back().insert(n);
        if (sets.size() > 100) sets.pop_front();
        if (i % 500 == 0) ordered.erase(ordered.begin(), ordered.lower_bound(n));
    }
    for (auto &[key, text] : ordered) sum = sum * 31 + static_cast<unsigned>(key) + text.size();
    for (auto &[key, numbers] : hashed) sum += numbers.size() * key.size();
    for (auto &set : sets) sum += set.size();
    std::ostringstream stream;
    for (int i = 0; i < 500; i++) stream << i << ' ' << i * 0.5 << '\n';
    return sum + stream.str().size();
}

static void exceptions(int depth) {
    std::string local(static_cast<std::size_t>(depth) * 20, 'x');
    std::vector<std::string> many(5, local);
    if (depth == 0) throw std::runtime_error("from below: " + local);
    try {
        exceptions(depth - 1);
    } catch (const std::exception &error) {
        std::throw_with_nested(std::runtime_error(std::string(error.what()) + " " + local));
    }
}

struct Counted {
    static std::atomic<int> live;
    std::vector<int> data = std::vector<int>(200, 3);
    Counted() { live++; }
    ~Counted() { live--; }
};
std::atomic<int> Counted::live{0};

static void threads_share() {
    std::mutex lock;
    std::vector<std::shared_ptr<Counted>> shared;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 6; t++)
        threads.emplace_back([&lock, &shared, t] {
            thread_local std::unique_ptr<Counted> mine; // dies in the thread's destructors
            mine = std::make_unique<Counted>();
            std::mt19937 random(t);
            for (int i = 0; i < 3000; i++) {
                auto fresh = std::make_shared<Counted>();
                std::shared_ptr<Counted> old;
                std::lock_guard<std::mutex> guard(lock);
                if (shared.size() < 100) {
                    shared.push_back(fresh);
                } else {
                    old.swap(shared[random() % shared.size()]);
                    shared[random() % shared.size()] = fresh;
                }
            }
        });
    for (auto &thread : threads) thread.join();
    shared.clear();
    CHECK(Counted::live == 0, "%d objects live", Counted::live.load());
}

int main() {
    test_begin(60);
    memory_resources();
    const unsigned long long alone = containers(5);
    std::vector<std::future<unsigned long long>> results;
    for (int i = 0; i < 6; i++)
        results.push_back(std::async(std::launch::async, containers, i % 2 ? 5u : 6u));
    for (std::size_t i = 0; i < results.size(); i++) {
        unsigned long long result = results[i].get();
        CHECK((result == alone) == (i % 2 == 1), "thread %zu: %llu, alone %llu", i, result, alone);
    }
    for (int i = 0; i < 200; i++) {
        bool caught = false;
        try {
            exceptions(8);
        } catch (const std::runtime_error &error) {
            caught = std::string(error.what()).size() > 500;
        }
        CHECK(caught, "round %d", i);
    }
    threads_share();
    return 0;
}
