// Every test of the R4 suite that the checker accepts, in the interpreter and in native code: same items, types and texts,
// or both an error. What is not compared is named: excluded by rule (clock, reflection), refused by the
// checker, or an operation that is not lowered.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/differential/fhirpath/both.h"
#include "tests/differential/fhirpath/suite.h"

namespace weir::fhirpath_suite {
namespace {

namespace fs = std::filesystem;

constexpr int kIdentical = 536;  // a ratchet: raised with what is lowered

fs::path Shared() {
  const char* set = std::getenv("WEIR_SHARED");
  return set != nullptr ? fs::path(set) : fs::path(WEIR_SOURCE_DIR) / ".." / "shared";
}

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// The rule of what is not compared: functions that read a clock or reflect.
const std::map<std::string, std::string> kByRule = {{"now", "clock"}, {"today", "clock"}, {"timeOfDay", "clock"}, {"type", "reflection"}};

std::string ExcludedBy(const ir::Node& node) {
  if (auto found = kByRule.find(node.text); node.op == ir::Op::kCall && found != kByRule.end()) {
    return found->second;
  }
  for (const ir::Node* kid : node.kids) {
    if (std::string why = ExcludedBy(*kid); !why.empty()) {
      return why;
    }
  }
  return "";
}

const Input* Find(const BothEngines& engines, std::map<std::string, std::unique_ptr<Input>>& known, const std::string& name) {
  if (name.empty()) {
    return nullptr;
  }
  auto [at, fresh] = known.try_emplace(name);
  if (fresh) {
    fs::path base = Shared() / "conformance" / "fhirpath-r4", file = base / "input" / name;
    if (file.extension() == ".xml") {
      file = base / "input-json" / fs::path(name).replace_extension(".json");
    }
    auto input = engines.ReadInput(ReadFile(file));
    EXPECT_TRUE(input.ok()) << name;
    at->second = input.ok() ? std::move(*input) : nullptr;
  }
  return at->second.get();
}

void RunSuite(bool optimize) {
  fs::path xml = Shared() / "conformance/fhirpath-r4/tests-fhir-r4.xml";
  if (!fs::exists(xml)) {
    GTEST_SKIP() << "the suite is not there: set WEIR_SHARED";
  }
  auto cases = ReadSuite(xml.string());
  ASSERT_TRUE(cases.ok());
  BothEngines engines;
  std::map<std::string, std::unique_ptr<Input>> inputs;
  ir::Module module;
  std::vector<const Case*> compared;
  std::vector<lower::Expression> expressions;
  std::map<std::string, int> excluded;
  int refused = 0, valid_refused = 0, identical = 0, not_lowered = 0;
  for (const Case& test : *cases) {
    int64_t slots = 0;
    ir::Node* node = engines.Check(test.expression, Find(engines, inputs, test.input), module, &slots);
    if (node == nullptr) {
      ++refused;
      valid_refused += test.invalid.empty() ? 1 : 0;
      continue;
    }
    if (std::string rule = ExcludedBy(*node); !rule.empty()) {
      ++excluded[rule];
      continue;
    }
    compared.push_back(&test);
    expressions.push_back({node, slots});
  }
  auto compiled = engines.Compile(module, expressions, optimize);
  ASSERT_TRUE(compiled.ok()) << compiled.error().message;
  std::map<std::string, std::vector<std::string>> missing;  // by operation
  for (size_t i = 0; i < compared.size(); ++i) {
    const Case& test = *compared[i];
    weir_expression_fn expression = (*compiled)->at(i);
    if (expression == nullptr) {
      ++not_lowered;
      missing[(*compiled)->refused(i)].push_back(test.name);
      continue;
    }
    const Input* input = Find(engines, inputs, test.input);
    std::string expected = engines.Interpret(module, expressions[i], input);
    std::string got = engines.Execute(expression, input);
    EXPECT_EQ(got, expected) << test.group << " " << test.name << "\n  " << test.expression;
    identical += got == expected ? 1 : 0;
  }
  for (const auto& [what, names] : missing) {
    std::string list;
    for (const std::string& name : names) {
      list += " " + name;
    }
    std::printf("%s:%s\n", what.c_str(), list.c_str());
  }
  for (const auto& [rule, count] : excluded) {
    std::printf("excluded, %s: %d\n", rule.c_str(), count);
  }
  std::printf("%zu tests: %d identical, %d refused at compile time (%d of them valid), %d not lowered\n", cases->size(), identical, refused,
              valid_refused, not_lowered);
  EXPECT_GE(identical, kIdentical);
}

TEST(FhirPathJit, SuiteOptimised) { RunSuite(true); }

TEST(FhirPathJit, SuiteQuick) { RunSuite(false); }

}  // namespace
}  // namespace weir::fhirpath_suite
