// Every expression of the official FHIRPath suite is read, except the one that is not FHIRPath,
// which is refused; so are the invariants of US Core's profiles, whose snapshots repeat those of
// the R4 types they are built on.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <vector>

#include "tests/unit/compiler/syntax/test_util.h"

namespace weir::syntax {
namespace {

struct SuiteTest {
  std::string invalid;
  std::string expression;
};

std::string Unescape(std::string text) {
  using Pair = std::pair<const char*, const char*>;
  for (auto [entity, character] : {Pair{"&lt;", "<"}, Pair{"&gt;", ">"}, Pair{"&quot;", "\""},
                                   Pair{"&apos;", "'"}, Pair{"&#39;", "'"}, Pair{"&amp;", "&"}}) {
    for (size_t at = text.find(entity); at != std::string::npos; at = text.find(entity, at + 1)) {
      text.replace(at, std::string(entity).size(), character);
    }
  }
  return text;
}

std::string WithoutComments(std::string xml) {
  for (size_t at = xml.find("<!--"); at != std::string::npos; at = xml.find("<!--", at)) {
    xml.erase(at, xml.find("-->", at) + 3 - at);
  }
  return xml;
}

std::vector<SuiteTest> ReadSuite(const std::string& path) {
  std::string xml = WithoutComments(ReadAll(path));
  std::vector<SuiteTest> tests;
  static const std::regex kInvalid("invalid=\"([a-z]+)\"");
  for (size_t at = xml.find("<expression"); at != std::string::npos;
       at = xml.find("<expression", at + 1)) {
    size_t open = xml.find('>', at);
    std::string attributes = xml.substr(at, open - at);
    std::smatch m;
    std::string invalid = std::regex_search(attributes, m, kInvalid) ? m[1].str() : "";
    tests.push_back(
        {invalid, Unescape(xml.substr(open + 1, xml.find("</expression>", open) - open - 1))});
  }
  return tests;
}

TEST(FhirPathSuite, ReadsEveryExpression) {
  std::vector<SuiteTest> tests =
      ReadSuite(SharedDir() + "/conformance/fhirpath-r4/tests-fhir-r4.xml");
  if (tests.empty()) {
    GTEST_SKIP() << "the FHIRPath suite is not beside the checkout; set WEIR_SHARED";
  }
  ASSERT_GE(tests.size(), 554u);
  size_t refused = 0;
  for (const SuiteTest& test : tests) {
    Parsed parsed = ParseExpr(test.expression);
    if (test.invalid == "syntax") {
      ++refused;
      EXPECT_EQ(parsed.expr, nullptr) << test.expression;
    } else {
      EXPECT_NE(parsed.expr, nullptr) << test.expression << "\n" << parsed.Errors();
    }
  }
  EXPECT_EQ(refused, 1u);
}

// All FHIRPath of a package's StructureDefinitions, each once.
std::set<std::string> InvariantsOf(const std::string& package) {
  std::string command =
      "tar -xzOf '" + package + "' --wildcards 'package/StructureDefinition-*.json'";
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  std::array<char, 1 << 16> buffer;
  for (size_t n = 0;
       pipe != nullptr && (n = fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;) {
    text.append(buffer.data(), n);
  }
  std::set<std::string> expressions;
  constexpr std::string_view kKey = "\"expression\"";
  for (size_t at = text.find(kKey); at != std::string::npos; at = text.find(kKey, at + 1)) {
    size_t open = text.find_first_not_of(" :\n", at + kKey.size());
    size_t close = open + 1;
    while (text[close] != '"') {
      close += text[close] == '\\' ? 2 : 1;
    }
    expressions.insert(
        nlohmann::json::parse(text.substr(open, close + 1 - open)).get<std::string>());
  }
  return expressions;
}

TEST(Invariants, OfUsCoreAreRead) {
  std::string package = SharedDir() + "/spec/us-core/us_core_610.tgz";
  if (!std::filesystem::exists(package)) {
    GTEST_SKIP() << "US Core 6.1.0 is not beside the checkout; set WEIR_SHARED";
  }
  std::set<std::string> expressions = InvariantsOf(package);
  ASSERT_GE(expressions.size(), 60u);
  for (const std::string& expression : expressions) {
    Parsed parsed = ParseExpr(expression);
    EXPECT_NE(parsed.expr, nullptr) << expression << "\n" << parsed.Errors();
  }
  RecordProperty("invariants", static_cast<int>(expressions.size()));
  std::cout << expressions.size() << " different invariants read\n";
}

TEST(Invariants, OfTheRegistryAreRead) {
  std::vector<std::string> lines = RegistryLines("Invariant");
  if (lines.empty()) {
    GTEST_SKIP() << "contracts/registry holds no invariants yet";
  }
  ASSERT_GE(lines.size(), 200u);
  for (const std::string& line : lines) {
    std::string expression = nlohmann::json::parse(line).at("x").get<std::string>();
    Parsed parsed = ParseExpr(expression);
    EXPECT_NE(parsed.expr, nullptr) << expression << "\n" << parsed.Errors();
  }
  std::cout << lines.size() << " invariants of the registry read\n";
}

}  // namespace
}  // namespace weir::syntax
