#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "compiler/check/generator.h"
#include "compiler/syntax/parse.h"

namespace weir::check {
namespace {

namespace fs = std::filesystem;

class Loader {
 public:
  Loader(Compilation& compilation, const CheckOptions& options, DiagnosticSink& sink)
      : c_(compilation), options_(options), sink_(sink) {}

  bool Load(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      Read(path, {});
    }
    std::vector<std::string> packages = {"fhir-r4"};
    for (size_t i = 0; i < c_.trees.size(); ++i) {  // grows while `use`d packages are read
      for (const ast::Use& use : c_.trees[i]->uses) {
        if (use.package.text == "us_core" && std::find(packages.begin(), packages.end(), "us-core-" + use.version.text) == packages.end()) {
          packages.push_back("us-core-" + use.version.text);
        } else if (use.package.text.starts_with("std.")) {
          ReadPackage(use.package);
        }
      }
    }
    auto types = fhir::TypeTable::Load(options_.registry_dir, packages);
    auto v2 = fhir::V2Table::Load(options_.registry_dir);
    if (!types || !v2) {
      sink_.Report(DiagnosticKind::kUnreadableFile, {}, !types ? types.error().message : v2.error().message,
                   "give the folder of the registry's .defs files");
      return false;
    }
    c_.types = std::move(*types);
    c_.v2 = std::move(*v2);
    return !c_.trees.empty();
  }

  std::string Digest(const ir::Module& module) const {
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, 16);
    auto add = [&](std::string_view text) {
      crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    };
    for (size_t i = 0; i < c_.files.size(); ++i) {
      add(c_.files[FileId(static_cast<uint32_t>(i))].text());
    }
    add(Print(module));  // what registry and zone data made of it
    unsigned char out[16];
    crypto_generichash_final(&state, out, sizeof(out));
    std::string hex;
    for (unsigned char byte : out) {
      hex += fmt::format("{:02x}", byte);
    }
    return hex;
  }

 private:
  void Read(const std::string& path, Span used_at) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
      sink_.Report(DiagnosticKind::kUnreadableFile, used_at, fmt::format("cannot read `{}`", path));
      return;
    }
    std::ostringstream text;
    text << in.rdbuf();
    FileId id = c_.files.Add(path, text.str());
    c_.trees.push_back(syntax::ParseFile(c_.files, id, {}, sink_));
  }

  void ReadPackage(const ast::Name& package) {
    if (!read_.insert(package.text).second) {
      return;
    }
    std::string folder = options_.std_dir;
    std::string rest = package.text.substr(4);
    std::replace(rest.begin(), rest.end(), '.', '/');
    folder += "/" + rest;
    std::vector<std::string> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().extension() == ".weir") {
        files.push_back(entry.path().string());
      }
    }
    if (error || files.empty()) {
      sink_.Report(DiagnosticKind::kUnreadableFile, package.span, fmt::format("package `{}` is not there", package.text),
                   "std.v2 is part of the installation; `--std DIR` names its folder");
    }
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) {
      Read(file, package.span);
    }
  }

  Compilation& c_;
  const CheckOptions& options_;
  DiagnosticSink& sink_;
  std::set<std::string> read_;
};

void CollectFields(const ir::Node& node, std::set<std::string>* fields) {
  if (node.op == ir::Op::kField) {
    const ir::Node& input = *node.kids[0];
    std::string segment = input.op == ir::Op::kSegments ? input.text
                          : input.type.name.starts_with("v2.segment.") ? input.type.name.substr(11) : "";
    if (!segment.empty()) {
      fields->insert(segment + "-" + std::to_string(node.number));
    }
  }
  for (const ir::Node* kid : node.kids) {
    CollectFields(*kid, fields);
  }
}

}  // namespace

std::unique_ptr<Compilation> Compile(const std::vector<std::string>& paths, const CheckOptions& options, DiagnosticSink& sink) {
  auto compilation = std::make_unique<Compilation>();
  Loader loader(*compilation, options, sink);
  if (!loader.Load(paths)) {
    return compilation;
  }
  for (const auto& tree : compilation->trees) {
    compilation->declarations.Add(*tree);
  }
  compilation->module.package = compilation->trees.front()->package.text;
  Generator(*compilation, options, sink).Run();
  compilation->ok = !sink.has_errors();
  if (compilation->ok) {
    if (auto broken = ir::Verify(compilation->module)) {
      sink.Report(DiagnosticKind::kUnreadableFile, {}, "internal: the generated program is not well-formed: " + *broken,
                  "this is a fault of the compiler, please report it");
      compilation->ok = false;
    }
    compilation->module.semantic_digest = loader.Digest(compilation->module);
  }
  std::set<std::string> fields;
  for (const auto& feed : compilation->module.feeds) {
    if (feed.transform != nullptr) {
      CollectFields(*feed.transform, &fields);
    }
  }
  compilation->mapped_fields.assign(fields.begin(), fields.end());
  return compilation;
}

std::string_view Words(ConformanceEntry::State state) {
  switch (state) {
    case ConformanceEntry::State::kProved: return "proved";
    case ConformanceEntry::State::kRunTime: return "at run time";
    case ConformanceEntry::State::kError: return "error";
    case ConformanceEntry::State::kMustSupportWithoutSource: return "no source";
  }
  return "";
}

std::string RenderConformance(const Compilation& compilation) {
  std::string out;
  for (const auto& entry : compilation.conformance) {
    out += fmt::format("{:<20} {:<44} {:<12} {:<11} {}\n", entry.map, entry.element, entry.rule, Words(entry.state), entry.how);
  }
  return out;
}

}  // namespace weir::check
