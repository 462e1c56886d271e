// A replay gives the state that would have been had its kernel been there first: in any order and batches, killed half way, twice, or
// beside live traffic.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <thread>

#include "tests/unit/runtime/hub/fake_feed.h"

namespace weir::hub::testing {
namespace {

using Kernel = FakeMessage (*)(const FakeMessage&);

FakeMessage Good(const FakeMessage& sent) { return sent; }

// A table lacks a row: every third message is refused, some others are degraded.
FakeMessage Lacking(const FakeMessage& sent) {
  FakeMessage judged = sent;
  const size_t kind = std::hash<std::string>()(sent.Content()) % 5;
  if (sent.status == WEIR_OK && kind < 2) {
    judged.status = WEIR_REJECTED;
    judged.rejection = {"terminology", "code", "PV1-10"};
    judged.items.clear();
  } else if (sent.status == WEIR_OK && kind == 2 && !judged.items.empty() && !judged.items[0].members.empty()) {
    judged.items[0].members = R"("gender":"unknown")";
    judged.degraded = true;
  }
  return judged;
}

// Sees other copies and other events than the good one: keys without their salt, and nothing suppressed.
FakeMessage OtherIdentity(const FakeMessage& sent) {
  FakeMessage judged = sent;
  judged.key = sent.key.empty() ? "none" : sent.key + "!";
  judged.salt.clear();
  judged.time = sent.time / 2;
  if (judged.event == "A11") {
    judged.items.clear();
  }
  return judged;
}

struct Sent {
  std::vector<FakeMessage> messages;
  std::map<std::string, FakeMessage> by_raw;

