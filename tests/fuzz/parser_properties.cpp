#include "tests/fuzz/parser_properties.h"

#include "compiler/diag/render.h"
#include "compiler/syntax/format.h"
#include "compiler/syntax/parse.h"

namespace weir::syntax {
namespace {

bool Inside(const SourceFiles& files, Span span) {
  return !span.valid() || (static_cast<size_t>(span.file) < files.size() &&
                           span.begin <= span.end && span.end <= files[span.file].text().size());
}

std::string CheckExpr(const SourceFiles& files, const ast::Expr& expr) {
  if (!Inside(files, expr.span) || !Inside(files, expr.name_span)) {
    return "an expression's span is outside the file";
  }
  for (const ast::ExprPtr& kid : expr.kids) {
    if (kid == nullptr) {
      return "an expression has a null kid";
    }
    if (std::string broken = CheckExpr(files, *kid); !broken.empty()) {
      return broken;
    }
  }
  return "";
}

}  // namespace

std::string CheckParserProperties(const std::string& text) {
  SourceFiles files;
  DiagnosticSink sink;
  FileId id = files.Add("fuzz.weir", text);
  ParseOptions options;
  std::unique_ptr<ast::File> file = ParseFile(files, id, options, sink);
  if (file == nullptr) {
    return "no tree";
  }
  for (const ast::DeclPtr& decl : file->declarations) {
    if (decl == nullptr || !decl->span.valid() || !Inside(files, decl->span) ||
        decl->name.empty()) {
      return "a declaration without name or place";
    }
  }
  for (const Diagnostic& diagnostic : sink.diagnostics()) {
    if (!Inside(files, diagnostic.span)) {
      return "a diagnostic outside the file";
    }
  }
  RenderText(files, sink.Sorted());
  RenderJson(files, sink.Sorted());
  RenderSarif(files, sink.Sorted(), "0");
  if (!sink.has_errors()) {
    FileId once = files.Add("once.weir", Format(files[id], id));
    FileId twice = files.Add("twice.weir", Format(files[once], once));
    if (files[once].text() != files[twice].text()) {
      return "fmt is not its own fixed point";
    }
    DiagnosticSink formatted;
    if (ParseFile(files, once, options, formatted); formatted.has_errors()) {
      return "fmt broke the file:\n" + RenderText(files, formatted.Sorted());
    }
  }
  DiagnosticSink expr_sink;
  ast::ExprPtr expr = ParseFhirPath(files, id, options, expr_sink);
  if ((expr == nullptr) != expr_sink.has_errors()) {
    return "an expression is null exactly when there is an error";
  }
  return expr == nullptr ? "" : CheckExpr(files, *expr);
}

}  // namespace weir::syntax
