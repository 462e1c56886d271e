#include <map>

#include "runtime/ingest/ingest.h"
#include "runtime/ingest/pipeline.h"
#include "runtime/ingest/sources.h"

namespace weir::ingest {
namespace {

void AppendJson(std::string* out, std::string_view text) {
  *out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      *out += '\\';
      *out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr char kHex[] = "0123456789abcdef";
      *out += "\\u00";
      *out += kHex[static_cast<unsigned char>(c) >> 4];
      *out += kHex[c & 15];
    } else {
      *out += c;
    }
  }
  *out += '"';
}

class Mapper {
 public:
  explicit Mapper(const hub::Manifest& manifest) : manifest_(manifest), buffer_(1u << 20) {}

  void Append(const hub::Record& record, std::string* line) {
    *line = "{\"source\":";
    AppendJson(line, record.source);
    *line += ",\"index\":" + std::to_string(record.position);
    if (record.status == WEIR_OK) {
      *line += ",\"resources\":[";
      AppendResources(record, line);
      *line += "]}\n";
      return;
    }
    // Nothing is wrong with a suppressed record; it just has no resources.
    if (record.status == WEIR_SUPPRESSED) {
      *line += ",\"resources\":[],\"suppressed\":true}\n";
      return;
    }
    *line += ",\"error\":{\"class\":";
    AppendJson(line, record.rejection.error_class);
    *line += ",\"code\":";
    AppendJson(line, record.rejection.code);
    *line += ",\"path\":";
    AppendJson(line, record.rejection.path);
    *line += "}}\n";
  }

 private:
  // In the order in which the kernel first mentions each resource.
  void AppendResources(const hub::Record& record, std::string* line) {
    std::vector<std::pair<uint32_t, std::vector<fold::Item>>> resources;  // type, items
    std::map<std::pair<uint32_t, std::string_view>, size_t> at;
    for (const weir_contribution& item : record.items) {
      const auto [found, added] =
          at.emplace(std::pair(item.type, std::string_view(item.id, 32)), resources.size());
      if (added) {
        resources.push_back({item.type, {}});
      }
      const auto* bytes = reinterpret_cast<const uint8_t*>(record.bytes.data());
      resources[found->second].second.push_back({item.op, item.map, bytes + item.tag_offset,
                                                 bytes + item.body_offset, item.tag_size,
                                                 item.body_size});
    }
    bool first = true;
    for (const auto& [type, items] : resources) {
      const std::string_view folded = Fold(type, items);
      if (folded.empty()) {
        continue;
      }
      if (!first) {
        *line += ',';
      }
      first = false;
      *line += folded;
    }
  }

  std::string_view Fold(uint32_t type, const std::vector<fold::Item>& items) {
    if (type >= manifest_.types.size()) {
      return {};
    }
    marks_.resize(items.size());
    while (true) {
      const fold::FoldResult result = fold::Fold(
          manifest_.types[type].order.table(), items.data(), static_cast<uint32_t>(items.size()),
          {}, marks_.data(), buffer_.data(), static_cast<uint32_t>(buffer_.size()));
      if (result.status != fold::FoldStatus::kFull) {
        return {reinterpret_cast<const char*>(buffer_.data()), result.size};
      }
      buffer_.resize(2 * buffer_.size());
    }
  }

  const hub::Manifest& manifest_;
  std::vector<uint8_t> marks_, buffer_;
};

}  // namespace

Result<RunReport> MapFiles(const std::vector<std::string>& paths, Engine& engine, std::ostream& out,
                           const IngestOptions& options) {
  const auto sources = ExpandPaths(paths);
  if (!sources) {
    return sources.error();
  }
  Pipeline pipeline(engine, options);
  Mapper mapper(engine.manifest());
  RunReport report;
  std::string line;
  Progress progress;
  const auto halted = [&] {
    return report.stopped = report.stopped || (options.stop != nullptr && options.stop->load());
  };
  for (const Source& source : *sources) {
    progress.bytes_total += source.bytes;
  }
  for (const Source& source : *sources) {
    if (halted()) {
      break;
    }
    uint64_t position = 0;
    frame::Framer framer({}, [&](const frame::Frame& frame) {
      if (frame.kind == frame::FrameKind::kEnvelope || report.stopped) {
        return;
      }
      pipeline.Take(frame, source.name, position++, nullptr);
      mapper.Append(pipeline.Records().front(), &line);
      out << line;
      pipeline.Clear();
      if (++report.records % options.batch == 0) {
        halted();
      }
    });
    const bool read = ReadChunks(source, [&](std::string_view chunk) {
      framer.Push(chunk);
      report.bytes += chunk.size();
      return !halted();
    });
    framer.Finish();
    if (!read) {
      report.unreadable.push_back(source.name);
    }
    ++report.files;
    if (options.progress) {
      progress.records = report.records;
      progress.bytes = report.bytes;
      progress.source = source.name;
      options.progress(progress);
    }
  }
  out.flush();
  if (!out) {
    return Error{"cannot write the output"};
  }
  return report;
}

}  // namespace weir::ingest
