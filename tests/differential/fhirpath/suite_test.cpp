// Runs the R4 suite through the interpreter, by the untyped front end (exclusions.tsv) and by the
// checker (exclusions_typed.tsv), and prints pass counts by group. A list holds every test that may
// fail, with the reason; one that fails unlisted, or passes though listed, fails this test.
#include "tests/differential/fhirpath/suite.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "compiler/check/expr.h"
#include "compiler/ir/interp/type_model.h"
#include "compiler/syntax/parse.h"
#include "tests/differential/fhirpath/untyped.h"

namespace weir::fhirpath_suite {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

fs::path Shared() {
  const char* set = std::getenv("WEIR_SHARED");
  return set != nullptr ? fs::path(set) : fs::path(WEIR_SOURCE_DIR) / ".." / "shared";
}

// "boolean" of the suite is System.Boolean or FHIR.boolean; unnamed and date types are judged by
// their text.
bool TypeFits(const std::string& expected, const ir::Item& item) {
  std::string name = ir::TypeName(item);
  auto one_of = [&](std::initializer_list<const char*> names) {
    for (const char* candidate : names) {
      if (name == candidate) {
        return true;
      }
    }
    return false;
  };
  if (expected == "boolean") {
    return one_of({"System.Boolean", "FHIR.boolean"});
  }
  if (expected == "integer") {
    return one_of({"System.Integer", "FHIR.integer", "FHIR.positiveInt", "FHIR.unsignedInt"});
  }
  if (expected == "string") {
    return one_of({"System.String", "FHIR.string"});
  }
  if (expected == "code") {
    return name == "FHIR.code";
  }
  if (expected == "Quantity") {
    return one_of({"System.Quantity", "FHIR.Quantity"});
  }
  return true;
}

std::string Plain(std::string text) {  // literals are written with @ or @T in the suite
  return text.starts_with("@T") ? text.substr(2) : text.starts_with("@") ? text.substr(1) : text;
}

class Suite {
 public:
  Suite()
      : types_table_(std::move(*fhir::TypeTable::Load(
            std::string(WEIR_SOURCE_DIR) + "/contracts/registry", {"fhir-r4"}))),
        v2_table_(
            std::move(*fhir::V2Table::Load(std::string(WEIR_SOURCE_DIR) + "/contracts/registry"))),
        types_(*types_table_) {}

  // Nothing when the case passes, else what went wrong. `typed`: through the checker, as authors'
  // expressions go.
  std::optional<std::string> Run(const Case& test, bool typed) {
    const ir::Json* root = Input(test.input);
    if (!test.input.empty() && root == nullptr) {
      return "input is missing";
    }
    const ir::Json* type = root != nullptr ? root->Find("resourceType") : nullptr;
    std::string root_type = type != nullptr ? type->text : "";

    SourceFiles files;
    DiagnosticSink sink;
    FileId file = files.Add("suite", test.expression);
    ast::ExprPtr expression = syntax::ParseFhirPath(files, file, {}, sink);
    if (expression == nullptr) {
      return test.invalid.empty() ? std::optional<std::string>("does not parse") : std::nullopt;
    }
    ir::Module module;
    int64_t slots = 0;
    auto node = typed ? LowerTyped(*expression, root_type, sink, module, &slots)
                      : LowerUntyped(*expression, root_type, types_, module, &slots);
    if (!node.ok()) {
      return test.invalid.empty() ? std::optional<std::string>("refused: " + node.error().message)
                                  : std::nullopt;
    }
    if (test.invalid == "syntax" || test.invalid == "semantic") {
      return "accepted, but is " + test.invalid + " invalid";
    }
    ir::EvalOptions options;
    options.types = &types_;
    auto items = ir::Evaluate(module, **node, slots, root, options);
    if (!items.ok()) {
      return test.invalid.empty() ? std::optional<std::string>("error: " + items.error().message)
                                  : std::nullopt;
    }
    return test.invalid.empty() ? Compare(test, *items)
                                : std::optional<std::string>("no error: " + Show(*items));
  }

 private:
  Result<ir::Node*> LowerTyped(const ast::Expr& expression, const std::string& root_type,
                               DiagnosticSink& sink, ir::Module& module, int64_t* slots) {
    check::ExprContext context{*types_table_, *v2_table_, module, sink, nullptr};
    ir::Node* node = check::CheckFhirPath(context, expression, root_type, slots);
    if (node == nullptr) {
      return Error{sink.diagnostics().empty() ? "refused without a word"
                                              : sink.diagnostics().back().message};
    }
    return node;
  }

