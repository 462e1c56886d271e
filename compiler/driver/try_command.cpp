// weir try SRC MESSAGE: what each line of each map makes of one message, or why it is empty. Prints patient data: it is
// asked for.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include "compiler/driver/cli.h"
#include "compiler/driver/source.h"
#include "compiler/ir/interp/interp.h"
#include "compiler/ir/interp/type_model.h"
#include "runtime/frame/framer.h"
#include "runtime/hub/manifest.h"
#include "runtime/v2/reader.h"

namespace weir::driver {
namespace {

struct TryArgs {
  SourceArgs source;
  std::string message;
};

class Printer final : public ir::TraceObserver {
 public:
  explicit Printer(const check::Compilation& compilation) : compilation_(compilation) {}

  void OnNode(const ir::TraceEntry& entry) override {
    const ir::Node& node = *entry.node;
    std::string place;
    if (node.span.valid()) {
      const SourceFile& file = compilation_.files[node.span.file];
      place = fmt::format("{}:{}", file.path().substr(file.path().rfind('/') + 1), file.Locate(node.span.begin).line);
    }
    std::string indent(2 * std::min<size_t>(entry.depth, 20), ' ');
    std::string shown = entry.text.size() > kWidest ? entry.text.substr(0, kWidest) + "…" : entry.text;
    lines_.push_back(fmt::format("{:<24}{}{} {}", place, indent, Name(node), entry.wrote ? shown : "(empty)"));
  }

  void Print() const {
    for (const auto& line : lines_) {
      std::cout << line << '\n';
    }
  }

 private:
  static constexpr size_t kWidest = 160;
  static std::string Name(const ir::Node& node) {
    switch (node.op) {
      case ir::Op::kMember:
        return node.text + ":";
      case ir::Op::kContribute:
        return "=> " + node.text;
      case ir::Op::kRequire:
        return "require";
      default:
        return std::string(ir::OpName(node.op));
    }
  }

  const check::Compilation& compilation_;
  std::vector<std::string> lines_;
};

Result<std::string> FirstMessage(const std::string& path) {
  std::string text;
  if (path == "-") {
    std::ostringstream all;
    all << std::cin.rdbuf();
    text = all.str();
  } else {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
      return Error{"cannot read " + path};
    }
    std::ostringstream all;
    all << in.rdbuf();
    text = all.str();
  }
  std::string first;
  frame::Framer framer({}, [&](const frame::Frame& frame) {
    if (first.empty() && frame.kind == frame::FrameKind::kMessage) {
      first = frame.bytes;
    }
  });
  framer.Push(text);
  framer.Finish();
  if (first.empty()) {
    return Error{path + " holds no HL7 message"};
  }
  return first;
}

int Try(const TryArgs& args) {
  auto compilation = LoadSource(args.source);
  if (compilation == nullptr) {
    return kDoesNotCompile;
  }
  auto message = FirstMessage(args.message);
  if (!message) {
    return Fail(message.error().message);
  }
  auto size = static_cast<uint32_t>(message->size());
  message->append(64, '\0');
  v2::IndexBuffers buffers;
  weir_v2_index index;
  auto bytes = reinterpret_cast<const uint8_t*>(message->data());
  if (auto status = v2::BuildIndex(bytes, size, {}, buffers, &index); status != v2::IndexStatus::kOk) {
    std::cout << fmt::format("rejected: schema/{}\n", v2::Code(status));
    return kFindings;
  }
  ir::RegistryTypes types(*compilation->types);
  ir::EvalOptions options;
  options.types = &types;
  ir::InterpretedKernel kernel(compilation->module, options);
  auto manifest = hub::ParseManifest(kernel.manifest());
  if (!manifest) {
    return Fail(manifest.error().message, kUndecided);
  }
  weir_input input{.struct_size = sizeof(weir_input), .kind = 0, .bytes = bytes, .size = size, .index = &index};
  weir_snapshot snapshot{};
  snapshot.struct_size = sizeof snapshot;
  for (uint8_t i = 0; i < 16; ++i) {  // the published test key: `try` shows shapes, not a hub's ids
    snapshot.namespace_key[i] = i;
  }
  snapshot.namespace_name = reinterpret_cast<const uint8_t*>(manifest->package.data());
  snapshot.namespace_size = static_cast<uint32_t>(manifest->package.size());
  std::vector<uint8_t> out(16u << 20);
  std::vector<weir_contribution> items(65536);
  std::vector<weir_key> keys(65536);
  std::vector<uint8_t> scratch(1u << 20);
  weir_output output{};
  output.struct_size = sizeof output;
  output.bytes = out.data();
  output.capacity = static_cast<uint32_t>(out.size());
  output.items = items.data();
  output.item_capacity = static_cast<uint32_t>(items.size());
  output.keys = keys.data();
  output.key_capacity = static_cast<uint32_t>(keys.size());
  output.scratch = scratch.data();
  output.scratch_capacity = static_cast<uint32_t>(scratch.size());
  weir_probe probe{};
  probe.struct_size = sizeof probe;
  weir_status status = kernel.Probe(input, snapshot, &output, &probe);
  if (status == WEIR_UNROUTED) {
    std::cout << "no feed accepts this message: schema/unrouted\n";
    return kFindings;
  }
  if (status == WEIR_OK) {
    std::cout << fmt::format("feed {}\n", manifest->feeds[probe.feed].name);
    output.used = 0;
    Printer printer(*compilation);
    status = kernel.Transform(probe.feed, input, snapshot, &output, &printer);
    printer.Print();
  }
  if (status == WEIR_REJECTED) {
    const auto& site = manifest->sites[output.site];
    std::cout << fmt::format("rejected: {}/{} at {}\n", site.error_class, site.code, site.path);
    return kFindings;
  }
  std::cout << fmt::format("{} contribution{}\n", output.item_count, output.item_count == 1 ? "" : "s");
  return status == WEIR_OK ? kFine : kFindings;
}

}  // namespace

void AddTryCommand(CLI::App& app, Action& action) {
  auto args = std::make_shared<TryArgs>();
  CLI::App* command = app.add_subcommand("try", "every line's value for one message, or that it is empty");
  AddSourceOptions(*command, args->source, /*with_engine=*/false);
  command->add_option("message", args->message, "a file with a message, or `-`")->required();
  command->callback([&action, args] { action = [args] { return Try(*args); }; });
}

}  // namespace weir::driver
