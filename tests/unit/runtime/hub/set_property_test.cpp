// Promise 3: the state is a pure function of the set of accepted messages. Shuffled, doubled, cut
// into other batches, or killed between: the same digest, the same export, a balanced ledger, a
// sound file.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "tests/unit/runtime/hub/fake_feed.h"
#include "tests/unit/runtime/hub/oracle.h"

namespace weir::hub::testing {
namespace {

struct Outcome {
  std::string digest, text;
  int64_t applied = 0, rejected = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome Read(Hub& hub) {
  const auto report = hub.Verify();
  EXPECT_TRUE(report->faults.empty())
      << report->faults.size() << " faults, first: " << report->faults.front();
  Outcome outcome{.digest = *hub.Digest(), .text = ExportText(hub)};
  const auto ledger = hub.ReadLedger();
  for (const auto& [feed, counts] : *ledger) {
    EXPECT_TRUE(counts.Balanced()) << feed;
    outcome.applied += counts.applied;
    outcome.rejected += counts.schema + counts.terminology + counts.policy + counts.transform;
  }
  return outcome;
}

Outcome RunIn(const std::vector<FakeMessage>& messages, size_t batch) {
  const HubFile file;
  const auto hub = file.Open();
  ApplyAll(*hub, messages, batch);
  return Read(*hub);
}

class SetProperty : public ::testing::TestWithParam<uint32_t> {};

TEST_P(SetProperty, OrderCopiesAndBatchesDoNotMatter) {
  std::vector<FakeMessage> messages = RandomMessages(GetParam(), 120);
  const Outcome expected = RunIn(messages, 7);
  EXPECT_GT(expected.applied, 40);
  EXPECT_GT(expected.rejected, 3);
  EXPECT_GT(expected.text.size(), 500u);
  std::mt19937 random(GetParam() + 1000);
  for (const size_t batch : {1, 13, 500}) {
    std::ranges::shuffle(messages, random);
    EXPECT_EQ(RunIn(messages, batch), expected);
    std::vector<FakeMessage> doubled = messages;
    doubled.insert(doubled.end(), messages.begin(), messages.end());
    std::ranges::shuffle(doubled, random);
    EXPECT_EQ(RunIn(doubled, batch), expected);
  }
  // Sorted both ways: everything in time, everything late.
  std::ranges::sort(messages, {}, &FakeMessage::time);
  EXPECT_EQ(RunIn(messages, 11), expected);
  std::ranges::reverse(messages);
  EXPECT_EQ(RunIn(messages, 11), expected);
}

// Two patients that nearly every message writes, as wards and practitioners of a real feed: chains of some hundred links, which
// take late contributions by landmarks. Retracts, fills and merges are few, so that most places are found without the whole chain.
std::vector<FakeMessage> MessagesAboutFew(uint32_t seed) {
  std::vector<FakeMessage> messages;
  uint32_t rare = 0;
  for (FakeMessage& message : RandomMessages(seed, 700)) {
    bool plain = true;
    for (FakeItem& item : message.items) {
      plain = plain && (item.op == WEIR_OP_PATCH || item.op == WEIR_OP_PUT);
      item.key[0] = item.key[0] < 5 && item.op != WEIR_OP_ALIAS ? item.key[0] % 2 : item.key[0];
    }
    if (plain || ++rare % 25 == 0) {
      messages.push_back(std::move(message));
    }
  }
  return messages;
}

class LongChains : public ::testing::TestWithParam<uint32_t> {};

TEST_P(LongChains, OrderDoesNotMatter) {
  std::vector<FakeMessage> messages = MessagesAboutFew(GetParam() + 5000);
  std::ranges::sort(messages, {}, &FakeMessage::time);
  const Outcome expected = RunIn(messages, 50);
  EXPECT_GT(expected.applied, 250);
  std::mt19937 random(GetParam());
  std::ranges::shuffle(messages, random);
  EXPECT_EQ(RunIn(messages, 3), expected);
  EXPECT_EQ(RunIn(messages, 200), expected);
  std::ranges::sort(messages, {}, &FakeMessage::time);
  std::ranges::reverse(messages);
  EXPECT_EQ(RunIn(messages, 50), expected);
  // A backfill: the older half after the newer one.
  std::ranges::reverse(messages);
  std::ranges::rotate(messages, messages.begin() + static_cast<std::ptrdiff_t>(messages.size() / 2));
  EXPECT_EQ(RunIn(messages, 50), expected);
}

class Families : public ::testing::TestWithParam<uint32_t> {};

// What is within a merged patient follows it, whatever came first, and comes back when the merge is
// undone.
TEST_P(Families, HoldWhatTheOracleSays) {
  std::vector<FakeMessage> messages = RandomFamilies(GetParam(), 60);
  const Outcome expected = RunIn(messages, 7);
  EXPECT_EQ(expected.text, OracleExport(messages));
  std::mt19937 random(GetParam() + 1);
  for (const size_t batch : {1, 9, 500}) {
    std::ranges::shuffle(messages, random);
    EXPECT_EQ(RunIn(messages, batch), expected);
  }
  std::vector<FakeMessage> doubled = messages;
  doubled.insert(doubled.end(), messages.begin(), messages.end());
  EXPECT_EQ(RunIn(doubled, 11), expected);
  std::ranges::sort(messages, {}, &FakeMessage::time);
  EXPECT_EQ(RunIn(messages, 3), expected);
  std::ranges::reverse(messages);
  EXPECT_EQ(RunIn(messages, 3), expected);
}

TEST_P(Families, AnUnmergeGivesBackWhatWas) {
  std::vector<FakeMessage> messages = RandomFamilies(GetParam() + 3000, 40);
  std::erase_if(messages,
                [](const FakeMessage& m) { return m.event == "A40" || m.event == "A37"; });
  const std::string before = RunIn(messages, 7).text;
  std::mt19937 random(GetParam());
  for (uint32_t loser = 2; loser <= 4; ++loser) {
    FakeMessage merge, undo;
    merge.key = "merge" + std::to_string(loser);
    merge.event = "A40";
    merge.time = static_cast<int64_t>(random() % 40);
    merge.items = {{WEIR_OP_ALIAS, kMergeMap, loser, {}, 1}};
    undo = merge;
    undo.key += "u";
    undo.event = "A37";
    undo.time = merge.time + 1;
    undo.items = {{WEIR_OP_RETRACT, kMergeMap, loser}};
    messages.push_back(merge);
    messages.push_back(undo);
    std::ranges::shuffle(messages, random);
    EXPECT_EQ(RunIn(messages, 5).text, before);
  }
}

// WEIR_TORTURE_SEEDS: more of them, for long runs.
uint32_t SeedCount() {
  const char* count = std::getenv("WEIR_TORTURE_SEEDS");
  return count ? static_cast<uint32_t>(std::atoi(count)) : 12;
}
INSTANTIATE_TEST_SUITE_P(Seeds, SetProperty, ::testing::Range(0u, SeedCount()));
INSTANTIATE_TEST_SUITE_P(Seeds, Families, ::testing::Range(0u, 2 * SeedCount()));
INSTANTIATE_TEST_SUITE_P(Seeds, LongChains, ::testing::Range(0u, SeedCount() / 3));

void KillAtAnyMoment(const std::vector<FakeMessage>& messages) {
  const Outcome expected = RunIn(messages, 7);
  const HubFile file;
  std::mt19937 random(5);
  int kills = 0;
  for (int round = 0; round < 40; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {  // starts over each time, as a sender does that got no acknowledgement
      const auto hub = file.Open();
      if (hub != nullptr) {
        ApplyAll(*hub, messages, 5);
      }
      _exit(0);
    }
    usleep(1000 + random() % 40000);
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    kills += WIFSIGNALED(status) ? 1 : 0;
  }
  EXPECT_GT(kills, 10);
  const auto hub = file.Open();
  ASSERT_NE(hub, nullptr);
  EXPECT_TRUE(hub->Verify()->faults.empty());  // whatever prefix of batches is there
  ApplyAll(*hub, messages, 5);
  EXPECT_EQ(Read(*hub), expected);
}

TEST(SetPropertyKill, SurvivesKillAtAnyMoment) { KillAtAnyMoment(RandomMessages(77, 300)); }
TEST(SetPropertyKill, SurvivesKillAmidMergesOfFamilies) {
  KillAtAnyMoment(RandomFamilies(77, 300));
}

TEST(SetProperty, AnotherSetHasAnotherDigest) {
  std::vector<FakeMessage> messages = RandomMessages(3, 50);
  const std::string digest = RunIn(messages, 7).digest;
  FakeMessage extra;
  extra.key = "extra";
  extra.items = {{WEIR_OP_PATCH, kPatientMap, 999, R"("gender":"male")"}};
  messages.push_back(extra);
  EXPECT_NE(RunIn(messages, 7).digest, digest);
}

}  // namespace
}  // namespace weir::hub::testing
