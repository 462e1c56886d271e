// The example maps over every recorded message, whole and damaged: interpreter, JIT and package agree byte by byte.
// WEIR_ENGINES_DAMAGED: how many damaged copies of each record (default 2).
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "compiler/check/check.h"
#include "tests/differential/engines/engines.h"
#include "tests/differential/engines/recorded.h"

namespace weir::engines {
namespace {

constexpr size_t kDamageUpTo = 64u << 10;  // larger messages are compared whole only

struct Subject {
  const char* map;
  const char* sender;  // given to every record as MSH-4, when the map takes one sender only
  size_t least;        // records with resources, else the comparison says too little; 0: compared for its dead letters
  uint32_t damaged;    // copies of each record, by default
};

std::string SentBy(const char* sender, const std::string& record) {
  size_t at = 0;
  for (int separators = 0; separators < 3 && at != std::string::npos; ++separators) {
    at = record.find(record[3], at + 1);
  }
  size_t end = at == std::string::npos ? at : record.find(record[3], at + 1);
  return sender == nullptr || end == std::string::npos ? record : record.substr(0, at + 1) + sender + record.substr(end);
}

class Recorded : public testing::TestWithParam<Subject> {};

TEST_P(Recorded, EveryEngineSaysTheSame) {
  const std::string source = WEIR_SOURCE_DIR;
  DiagnosticSink sink;
  auto compilation = check::Compile({source + "/" + GetParam().map},
                                    {.std_dir = source + "/dsl/std", .registry_dir = source + "/contracts/registry"}, sink);
  ASSERT_TRUE(compilation->ok) << GetParam().map << " does not compile";
  auto engines = Engines::Make(compilation->module, {});
  ASSERT_TRUE(engines.ok()) << engines.error().message;
  const char* variable = std::getenv("WEIR_ENGINES_DAMAGED");
  auto copies = static_cast<uint32_t>(variable != nullptr ? std::atoi(variable) : GetParam().damaged);
  Input input = Inputs(WEIR_SOURCE_DIR);
  size_t records = 0, with_resources = 0, damaged = 0, differing = 0;
  for (const auto& path : input.files) {
    std::vector<std::string> of_file = RecordsOf(path);
    for (size_t i = 0; i < of_file.size(); ++i) {
      of_file[i] = SentBy(GetParam().sender, of_file[i]);
      Comparison whole = (*engines)->Compare(of_file[i]);
      records += whole.read ? 1 : 0;
      with_resources += whole.oracle.resources != 0 ? 1 : 0;
      uint32_t bad = UINT32_MAX;  // the damaged copy that differs; 0: the record itself
      if (whole.differs) {
        bad = 0;
      }
      for (uint32_t copy = 1; copy <= copies && of_file[i].size() <= kDamageUpTo && bad == UINT32_MAX; ++copy) {
        Comparison hurt = (*engines)->Compare(Damaged(of_file[i], copy));
        damaged += hurt.read ? 1 : 0;
        if (hurt.differs) {
          bad = copy;
          whole.differs = hurt.differs;
        }
      }
      if (bad != UINT32_MAX && ++differing <= 20) {  // where, not what: records hold patient data
        ADD_FAILURE() << *whole.differs << " differs: " << path.filename().string() << " #" << i << " copy " << bad;
      }
    }
  }
  std::cout << GetParam().map << ": " << records << " records, " << with_resources << " with resources, " << damaged << " damaged copies, "
            << differing << " differ\n";
  EXPECT_EQ(differing, 0u);
  if (!input.shared) {
    GTEST_SKIP() << "SKIPPED in part: no recorded messages beyond the repository's, WEIR_SHARED is not set";
  }
  EXPECT_GE(with_resources, GetParam().least) << "the comparison says too little";
}

INSTANTIATE_TEST_SUITE_P(Maps, Recorded, testing::Values(Subject{"examples/adt/adt.weir", nullptr, 200, 2}, Subject{"examples/adt/east.weir", "EAST", 0, 2},
                                         Subject{"tests/differential/conform/loose.weir", nullptr, 200, 0}),
                         [](const auto& p) { return std::filesystem::path(p.param.map).stem().string(); });

}  // namespace
}  // namespace weir::engines
