// Every expression of the official FHIRPath suite is read, except the one that is not FHIRPath, which is refused.
#include <gtest/gtest.h>

#include <regex>
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
  for (auto [entity, character] : {Pair{"&lt;", "<"}, Pair{"&gt;", ">"}, Pair{"&quot;", "\""}, Pair{"&apos;", "'"}, Pair{"&#39;", "'"}, Pair{"&amp;", "&"}}) {
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
  for (size_t at = xml.find("<expression"); at != std::string::npos; at = xml.find("<expression", at + 1)) {
    size_t open = xml.find('>', at);
    std::string attributes = xml.substr(at, open - at);
    std::smatch m;
    std::string invalid = std::regex_search(attributes, m, kInvalid) ? m[1].str() : "";
    tests.push_back({invalid, Unescape(xml.substr(open + 1, xml.find("</expression>", open) - open - 1))});
  }
  return tests;
}

TEST(FhirPathSuite, ReadsEveryExpression) {
  std::vector<SuiteTest> tests = ReadSuite(SharedDir() + "/conformance/fhirpath-r4/tests-fhir-r4.xml");
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

}  // namespace
}  // namespace weir::syntax
