#include "tests/differential/fhirpath/both.h"

#include <cstring>

#include "compiler/check/expr.h"
#include "compiler/syntax/parse.h"
#include "tests/differential/fhirpath/untyped.h"

namespace weir::fhirpath_suite {
namespace {

#if __has_feature(address_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
constexpr size_t kOutput = 1 << 20, kScratch = 1 << 16, kMostScratch = 256 << 20;

std::string Registry() { return std::string(WEIR_SOURCE_DIR) + "/contracts/registry"; }

}  // namespace

BothEngines::BothEngines()
    : table_(std::move(*fhir::TypeTable::Load(Registry(), {"fhir-r4"}))), v2_(std::move(*fhir::V2Table::Load(Registry()))),
      types_(*table_), tape_types_(*table_), bytes_(kOutput), scratch_(kScratch) {}

Result<std::unique_ptr<Input>> BothEngines::ReadInput(const std::string& json) const {
  auto tree = ir::ParseJson(json);
  if (!tree) {
    return tree.error();
  }
  auto document = tape::Read(json, tape_types_);
  if (!document) {
    return document.error();
  }
  const ir::Json* type = tree->Find("resourceType");
  std::string name = type != nullptr ? type->text : "";
  return std::unique_ptr<Input>(new Input{std::move(*tree), std::move(*document), name});
}

ir::Node* BothEngines::Check(const std::string& expression, const Input* input, ir::Module& module, int64_t* slots) const {
  SourceFiles files;
  DiagnosticSink sink;
  FileId file = files.Add("expression", expression);
  ast::ExprPtr ast = syntax::ParseFhirPath(files, file, {}, sink);
  check::ExprContext context{*table_, *v2_, module, sink, nullptr};
  return ast != nullptr ? check::CheckFhirPath(context, *ast, input != nullptr ? input->type : "", slots) : nullptr;
}

ir::Node* BothEngines::Translate(const std::string& expression, const Input* input, ir::Module& module, int64_t* slots) const {
  SourceFiles files;
  DiagnosticSink sink;
  FileId file = files.Add("expression", expression);
  ast::ExprPtr ast = syntax::ParseFhirPath(files, file, {}, sink);
  if (ast == nullptr) {
    return nullptr;
  }
  auto node = LowerUntyped(*ast, input != nullptr ? input->type : "", types_, module, slots);
  return node.ok() ? *node : nullptr;
}

Result<std::unique_ptr<jit::Expressions>> BothEngines::Compile(const ir::Module& module, const std::vector<lower::Expression>& expressions,
                                                               bool optimize) const {
  jit::JitOptions options;
  options.optimize = optimize;
  options.sanitize = kSanitized;
  return jit::JitExpressions(module, expressions, [this](const std::string& name) { return types_.Exists(name); }, options);
}

std::string BothEngines::Interpret(const ir::Module& module, const lower::Expression& expression, const Input* input) const {
  ir::EvalOptions options;
  options.types = &types_;
  auto items = ir::Evaluate(module, *expression.node, expression.slot_count, input != nullptr ? &input->json : nullptr, options);
  if (!items.ok()) {
    return "error";
  }
  std::string out;
  for (const ir::Item& item : *items) {
    out += "[" + ir::TypeName(item) + " " + ir::ToText(item) + "]";
  }
  return out;
}

std::string BothEngines::Execute(weir_expression_fn expression, const Input* input) {
  weir_output output{};
  output.struct_size = sizeof output;
  weir_status status = WEIR_SCRATCH_FULL;
  for (;;) {
    output.bytes = bytes_.data();
    output.capacity = static_cast<uint32_t>(bytes_.size());
    output.scratch = scratch_.data();
    output.scratch_capacity = static_cast<uint32_t>(scratch_.size());
    status = expression(input != nullptr ? input->document.tape() : nullptr, &output);
    if (status != WEIR_SCRATCH_FULL || scratch_.size() >= kMostScratch) {
      break;
    }
    scratch_.resize(scratch_.size() * 2);
  }
  if (status != WEIR_OK) {
    return status == WEIR_REJECTED || status == WEIR_LIMIT ? "error" : "status " + std::to_string(status);
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

}  // namespace weir::fhirpath_suite
