// Not run, only compiled, by the workload g++: many headers, templates and lambdas, as an ordinary C++ source has.
#include <algorithm>
#include <any>
#include <functional>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <queue>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

struct Point {
    double x, y;
    auto operator<=>(const Point &) const = default;
};

using Value = std::variant<std::monostate, bool, long, double, std::string, std::vector<int>, std::map<std::string, int>>;

template <typename Key, typename Item> class Cache {
public:
    using Make = std::function<Item(const Key &)>;
    explicit Cache(Make make, std::size_t most) : make_(std::move(make)), most_(most) {}
    const Item &get(const Key &key)
    {
        if (auto found = items_.find(key); found != items_.end()) {
            order_.splice(order_.begin(), order_, found->second.second);
            return found->second.first;
        }
        order_.push_front(key);
        if (order_.size() > most_) {
            items_.erase(order_.back());
            order_.pop_back();
        }
        return items_.emplace(key, std::make_pair(make_(key), order_.begin())).first->second.first;
    }

private:
    Make make_;
    std::size_t most_;
    std::list<Key> order_;
    std::map<Key, std::pair<Item, typename std::list<Key>::iterator>> items_;
};

template <std::size_t N> std::string describe(const Value &value)
{
    return std::visit(
        [](const auto &item) -> std::string {
            using Type = std::decay_t<decltype(item)>;
            std::ostringstream out;
            if constexpr (std::is_same_v<Type, std::monostate>)
                out << "nothing " << N;
            else if constexpr (std::is_same_v<Type, std::vector<int>>)
                out << std::accumulate(item.begin(), item.end(), static_cast<int>(N));
            else if constexpr (std::is_same_v<Type, std::map<std::string, int>>)
                for (const auto &[name, number] : item)
                    out << name << '=' << number << ';';
            else
                out << item;
            return out.str();
        },
        value);
}

template <std::size_t... Ns> std::vector<std::string> describe_all(const Value &value, std::index_sequence<Ns...>)
{
    return {describe<Ns>(value)...};
}

std::map<std::string, std::vector<std::string>> words_by_start(const std::string &text)
{
    std::map<std::string, std::vector<std::string>> found;
    std::istringstream in(text);
    for (std::string word; in >> word;)
        found[word.substr(0, 1)].push_back(word);
    for (auto &[start, words] : found) {
        std::sort(words.begin(), words.end(), [](const auto &a, const auto &b) { return a.size() < b.size() || a < b; });
        words.erase(std::unique(words.begin(), words.end()), words.end());
    }
    return found;
}

std::vector<int> shortest(const std::unordered_map<int, std::vector<std::pair<int, int>>> &graph, int from)
{
    using Item = std::tuple<int, int>;
    std::priority_queue<Item, std::vector<Item>, std::greater<>> open;
    std::unordered_map<int, int> best{{from, 0}};
    open.emplace(0, from);
    while (!open.empty()) {
        auto [distance, at] = open.top();
        open.pop();
        if (auto edges = graph.find(at); edges != graph.end())
            for (auto [to, length] : edges->second)
                if (auto known = best.find(to); known == best.end() || known->second > distance + length) {
                    best[to] = distance + length;
                    open.emplace(distance + length, to);
                }
    }
    std::vector<int> result;
    std::transform(best.begin(), best.end(), std::back_inserter(result), [](const auto &item) { return item.second; });
    return result;
}

int main()
{
    Cache<std::string, std::vector<std::string>> cache(
        [](const std::string &key) { return describe_all(Value(key), std::make_index_sequence<6>{}); }, 16);
    auto later = cache.get("later").size();
    std::set<Point> points{{1, 2}, {2, 1}};
    std::unordered_set<std::string> names{"a", "b"};
    std::optional<std::any> maybe = std::any(points.size() + names.size());
    std::cout << later << words_by_start("some text of words").size() << shortest({{1, {{2, 3}}}}, 1).size()
              << std::any_cast<std::size_t>(*maybe) << '\n';
}
