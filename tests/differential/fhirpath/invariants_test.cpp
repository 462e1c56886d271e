// Every error-level invariant of R4, evaluated at every element of HL7's own R4 examples: they are
// published as valid, so an answer of false is ours to explain. And HL7's JSON edge cases through
// the interpreter's reader.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "compiler/ir/interp/eval.h"
#include "compiler/ir/interp/type_model.h"
#include "compiler/syntax/parse.h"
#include "tests/differential/fhirpath/untyped.h"

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

class Checker {
 public:
  explicit Checker(const fhir::TypeTable& table) : table_(table), types_(table) {
    options_.types = &types_;
  }

  void CheckResource(const ir::Json& root, const std::string& name) {
    const ir::Json* type = root.Find("resourceType");
    if (type == nullptr || table_.FindType(type->text) == nullptr) {
      return;
    }
    file_ = name;
    root_ = &root;
    ir::Item item{ir::FhirNode{&root, nullptr, type->text}};
    CheckAll(table_.FindType(type->text)->root().constraints, item, type->text);
    Walk(item, type->text);
  }

  size_t evaluated = 0;
  std::map<std::string, std::set<std::string>> wrong;  // invariant and answer -> files

 private:
  struct Compiled {
    const fhir::Invariant* invariant = nullptr;
    ir::Node* node = nullptr;
    int64_t slots = 0;
  };

  void Walk(const ir::Item& item, const std::string& type) {
    const ir::FhirNode* node = item.As<ir::FhirNode>();
    if (node->value == nullptr || node->value->kind != ir::Json::Kind::kObject) {
      return;
    }
    ir::Evaluator eval(module_, options_);
    for (const auto& [member, value] : node->value->members) {
      fhir::TypeTable::Found found = table_.FindElement(type, member);
      if (!found) {
        continue;  // resourceType and `_name` siblings
      }
      if (found.element->name == "resource" && type == "Bundle.entry") {
        const ir::Json* outer = root_;
        CheckResource(value, file_);
        root_ = outer;
        continue;
      }
      for (const ir::Item& child : eval.Child(item, found.element->name)) {
        std::string child_type = child.As<ir::FhirNode>()->type;
        std::set<std::string> keys(found.element->constraints.begin(),
                                   found.element->constraints.end());
        if (const fhir::TypeDef* def = table_.FindType(child_type)) {
          keys.insert(def->root().constraints.begin(), def->root().constraints.end());
        }
        CheckAll({keys.begin(), keys.end()}, child, found.element->path);
        Walk(child, child_type);
      }
    }
  }

  void CheckAll(const std::vector<std::string>& keys, const ir::Item& item,
                const std::string& path) {
    for (const std::string& key : keys) {
      const Compiled& compiled = Compile(key);
      if (compiled.node == nullptr || !compiled.invariant->error) {
        continue;
      }
      ir::Evaluator eval(module_, options_);
      eval.SetRoot(root_);
      eval.EnterFrame(compiled.slots);
      eval.SetSlot(0, ir::One(item));
      auto answer = eval.SingleBoolean(eval.Eval(*compiled.node));
      ++evaluated;
      if (eval.failed()) {
        wrong[key + " at " + path + ": " + eval.failure().message].insert(file_);
      } else if (answer && !*answer) {
        wrong[key + " at " + path + ": false"].insert(file_);
      }
    }
  }

  const Compiled& Compile(const std::string& key) {
    auto [found, fresh] = compiled_.try_emplace(key);
    if (fresh) {
      found->second.invariant = table_.FindInvariant(key);
      DiagnosticSink sink;
      ast::ExprPtr expression;
      if (found->second.invariant != nullptr) {
        FileId file = files_.Add(key, found->second.invariant->expression);
        expression = syntax::ParseFhirPath(files_, file, {}, sink);
      }
      if (expression != nullptr) {
        auto node = LowerInvariant(*expression, types_, module_, &found->second.slots);
        found->second.node = node.ok() ? *node : nullptr;
      }
      if (found->second.node == nullptr) {
        ADD_FAILURE() << key << " cannot be evaluated";
      }
    }
    return found->second;
  }

  const fhir::TypeTable& table_;
  ir::RegistryTypes types_;
  ir::EvalOptions options_;
  ir::Module module_;
  SourceFiles files_;
  std::map<std::string, Compiled> compiled_;
  std::string file_;
  const ir::Json* root_ = nullptr;
};

TEST(Invariants, HoldOnHl7sOwnExamples) {
  fs::path folder = Conformance() / "r4-examples" / "json";
  if (!fs::exists(folder)) {
    GTEST_SKIP() << "the R4 examples are not there: set WEIR_SHARED";
  }
  auto table =
      fhir::TypeTable::Load(std::string(WEIR_SOURCE_DIR) + "/contracts/registry", {"fhir-r4"});
  ASSERT_TRUE(table.ok());
  Checker checker(**table);
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
