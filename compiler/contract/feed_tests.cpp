#include "compiler/contract/feed_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "compiler/check/expr.h"
#include "compiler/ir/interp/interp.h"
#include "compiler/ir/interp/json.h"
#include "compiler/ir/interp/type_model.h"
#include "runtime/hub/hub.h"
#include "runtime/ingest/ingest.h"

namespace weir::contract {
namespace {

namespace fs = std::filesystem;

// Removed with all that is in it: the messages of a test are nobody else's business.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "weir-test-XXXXXX").string();
    path_ = mkdtemp(name.data()) == nullptr ? std::string() : name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) {
      fs::remove_all(path_, ignored);
    }
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

ast::ExprPtr NewExpr(ast::ExprKind kind, const ast::Expr& place, std::string text) {
  auto expr = std::make_unique<ast::Expr>();
  expr->kind = kind;
  expr->span = place.span;
  expr->name_span = place.name_span;
  expr->text = std::move(text);
  return expr;
}

// A first name that is a resource type stands for all resources of that type: Bundle.entry.resource.ofType(T).
void ReadTypesOfBundle(ast::Expr& expr, const fhir::TypeTable& types) {
  bool names_type = expr.kind == ast::ExprKind::kCall && (expr.text == "ofType" || expr.text == "is" || expr.text == "as");
  for (size_t i = 0; i < expr.kids.size() && !(names_type && i > 0); ++i) {
    ReadTypesOfBundle(*expr.kids[i], types);
  }
  if (expr.kind != ast::ExprKind::kName || !types.IsResource(expr.text)) {
    return;
  }
  auto path = NewExpr(ast::ExprKind::kName, expr, "Bundle");
  for (const char* member : {"entry", "resource"}) {
    auto next = NewExpr(ast::ExprKind::kMember, expr, member);
    next->kids.push_back(std::move(path));
    path = std::move(next);
  }
  auto type = NewExpr(ast::ExprKind::kName, expr, expr.text);
  expr.kind = ast::ExprKind::kCall;
  expr.text = "ofType";
  expr.has_receiver = true;
  expr.kids.push_back(std::move(path));
  expr.kids.push_back(std::move(type));
}

struct Expectation {
  const ir::Node* node = nullptr;  // null: `error` says why
  int64_t slots = 0;
  uint32_t line = 0;
  std::string text, error;
};

class Runner {
 public:
  Runner(check::Compilation& compilation, const std::vector<NamedEngine>& engines)
      : c_(compilation), engines_(engines), types_(*compilation.types) {
    options_.types = &types_;
  }

  TestResult Run(ast::TestDecl& test) {
    auto begin = std::chrono::steady_clock::now();
    const SourceFile& file = c_.files[test.name.span.file];
    TestResult result;
    result.name = test.name.text;
    result.file = file.path();
    result.line = file.Locate(test.name.span.begin).line;
    std::vector<Expectation> expectations;
    for (auto& expr : test.expect) {
      expectations.push_back(Check(*expr));
      if (expectations.back().node == nullptr) {
        result.broken = true;
        result.failures.push_back({expectations.back().line, "", expectations.back().error});
      }
    }
    if (test.given.empty() || test.expect.empty()) {
      result.broken = true;
      result.failures.push_back({result.line, "", "a test has `given` and `expect`, and proves nothing without both"});
    }
    for (const NamedEngine& engine : engines_) {
      if (!result.broken) {
        RunOn(engine, test, expectations, &result);
      }
    }
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return result;
  }

 private:
  Expectation Check(ast::Expr& expr) {
    const SourceFile& file = c_.files[expr.span.file];
    Expectation out;
    out.line = file.Locate(expr.span.begin).line;
    out.text = file.Text(expr.span);
    ReadTypesOfBundle(expr, *c_.types);
    DiagnosticSink sink;
    check::ExprContext context{*c_.types, *c_.v2, module_, sink, nullptr};
    out.node = check::CheckFhirPath(context, expr, "Bundle", &out.slots);
    if (out.node == nullptr) {
      out.error = fmt::format("`expect {}`: {}", out.text, sink.diagnostics().empty() ? "cannot be checked" : sink.diagnostics().back().message);
    } else if (out.node->type.name != "System.Boolean" && out.node->type.name != "FHIR.boolean") {
      out.node = nullptr;
      out.error = fmt::format("`expect {}` is no condition: compare it, or ask `.exists()`", out.text);
    }
    return out;
  }

  void RunOn(const NamedEngine& engine, const ast::TestDecl& test, const std::vector<Expectation>& expectations, TestResult* result) {
    auto broken = [&](uint32_t line, std::string message) {
      result->broken = true;
      result->failures.push_back({line, engine.name, std::move(message)});
    };
    ScratchFolder folder;
    std::vector<std::string> inputs;
    for (const auto& given : test.given) {
      const SourceFile& file = c_.files[given.text.span.file];
      fs::path path = given.is_file ? fs::path(file.path()).parent_path() / given.text.text
                                    : folder.path() / fmt::format("{:06}.hl7", inputs.size());
      if (!given.is_file) {
        std::ofstream(path, std::ios::binary) << given.text.text;
      }
      if (std::error_code error; !fs::is_regular_file(path, error)) {
        return broken(file.Locate(given.text.span.begin).line, fmt::format("there is no file `{}`", given.text.text));
      }
      inputs.push_back(path.string());
    }
    auto hub = hub::Hub::Open({.path = (folder.path() / "hub.db").string(), .key_file = "", .read_only = false, .cache_kib = 4096});
    if (!hub) {
      return broken(result->line, hub.error().message);
    }
    ingest::IngestOptions options;
    options.name_space.name = engine.engine->manifest().package;
    auto report = ingest::RunFiles(inputs, *engine.engine, **hub, options);
    std::string outcome;
    auto bundle = report ? Bundle(**hub, inputs, &outcome) : Result<ir::Json>(report.error());
    if (!bundle) {
      return broken(result->line, bundle.error().message);
    }
    bool failed = false;
    for (const Expectation& expectation : expectations) {
      auto items = ir::Evaluate(module_, *expectation.node, expectation.slots, &*bundle, options_);
      if (items && items->size() == 1 && ir::ToText(items->front()) == "true") {
        continue;
      }
      failed = true;
      result->failures.push_back({expectation.line, engine.name, Explain(expectation, items, *bundle)});
    }
    if (failed) {
      result->failures.back().message += outcome;
    }
  }

