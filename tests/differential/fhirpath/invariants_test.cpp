// Every error-level invariant of R4, evaluated at every element of HL7's own R4 examples: they are
// published as valid, so an answer of false is ours to explain. And HL7's JSON edge cases through
// the interpreter's reader.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/differential/fhirpath/invariants.h"

namespace weir::fhirpath_suite {
namespace {

namespace fs = std::filesystem;

fs::path Conformance() {
  const char* set = std::getenv("WEIR_SHARED");
  return (set != nullptr ? fs::path(set) : fs::path(WEIR_SOURCE_DIR) / ".." / "shared") /
         "conformance";
}

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

TEST(Invariants, HoldOnHl7sOwnExamples) {
  fs::path folder = Conformance() / "r4-examples" / "json";
  if (!fs::exists(folder)) {
    GTEST_SKIP() << "the R4 examples are not there: set WEIR_SHARED";
  }
  auto table =
      fhir::TypeTable::Load(std::string(WEIR_SOURCE_DIR) + "/contracts/registry", {"fhir-r4"});
  ASSERT_TRUE(table.ok());
  InvariantChecker checker(**table, /*empty_holds=*/true);
  int resources = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".json" || entry.file_size() > 300'000) {
      continue;  // large definitions would make a slow test without testing more
    }
    auto root = ir::ParseJson(ReadFile(entry.path()));
    ASSERT_TRUE(root.ok()) << name << ": " << root.error().message;
    checker.CheckResource(*root, name);
    ++resources;
  }
  for (const auto& [what, files] : checker.wrong) {
    ADD_FAILURE() << what << " in " << files.size() << " files, e.g. " << *files.begin();
  }
  std::printf("%d resources, %zu evaluations\n", resources, checker.evaluated);
}

TEST(JsonSuite, ReaderAcceptsAndRefuses) {
  fs::path folder = Conformance() / "json-test-suite" / "test_parsing";
  if (!fs::exists(folder)) {
    GTEST_SKIP() << "the JSON suite is not there: set WEIR_SHARED";
  }
  // FHIR forbids what JSON leaves open: a member written twice.
  const std::set<std::string> stricter = {"y_object_duplicated_key.json",
                                          "y_object_duplicated_key_and_value.json"};
  int files = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    bool ok = ir::ParseJson(ReadFile(entry.path())).ok();
    if (name.starts_with("y_")) {
      EXPECT_EQ(ok, !stricter.contains(name)) << name;
    } else if (name.starts_with("n_")) {
      EXPECT_FALSE(ok) << name;
    }
    ++files;
  }
  EXPECT_GT(files, 150);
}

}  // namespace
}  // namespace weir::fhirpath_suite
