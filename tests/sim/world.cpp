#include "tests/sim/world.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace weir::sim {

void Trace::Note(int64_t now_us, std::string_view what, std::initializer_list<int64_t> numbers, std::string_view bytes) {
  const auto add = [this](uint64_t x) { hash_ = Mix(hash_ ^ x) + 1; };
  const auto add_bytes = [&add](std::string_view text) {
    add(text.size());
    for (; !text.empty(); text.remove_prefix(std::min<size_t>(8, text.size()))) {
      uint64_t word = 0;
      memcpy(&word, text.data(), std::min<size_t>(8, text.size()));
      add(word);
    }
  };
  add(static_cast<uint64_t>(now_us));
  add_bytes(what);
  for (const int64_t number : numbers) {
    add(static_cast<uint64_t>(number));
  }
  add_bytes(bytes);
  if (prints_) {
    std::printf("%12.6f  %-18.*s", static_cast<double>(now_us) / 1e6, static_cast<int>(what.size()), what.data());
    for (const int64_t number : numbers) {
      std::printf(" %lld", static_cast<long long>(number));
    }
    std::printf("  %016llx", static_cast<unsigned long long>(hash_));
    if (!bytes.empty()) {  // nobody's data: the messages are made up, or published samples
      std::putchar(' ');
      for (const char c : bytes) {
        std::putchar(c == '\r' ? '~' : c >= ' ' && c <= '~' ? c : '.');
      }
    }
    std::putchar('\n');
    std::fflush(stdout);
  }
}

void World::After(int64_t delay_us, std::function<void()> what) {
  due_.push({now_us_ + std::max<int64_t>(0, delay_us), next_++, std::move(what)});
}

bool World::Step(int64_t until_us) {
  if (due_.empty() || due_.top().at_us > until_us) {
    now_us_ = std::max(now_us_, until_us);
    return false;
  }
  const std::function<void()> what = due_.top().what;
  now_us_ = std::max(now_us_, due_.top().at_us);
  due_.pop();
  what();
  return true;
}

}  // namespace weir::sim