  explicit Sent(std::vector<FakeMessage> all) : messages(std::move(all)) {
    for (const FakeMessage& message : messages) {
      by_raw[message.Raw()] = message;
    }
  }
};

void Apply(Hub& hub, std::span<const FakeMessage> messages, Kernel kernel, size_t size = 9) {
  for (size_t i = 0; i < messages.size(); i += size) {
    FakeBatch batch;
    for (size_t j = i; j < std::min(messages.size(), i + size); ++j) {
      batch.AddJudged(messages[j], kernel(messages[j]), "fake", j);
    }
    const auto applied = hub.Apply(batch.records(), 1'000'000);
    ASSERT_TRUE(applied) << applied.error().message;
  }
}

// As runtime/ingest does it; at most `most` messages.
RerunCounts Replay(Hub& hub, const Sent& sent, Kernel kernel, const Selection& selection, size_t size = 9, int64_t most = INT64_MAX) {
  RerunCounts sum;
  const auto selected = hub.Select(selection);
  EXPECT_TRUE(selected);
  std::vector<FakeBatch> batches(1);
  std::vector<int64_t> messages;
  const auto add = [&](const StoredMessage& stored) {
    const FakeMessage& message = sent.by_raw.at(*stored.raw);
    batches.back().AddJudged(message, kernel(message), stored.source, stored.position);
    messages.push_back(stored.msg);
  };
  const auto flush = [&] {
    std::vector<Rerunning> batch;
    for (size_t i = 0; i < messages.size(); ++i) {
      batch.push_back({messages[i], batches.back().records()[i]});
    }
    const auto counts = hub.Rerun(batch, 2'000'000);
    ASSERT_TRUE(counts) << counts.error().message;
    sum.changed += counts->changed;
    sum.unchanged += counts->unchanged;
    messages.clear();
    batches.emplace_back();
    ASSERT_TRUE(hub.Yield());
  };
  for (const int64_t msg : *selected) {
    if (sum.changed + sum.unchanged >= most) {
      return sum;
    }
    if (std::ranges::find(messages, msg) != messages.end()) {
      continue;
    }
    const auto stored = hub.LoadStored(msg);
    EXPECT_TRUE(stored) << stored.error().message;
    if (!*stored || !(*stored)->raw) {
      continue;
    }
    add(**stored);
    const auto copies = hub.CopiesLeft({msg, batches.back().records().back()});
    EXPECT_TRUE(copies);
    for (const int64_t copy : *copies) {
      if (std::ranges::find(messages, copy) == messages.end()) {
        add(*hub.LoadCopy(copy));
      }
    }
    if (messages.size() >= size) {
      flush();
    }
  }
  flush();
  return sum;
}

struct State {
  std::string digest, text;
  Ledger ledger;
  bool operator==(const State&) const = default;
};
std::ostream& operator<<(std::ostream& out, const State& state) {
  return out << state.digest << "\n" << LedgerJson(state.ledger) << "\n" << state.text;
}

State Read(Hub& hub) {
  const auto report = hub.Verify();
  EXPECT_TRUE(report->faults.empty()) << report->faults.size() << " faults, first: " << report->faults.front();
  State state{*hub.Digest(), ExportText(hub), *hub.ReadLedger()};
  for (auto& [feed, counts] : state.ledger) {
    EXPECT_TRUE(counts.Balanced());
    counts.late = 0;  // a fact of arrival
  }
  return state;
}

State Straight(const Sent& sent, Kernel kernel) {
  const HubFile file;
  const auto hub = file.Open(false, true, "d2");
  Apply(*hub, sent.messages, kernel);
  return Read(*hub);
}

class Rerun : public ::testing::TestWithParam<uint32_t> {
 protected:
  Sent sent{GetParam() % 3 == 2 ? RandomFamilies(GetParam() + 300, 150) : RandomMessages(GetParam() + 300, 150)};
};

TEST_P(Rerun, WhatWasHeldBackOrDegradedIsAsIfTheFixHadBeenThereFirst) {
  const State expected = Straight(sent, Good);
  const HubFile file;
  {
    const auto hub = file.Open();
    Apply(*hub, sent.messages, Lacking);
    ASSERT_NE(Read(*hub).digest, expected.digest);
  }
  const auto hub = file.Open(false, true, "d2");
  const RerunCounts counts = Replay(*hub, sent, Good, {.rejected = true, .error_class = "terminology", .code = {}, .degraded = true});
  EXPECT_GT(counts.changed, 20);
  const State state = Read(*hub);
  EXPECT_EQ(state, expected);
  // Twice is once.
  EXPECT_EQ(Replay(*hub, sent, Good, {.rejected = true, .error_class = "terminology", .code = {}, .degraded = true}).changed, 0);
  EXPECT_EQ(Read(*hub), expected);
}

TEST_P(Rerun, AllOfAnotherIdentityIsTheStraightRun) {
  const State expected = Straight(sent, OtherIdentity), before = Straight(sent, Lacking);
  const HubFile file;
  {
    const auto hub = file.Open();
    Apply(*hub, sent.messages, Lacking);
  }
  {
    const auto hub = file.Open(false, true, "d2");
    Replay(*hub, sent, OtherIdentity, {.all = true}, 13);
    State state = Read(*hub);
    // Suppressed records have no bytes to judge again.
    for (State* one : {&state, const_cast<State*>(&expected)}) {
      one->ledger.clear();
    }
    EXPECT_EQ(state.text, expected.text);
    EXPECT_EQ(state, expected);
  }
  const auto hub = file.Open(false, true, "d3");  // and back
  Replay(*hub, sent, Lacking, {.all = true}, 40);
  const State back = Read(*hub);
  EXPECT_EQ(back.digest, before.digest);
  EXPECT_EQ(back.text, before.text);
}

TEST_P(Rerun, HalfOfItThenTheRestBesideLiveTraffic) {
  const State expected = Straight(sent, Good);
  const std::span<const FakeMessage> all(sent.messages);
  const HubFile file;
  {
    const auto hub = file.Open();
    Apply(*hub, all.first(100), Lacking);
  }
  {
    const auto hub = file.Open(false, true, "d2");
    Replay(*hub, sent, Good, {.rejected = true, .error_class = {}, .code = {}, .degraded = true}, 5, 12);  // stopped after that
  }
  // The node runs the mended kernel; a visitor replays meanwhile.
  const auto node = file.Open(false, true, "d2");
  std::thread visitor([&] {
    const auto hub = file.Visit("d2");
    Replay(*hub, sent, Good, {.rejected = true, .error_class = {}, .code = {}, .degraded = true}, 3);
  });
  std::span<const FakeMessage> rest = all.subspan(100);
  while (!rest.empty()) {
    const size_t size = std::min<size_t>(4, rest.size());
    ASSERT_TRUE(node->Yield());
    Apply(*node, rest.first(size), Good);
    rest = rest.subspan(size);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::atomic<bool> done = false;
  std::thread lender([&] {
    while (!done) {
      ASSERT_TRUE(node->Yield());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  visitor.join();
  done = true;
  lender.join();
  ASSERT_TRUE(node->Yield());
  EXPECT_EQ(Read(*node), expected);
}

// WEIR_TORTURE_SEEDS: more of them, for long runs.
uint32_t SeedCount() {
  const char* count = std::getenv("WEIR_TORTURE_SEEDS");
  return count ? static_cast<uint32_t>(std::atoi(count)) : 12;
}
INSTANTIATE_TEST_SUITE_P(Seeds, Rerun, ::testing::Range(0u, SeedCount()));

}  // namespace
}  // namespace weir::hub::testing
