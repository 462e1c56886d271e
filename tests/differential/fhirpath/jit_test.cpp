// Every test of the R4 suite that the checker accepts, in the interpreter and in native code: same items, types and texts,
// or both an error. What is not compared is named: excluded by rule (clock, trace, reflection, tree walk), refused by the
// checker, or an operation that is not lowered.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "compiler/check/expr.h"
#include "compiler/fhir/tape_types.h"
#include "compiler/ir/interp/type_model.h"
#include "compiler/jit/expressions.h"
#include "compiler/syntax/parse.h"
#include "tests/differential/fhirpath/suite.h"

namespace weir::fhirpath_suite {
namespace {

namespace fs = std::filesystem;

constexpr int kIdentical = 528;  // a ratchet: raised with what is lowered

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

// The rule of what is not compared: functions that read a clock, write a trace, reflect or walk a whole tree.
const std::map<std::string, std::string> kByRule = {{"now", "clock"},        {"today", "clock"},         {"timeOfDay", "clock"}, {"trace", "trace"},
                                                    {"type", "reflection"}, {"children", "tree walk"}, {"descendants", "tree walk"}};

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

struct Input {
  ir::Json json;
  tape::Document document;
  std::string type;
};

class Engines {
 public:
  Engines()
      : table_(std::move(*fhir::TypeTable::Load(std::string(WEIR_SOURCE_DIR) + "/contracts/registry", {"fhir-r4"}))),
        v2_(std::move(*fhir::V2Table::Load(std::string(WEIR_SOURCE_DIR) + "/contracts/registry"))),
        types_(*table_), tape_types_(*table_), bytes_(1 << 20), scratch_(64 << 20) {}

  const Input* Find(const std::string& name) {
    if (name.empty()) {
      return nullptr;
    }
    if (auto known = inputs_.find(name); known != inputs_.end()) {
      return known->second.get();
    }
    fs::path base = Shared() / "conformance" / "fhirpath-r4", file = base / "input" / name;
    if (file.extension() == ".xml") {
      file = base / "input-json" / fs::path(name).replace_extension(".json");
    }
    std::string text = ReadFile(file);
    auto json = ir::ParseJson(text);
    auto document = tape::Read(text, tape_types_);
    EXPECT_TRUE(json.ok() && document.ok()) << name << (document.ok() ? "" : ": " + document.error().message);
    if (!json.ok() || !document.ok()) {
      return nullptr;
    }
    const ir::Json* type = json->Find("resourceType");
    std::string type_name = type != nullptr ? type->text : "";
    return (inputs_[name] = std::unique_ptr<Input>(new Input{std::move(*json), std::move(*document), type_name})).get();
  }

  lower::KnownType KnownType() const {
    return [this](const std::string& name) { return types_.Exists(name); };
  }

  // Null: it does not parse or the checker refuses it.
  ir::Node* Compile(const Case& test, ir::Module& module, int64_t* slots) {
    const Input* input = Find(test.input);
    SourceFiles files;
    DiagnosticSink sink;
    FileId file = files.Add("suite", test.expression);
    ast::ExprPtr expression = syntax::ParseFhirPath(files, file, {}, sink);
    if (expression == nullptr) {
      return nullptr;
    }
    check::ExprContext context{*table_, *v2_, module, sink, nullptr};
    return check::CheckFhirPath(context, *expression, input != nullptr ? input->type : "", slots);
  }

  std::string Interpret(const ir::Module& module, const ir::Node& node, int64_t slots, const Input* input) {
    ir::EvalOptions options;
    options.types = &types_;
    auto items = ir::Evaluate(module, node, slots, input != nullptr ? &input->json : nullptr, options);
    if (!items.ok()) {
      return "error";
    }
    std::string out;
    for (const ir::Item& item : *items) {
      out += "[" + ir::TypeName(item) + " " + ir::ToText(item) + "]";
    }
    return out;
  }

  std::string Execute(weir_expression_fn expression, const Input* input) {
    weir_output output{};
    output.struct_size = sizeof output;
    output.bytes = bytes_.data();
    output.capacity = static_cast<uint32_t>(bytes_.size());
    output.scratch = scratch_.data();
    output.scratch_capacity = static_cast<uint32_t>(scratch_.size());
    weir_status status = expression(input != nullptr ? input->document.tape() : nullptr, &output);
    if (status != WEIR_OK) {
      return status == WEIR_REJECTED ? "error" : "status " + std::to_string(status);
    }
    std::string out;
    size_t at = 0;
    auto next = [&] {
      uint32_t size = 0;
      std::memcpy(&size, bytes_.data() + at, sizeof size);
      at += sizeof size + size;
      return std::string(reinterpret_cast<const char*>(bytes_.data()) + at - size, size);
    };
    while (at < output.used) {
      std::string type = next();
      out += "[" + type + " " + next() + "]";
    }
    return out;
  }

 private:
  std::unique_ptr<fhir::TypeTable> table_;
  std::unique_ptr<fhir::V2Table> v2_;
  ir::RegistryTypes types_;
  fhir::TapeTypes tape_types_;
  std::map<std::string, std::unique_ptr<Input>> inputs_;
  std::vector<uint8_t> bytes_, scratch_;
};

struct Compared {
  const Case* test = nullptr;
  const ir::Node* node = nullptr;
  int64_t slots = 0;
};

void RunSuite(bool optimize) {
  fs::path xml = Shared() / "conformance/fhirpath-r4/tests-fhir-r4.xml";
  if (!fs::exists(xml)) {
    GTEST_SKIP() << "the suite is not there: set WEIR_SHARED";
  }
  auto cases = ReadSuite(xml.string());
  ASSERT_TRUE(cases.ok());
  Engines engines;
  ir::Module module;
  std::vector<Compared> compared;
  std::vector<lower::Expression> expressions;
  std::map<std::string, int> excluded;
  int refused = 0, valid_refused = 0, identical = 0, not_lowered = 0;
  for (const Case& test : *cases) {
    int64_t slots = 0;
    ir::Node* node = engines.Compile(test, module, &slots);
    if (node == nullptr) {
      ++refused;
      valid_refused += test.invalid.empty() ? 1 : 0;
      continue;
    }
    if (std::string rule = ExcludedBy(*node); !rule.empty()) {
      ++excluded[rule];
      continue;
    }
    compared.push_back({&test, node, slots});
    expressions.push_back({node, slots});
  }
  jit::JitOptions options;
  options.optimize = optimize;
  auto compiled = jit::JitExpressions(module, expressions, engines.KnownType(), options);
  ASSERT_TRUE(compiled.ok()) << compiled.error().message;
  std::map<std::string, std::vector<std::string>> missing;  // by operation
  for (size_t i = 0; i < compared.size(); ++i) {
    const Case& test = *compared[i].test;
    weir_expression_fn expression = (*compiled)->at(i);
    if (expression == nullptr) {
      ++not_lowered;
      missing[(*compiled)->refused(i)].push_back(test.name);
      continue;
    }
    const Input* input = engines.Find(test.input);
    std::string expected = engines.Interpret(module, *compared[i].node, compared[i].slots, input);
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
