// Kinds, sorting, suggestions.
#include "compiler/diag/diagnostic.h"

#include <gtest/gtest.h>

#include <cctype>
#include <set>

namespace weir {
namespace {

TEST(DiagnosticKinds, CodesAreUniqueAndInTheirRange) {
  std::set<std::string_view> codes;
  for (const DiagnosticInfo& info : AllDiagnosticKinds()) {
    EXPECT_TRUE(codes.insert(info.code).second) << info.code;
    ASSERT_EQ(info.code.size(), 5u) << info.name;
    EXPECT_EQ(info.code[0], info.severity == Severity::kError ? 'E' : 'W') << info.code;
    EXPECT_TRUE(info.severity == Severity::kError || info.code[1] == '9') << info.code;
    EXPECT_FALSE(info.title.empty() || info.explanation.empty()) << info.code;
    EXPECT_TRUE(std::islower(static_cast<unsigned char>(info.title[0])) ||
                !std::isalpha(static_cast<unsigned char>(info.title[0])))
        << info.code;
    EXPECT_FALSE(info.title.ends_with('.')) << info.code;
    EXPECT_TRUE(info.explanation.ends_with('.')) << info.code << ": an explanation is sentences";
  }
}

TEST(DiagnosticKinds, AreFoundByCodeInEitherCase) {
  ASSERT_TRUE(FindDiagnosticKind("e0101").has_value());
  EXPECT_EQ(FindDiagnosticKind("E0101")->kind, DiagnosticKind::kExpected);
  EXPECT_FALSE(FindDiagnosticKind("E0000").has_value());
  EXPECT_FALSE(FindDiagnosticKind("").has_value());
}

TEST(DiagnosticSink, CountsErrorsAndDropsRepeats) {
  DiagnosticSink sink;
  Span span{FileId{0}, 3, 4};
  sink.Report(DiagnosticKind::kExpected, span, "a");
  sink.Report(DiagnosticKind::kExpected, span, "a");
  sink.Report(DiagnosticKind::kExpected, span, "b");
  EXPECT_EQ(sink.error_count(), 2u);
  EXPECT_EQ(sink.diagnostics().size(), 2u);
}

TEST(DiagnosticSink, SortsByPlaceAndKeepsCausesFirst) {
  DiagnosticSink sink;
  sink.Report(DiagnosticKind::kExpected, {FileId{1}, 0, 1}, "other file");
  sink.Report(DiagnosticKind::kExpected, {FileId{0}, 9, 10}, "late");
  sink.Report(DiagnosticKind::kExpected, {FileId{0}, 2, 3}, "cause");
  sink.Report(DiagnosticKind::kBadEscape, {FileId{0}, 2, 9}, "consequence");
  std::vector<std::string> order;
  for (const Diagnostic& d : sink.Sorted()) {
    order.push_back(d.message);
  }
  EXPECT_EQ(order, (std::vector<std::string>{"cause", "consequence", "late", "other file"}));
}

TEST(Nearest, SuggestsOnlyWhatIsNear) {
  std::vector<std::string> names = {"birthDate", "gender", "name", "given", "id"};
  EXPECT_EQ(Nearest("birthdate", names), "birthDate");
  EXPECT_EQ(Nearest("birtDate", names), "birthDate");
  EXPECT_EQ(Nearest("gneder", names), "gender");
  EXPECT_EQ(Nearest("nam", names), "name");
  EXPECT_EQ(Nearest("xyz", names), "");
  EXPECT_EQ(Nearest("telecom", names), "");
  EXPECT_EQ(Nearest("", names), "");
}

}  // namespace
}  // namespace weir
