// cxx_containers: std::map, std::unordered_map, std::string, std::vector, std::list, std::shared_ptr doing ordinary work.
// Modelled on ordinary C++ programs: an index of words to the lines they stand in, an inverted table, a priority of jobs.
// All memory comes from operator new, strings beyond 15 characters allocate, vectors double, nodes come one by one.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

struct Random {
    std::uint64_t state;
    std::uint64_t next()
    {
        std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
};

std::string word_make(Random &random, std::size_t vocabulary)
{
    std::size_t number = random.below(vocabulary);
    std::string word = "word";
    word += std::to_string(number * 7919 % vocabulary);
    if (number % 3 == 0)
        word += "-with-a-longer-ending-" + std::to_string(number);
    return word;
}

// Words to the lines in which they stand, ordered.
std::uint64_t index_build(Random &random, std::size_t words)
{
    std::map<std::string, std::vector<std::uint32_t>> index;
    for (std::size_t i = 0; i < words; i++)
        index[word_make(random, 20000)].push_back(static_cast<std::uint32_t>(i));
    std::uint64_t sum = 0;
    for (const auto &[word, lines] : index)
        sum = sum * 31 + word.size() + lines.size() + lines.back();
    return sum;
}

struct Session {
    std::string user;
    std::list<std::string> history;
    std::unordered_map<std::string, std::string> values;
};

// Sessions by number: they come, are used, keep a short history, and go.
std::uint64_t sessions_run(Random &random, std::size_t steps)
{
    std::unordered_map<std::uint64_t, std::shared_ptr<Session>> sessions;
    std::deque<std::shared_ptr<Session>> recent;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < steps; i++) {
        std::uint64_t id = random.below(4000);
        auto &session = sessions[id];
        if (!session) {
            session = std::make_shared<Session>();
            session->user = "user number " + std::to_string(id) + " of this service";
        }
        session->history.push_back(word_make(random, 500));
        if (session->history.size() > 12)
            session->history.pop_front();
        session->values[word_make(random, 40)] = session->user + session->history.front();
        recent.push_back(session);
        if (recent.size() > 64)
            recent.pop_front();
        sum += session->history.size() + session->values.size();
        if (random.below(40) == 0)
            sessions.erase(id);
    }
    return sum + sessions.size();
}

// Text cut into fields and joined again.
std::uint64_t text_cut(Random &random, std::size_t lines)
{
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < lines; i++) {
        std::string line;
        for (std::size_t field = 0; field < 12; field++)
            line += word_make(random, 100000) + ',';
        std::vector<std::string> fields;
        for (std::size_t at = 0, comma; (comma = line.find(',', at)) != std::string::npos; at = comma + 1)
            fields.push_back(line.substr(at, comma - at));
        std::string joined;
        for (auto field = fields.rbegin(); field != fields.rend(); ++field)
            joined += *field + ";";
        sum = sum * 31 + joined.size() + static_cast<unsigned char>(joined[joined.size() / 2]);
    }
    return sum;
}

} // namespace

int main(int count, char **arguments)
{
    double scale = count > 1 ? std::atof(arguments[1]) : 1.0;
    auto times = [scale](double full) { return static_cast<std::size_t>(full * scale) + 1; };
    Random random{18};
    std::uint64_t sum = index_build(random, times(500000));
    sum = sum * 31 + sessions_run(random, times(500000));
    sum = sum * 31 + text_cut(random, times(40000));
    std::printf("checksum %016llx\n", static_cast<unsigned long long>(sum));
    return 0;
}