  // The hub's resources, and an OperationOutcome for each record that was refused.
  static Result<ir::Json> Bundle(hub::Hub& hub, const std::vector<std::string>& inputs, std::string* outcome) {
    std::ostringstream lines;
    if (auto count = hub.Export(lines); !count) {
      return count.error();
    }
    std::string json = R"({"resourceType":"Bundle","type":"collection","entry":[)", separator;
    std::istringstream in(lines.str());
    for (std::string line; std::getline(in, line); separator = ",") {
      json += separator + "{\"resource\":" + line + "}";
    }
    auto letters = hub.DeadLetters();
    if (!letters) {
      return letters.error();
    }
    for (const auto& letter : *letters) {
      json += separator + R"({"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid","details":{"text":)";
      ir::WriteJsonString(letter.error_class + "/" + letter.code, &json);
      json += "}";
      if (!letter.path.empty()) {
        json += ",\"diagnostics\":";
        ir::WriteJsonString(letter.path, &json);
      }
      json += "}]}}";
      separator = ",";
      auto at = std::find(inputs.begin(), inputs.end(), letter.source);
      *outcome += fmt::format("\n    `given` {} was rejected: {}/{}{}{}", at - inputs.begin() + 1, letter.error_class, letter.code,
                              letter.path.empty() ? "" : " at ", letter.path);
    }
    return ir::ParseJson(json + "]}");
  }

  std::string Explain(const Expectation& expectation, const Result<std::vector<ir::Item>>& items, const ir::Json& bundle) const {
    std::string out = fmt::format("expect {}", expectation.text);
    if (!items) {
      return out + "\n    cannot be evaluated: " + items.error().message;
    }
    const ir::Node& node = *expectation.node;
    if (node.op != ir::Op::kBinary) {
      return out + "\n    is " + Show(*items);
    }
    for (size_t i = 0; i < 2; ++i) {
      auto side = ir::Evaluate(module_, *node.kids[i], expectation.slots, &bundle, options_);
      out += fmt::format("\n    {}: {}", i == 0 ? "left " : "right", side ? Show(*side) : "cannot be evaluated: " + side.error().message);
    }
    return out;
  }

  static std::string Show(const std::vector<ir::Item>& items) {
    std::string out;
    for (const ir::Item& item : items) {
      out += (out.empty() ? "" : ", ") + ir::ToText(item);
    }
    return out.empty() ? "empty" : out;
  }

  check::Compilation& c_;
  const std::vector<NamedEngine>& engines_;
  ir::RegistryTypes types_;
  ir::EvalOptions options_;
  ir::Module module_;
};

std::string Xml(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\n': out += "&#10;"; break;
      default:
        if (static_cast<uint8_t>(c) >= 0x20 || c == '\t') {  // XML 1.0 has no other controls
          out += c;
        }
    }
  }
  return out;
}

}  // namespace

std::vector<TestResult> RunTests(check::Compilation& compilation, const std::vector<NamedEngine>& engines) {
  std::vector<TestResult> results;
  Runner runner(compilation, engines);
  for (const auto& tree : compilation.trees) {
    for (const auto& decl : tree->declarations) {
      if (decl->kind == ast::DeclKind::kTest && compilation.declarations.IsOwn(*decl)) {
        results.push_back(runner.Run(static_cast<ast::TestDecl&>(*decl)));
      }
    }
  }
  return results;
}

std::string JUnit(const std::string& suite, const std::vector<TestResult>& results) {
  size_t failures = 0, errors = 0;
  double seconds = 0;
  std::string cases;
  for (const TestResult& result : results) {
    errors += result.broken ? 1 : 0;
    failures += !result.broken && !result.failures.empty() ? 1 : 0;
    seconds += result.seconds;
    cases += fmt::format("  <testcase name=\"{}\" classname=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.3f}\">\n", Xml(result.name), Xml(suite), Xml(result.file),
                         result.line, result.seconds);
    std::string text;
    for (const TestFailure& failure : result.failures) {
      text += fmt::format("{}:{}: {}{}\n", result.file, failure.line, failure.engine.empty() ? "" : failure.engine + ": ", failure.message);
    }
    if (!result.failures.empty()) {
      const char* kind = result.broken ? "error" : "failure";
      std::string title = result.failures[0].message.substr(0, result.failures[0].message.find('\n'));
      cases += fmt::format("    <{} message=\"{}\">{}</{}>\n", kind, Xml(title), Xml(text), kind);
    }
    cases += "  </testcase>\n";
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3f}\">\n{}</testsuite>\n",
      Xml(suite), results.size(), failures, errors, seconds, cases);
}

}  // namespace weir::contract
