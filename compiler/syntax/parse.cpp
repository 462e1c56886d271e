#include "compiler/syntax/parse.h"

#include "antlr4-runtime.h"
#include "compiler/syntax/ast_builder.h"
#include "compiler/syntax/error_strategy.h"
#include "compiler/syntax/generated/WeirParser.h"
#include "compiler/syntax/token_filter.h"

namespace weir::syntax {
namespace {

using generated::WeirParser;

// Offset of the first byte that is not part of well-formed UTF-8, or npos.
size_t FindBadUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    auto byte = [&](size_t k) {
      return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u;
    };
    auto tail = [&](size_t k) { return (byte(k) & 0xC0) == 0x80; };
    unsigned lead = byte(0);
    if (lead < 0x80) {
      i += 1;
    } else if (lead >= 0xC2 && lead < 0xE0 && tail(1)) {
      i += 2;
    } else if (lead >= 0xE0 && lead < 0xF0 && tail(1) && tail(2) &&
               !(lead == 0xE0 && byte(1) < 0xA0) && !(lead == 0xED && byte(1) >= 0xA0)) {
      i += 3;
    } else if (lead >= 0xF0 && lead < 0xF5 && tail(1) && tail(2) && tail(3) &&
               !(lead == 0xF0 && byte(1) < 0x90) && !(lead == 0xF4 && byte(1) >= 0x90)) {
      i += 4;
    } else {
      return i;
    }
  }
  return std::string_view::npos;
}

bool CheckText(const SourceFile& file, FileId id, const ParseOptions& options,
               DiagnosticSink& sink) {
  if (file.text().size() > options.max_bytes) {
    sink.Report(DiagnosticKind::kTooLarge, {id, 0, 0},
                "the file has more than " + std::to_string(options.max_bytes) + " bytes");
    return false;
  }
  if (size_t bad = FindBadUtf8(file.text()); bad != std::string_view::npos) {
    uint32_t at = static_cast<uint32_t>(bad);
    sink.Report(DiagnosticKind::kNotUtf8, {id, at, at + 1}, "this byte is not UTF-8");
    return false;
  }
  return true;
}

// One text on its way through lexer, filter and parser. Everything ANTLR allocates dies with it.
class Parse {
 public:
  Parse(const SourceFile& file, FileId id, bool free_form, const ParseOptions& options,
        DiagnosticSink& sink)
      : options_(options),
        free_form_(free_form),
        sink_(sink),
        source_(file, id, free_form),
        tokens_(FilterTokens(source_.TakeTokens(), source_, free_form, options, sink)),
        list_(std::move(tokens_.tokens)),
        stream_(&list_),
        parser_(&stream_) {}

  // SLL decides nearly everything and fails fast; only a text that fails is read again, with
  // reports and full LL.
  template <typename Context>
  Context* Run(Context* (WeirParser::*rule)()) {
    parser_.removeErrorListeners();
    auto* simulator = parser_.getInterpreter<antlr4::atn::ParserATNSimulator>();
    simulator->setPredictionMode(antlr4::atn::PredictionMode::SLL);
    parser_.setErrorHandler(std::make_shared<antlr4::BailErrorStrategy>());
    try {
      return (parser_.*rule)();
    } catch (antlr4::ParseCancellationException&) {
      parser_.reset();
    }
    simulator->setPredictionMode(antlr4::atn::PredictionMode::LL);
    parser_.setErrorHandler(std::make_shared<LineErrorStrategy>(tokens_, source_, options_, sink_));
    try {
      return (parser_.*rule)();
    } catch (antlr4::ParseCancellationException&) {
      return nullptr;  // too many errors
    }
  }

  AstBuilder Builder() { return AstBuilder(source_, tokens_, free_form_, sink_); }

 private:
  const ParseOptions& options_;
  bool free_form_;
  DiagnosticSink& sink_;
  LexedSource source_;
  FilteredTokens tokens_;
  antlr4::ListTokenSource list_;
  antlr4::CommonTokenStream stream_;
  WeirParser parser_;
};

}  // namespace

std::unique_ptr<ast::File> ParseFile(SourceFiles& files, FileId id, const ParseOptions& options,
                                     DiagnosticSink& sink) {
  auto empty = std::make_unique<ast::File>();
  empty->id = id;
  if (!CheckText(files[id], id, options, sink)) {
    return empty;
  }
  Parse parse(files[id], id, /*free_form=*/false, options, sink);
  WeirParser::FileContext* tree = parse.Run(&WeirParser::file);
  return tree == nullptr ? std::move(empty) : parse.Builder().BuildFile(tree);
}

ast::ExprPtr ParseFhirPath(SourceFiles& files, FileId id, const ParseOptions& options,
                           DiagnosticSink& sink) {
  if (!CheckText(files[id], id, options, sink)) {
    return nullptr;
  }
  size_t errors = sink.error_count();
  Parse parse(files[id], id, /*free_form=*/true, options, sink);
  WeirParser::FhirPathContext* tree = parse.Run(&WeirParser::fhirPath);
  if (tree == nullptr || tree->expr() == nullptr || sink.error_count() != errors) {
    return nullptr;
  }
  ast::ExprPtr expr = parse.Builder().BuildExpr(tree->expr());
  return sink.error_count() == errors ? std::move(expr) : nullptr;
}

}  // namespace weir::syntax