  static std::string Show(const ir::Items& items) {
    std::string out;
    for (const ir::Item& item : items) {
      out += "[" + ir::ToText(item) + "]";
    }
    return out;
  }

  static std::optional<std::string> Compare(const Case& test, const ir::Items& items) {
    std::vector<std::string> got, expected;
    for (size_t i = 0; i < items.size(); ++i) {
      got.push_back(ir::ToText(items[i]));
      if (i < test.outputs.size() && !TypeFits(test.outputs[i].type, items[i])) {
        return "type " + ir::TypeName(items[i]) + " instead of " + test.outputs[i].type;
      }
    }
    for (const Case::Output& output : test.outputs) {
      expected.push_back(output.type == "string" ? output.text : Plain(output.text));
    }
    if (!test.ordered) {
      std::sort(got.begin(), got.end());
      std::sort(expected.begin(), expected.end());
    }
    return got == expected ? std::nullopt : std::optional<std::string>("got " + Show(items));
  }

  const ir::Json* Input(const std::string& name) {
    if (name.empty()) {
      return nullptr;
    }
    auto found = inputs_.find(name);
    if (found == inputs_.end()) {
      fs::path base = Shared() / "conformance" / "fhirpath-r4";
      fs::path json = base / "input" / name;
      if (json.extension() == ".xml") {
        json = base / "input-json" / fs::path(name).replace_extension(".json");
      }
      auto parsed = ir::ParseJson(ReadFile(json));
      found =
          inputs_
              .emplace(name, parsed.ok() ? std::make_unique<ir::Json>(std::move(*parsed)) : nullptr)
              .first;
    }
    return found->second.get();
  }

  std::unique_ptr<fhir::TypeTable> types_table_;
  std::unique_ptr<fhir::V2Table> v2_table_;
  ir::RegistryTypes types_;
  std::map<std::string, std::unique_ptr<ir::Json>> inputs_;
};

// group TAB name TAB reason
std::map<std::string, std::string> Exclusions(const std::string& file) {
  std::map<std::string, std::string> out;
  std::istringstream in(ReadFile(fs::path(WEIR_SOURCE_DIR) / "tests/differential/fhirpath" / file));
  for (std::string line; std::getline(in, line);) {
    size_t last = line.rfind('\t');
    if (!line.starts_with("#") && last != std::string::npos) {
      out[line.substr(0, last)] = line.substr(last + 1);
    }
  }
  return out;
}

void RunSuite(bool typed, const std::string& exclusions) {
  fs::path xml = Shared() / "conformance/fhirpath-r4/tests-fhir-r4.xml";
  if (!fs::exists(xml)) {
    GTEST_SKIP() << "the suite is not there: set WEIR_SHARED";
  }
  auto cases = ReadSuite(xml.string());
  ASSERT_TRUE(cases.ok());
  ASSERT_GT(cases->size(), 500u);
  auto excluded = Exclusions(exclusions);
  std::set<std::string> seen;
  std::map<std::string, std::pair<int, int>> groups;  // passed, all
  int passed = 0;
  Suite suite;
  for (const Case& test : *cases) {
    std::string id = test.group + "\t" + test.name;
    auto wrong = suite.Run(test, typed);
    ++groups[test.group].second;
    groups[test.group].first += wrong ? 0 : 1;
    passed += wrong ? 0 : 1;
    bool listed = excluded.contains(id);
    seen.insert(id);
    if (wrong && !listed) {
      ADD_FAILURE() << id << ": " << *wrong << "\n  " << test.expression;
    } else if (!wrong && listed) {
      ADD_FAILURE() << id << " passes now: take it off the list";
    }
  }
  for (const auto& [id, reason] : excluded) {
    EXPECT_TRUE(seen.contains(id)) << id << " is not in the suite";
  }
  for (const auto& [group, counts] : groups) {
    if (counts.first != counts.second) {
      std::printf("%-32s %d of %d\n", group.c_str(), counts.first, counts.second);
    }
  }
  std::printf("passed %d of %zu, %zu excluded with a reason\n", passed, cases->size(),
              excluded.size());
}

TEST(FhirPathSuite, R4) { RunSuite(false, "exclusions.tsv"); }

TEST(FhirPathSuite, R4Typed) { RunSuite(true, "exclusions_typed.tsv"); }

}  // namespace
}  // namespace weir::fhirpath_suite
