#include "tests/sim/workload.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "runtime/base/check.h"
#include "runtime/frame/framer.h"
#include "runtime/ingest/pipeline.h"
#include "runtime/serve/ack.h"
#include "tests/sim/vfs.h"

namespace weir::sim {
namespace {

std::vector<frame::FrameKind> Cut(std::string_view bytes, std::vector<std::string>* records) {
  std::vector<frame::FrameKind> kinds;
  frame::Framer framer({}, [&](const frame::Frame& frame) {
    kinds.push_back(frame.kind);
    records->emplace_back(frame.bytes);
  });
  framer.Push(bytes);
  framer.Finish();
  return kinds;
}

// A hub on a disk that nothing ever happens to.
struct QuietHub {
  World world{0, /*prints=*/false};
  Disk disk{world, Random(0)};
  Vfs vfs{disk, world};
  std::unique_ptr<hub::Hub> hub;
  ingest::IngestOptions options;
  std::unique_ptr<ingest::Pipeline> pipeline;

  explicit QuietHub(Feed& feed) {
    auto opened = hub::Hub::Open({.path = "/hub.db", .vfs = vfs.name()});
    WEIR_CHECK(opened.ok());
    hub = std::move(*opened);
    WEIR_CHECK(hub->Bind(feed.engine().manifest(), options.name_space.key, feed.engine().manifest().package).ok());
    pipeline = std::make_unique<ingest::Pipeline>(feed.engine(), options);
  }
  const std::vector<hub::Record>& Apply() {
    const std::vector<hub::Record>& records = pipeline->Records();
    WEIR_CHECK(hub->Apply(records, World::kEpochUs).ok());
    return records;
  }
  Straight Read() { return {*hub->Digest(), *hub->ReadLedger()}; }
};

}  // namespace

Result<std::unique_ptr<Feed>> Feed::Open(const std::string& path, const std::vector<std::string>& sample_folders) {
  auto feed = std::make_unique<Feed>();
  auto package = package::Package::Open(path, {.allow_unsigned = true});
  if (!package) {
    return package.error();
  }
  feed->package_ = std::move(*package);
  auto engine = ingest::KernelEngine::Create(feed->package_->kernel());
  if (!engine) {
    return engine.error();
  }
  feed->engine_ = std::make_unique<ingest::KernelEngine>(std::move(*engine));
  std::set<std::string> files;
  for (const std::string& folder : sample_folders) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) {
        files.insert(entry.path().string());
      }
    }
  }
  std::set<std::string> seen;
  for (const std::string& file : files) {
    std::ifstream in(file, std::ios::binary);
    std::vector<std::string> records;
    const auto kinds = Cut(std::string((std::istreambuf_iterator<char>(in)), {}), &records);
    for (size_t i = 0; i < kinds.size(); ++i) {
      constexpr size_t kSampleBytesMax = 8192;  // a run has hundreds of messages a second to do
      if (kinds[i] == frame::FrameKind::kMessage && records[i].size() <= kSampleBytesMax && seen.insert(records[i]).second) {
        feed->samples_.push_back(records[i]);
      }
    }
  }
  return feed;
}

Workload MakeWorkload(Feed& feed, Random random) {
  Workload workload;
  const auto count = static_cast<size_t>(random.Skewed(8, 60));
  std::vector<std::string> texts;
  if (feed.samples().empty()) {
    texts = GenerateMessages(random, count);
  } else {
    for (size_t i = 0; i < count / 2 + 1; ++i) {
      texts.push_back(random.Pick(feed.samples()));
    }
  }
  std::set<std::string> seen;
  QuietHub quiet(feed);
  for (const std::string& text : texts) {
    std::vector<std::string> records;
    const auto kinds = Cut(text, &records);
    // A record that is one, in a frame of its own.
    if (kinds.size() != 1 || kinds[0] == frame::FrameKind::kEnvelope || text.find_first_of("\x0B\x1C") != std::string::npos ||
        !seen.insert(records[0]).second) {
      continue;
    }
    Message& message = workload.messages.emplace_back(Message{.raw = records[0], .control_id = serve::ReadHeader(records[0]).fields[10]});
    message.digest = hub::HashRaw(message.raw);
    message.in_files = kinds[0] == frame::FrameKind::kMessage && message.raw.find_first_of("\r\n") != std::string::npos;
    quiet.pipeline->Take({.kind = kinds[0], .bytes = message.raw}, "straight", workload.messages.size() - 1, quiet.hub.get());
  }
  const auto& records = quiet.Apply();
  const auto taken = quiet.hub->LastBatch();
  WEIR_CHECK(taken.ok() && taken->size() == workload.messages.size());
  for (size_t i = 0; i < workload.messages.size(); ++i) {
    const serve::Header header = serve::ReadHeader(records[i].raw);
    const serve::Verdict verdict = serve::Judge(records[i], header, feed.engine().manifest(), (*taken)[i].letter);
    const serve::Acknowledgements made = serve::Acknowledge(header, verdict, {});
    for (const std::string* text : {&made.accept, &made.application}) {
      if (!text->empty()) {
        workload.messages[i].answers.emplace_back(serve::CodeOf(*text));
      }
    }
  }
  workload.straight = quiet.Read();
  return workload;
}

Straight RunStraight(Feed& feed, const std::vector<std::string_view>& raws, const std::vector<std::string>& junk) {
  QuietHub quiet(feed);
  uint64_t position = 0;
  for (const std::string_view raw : raws) {
    std::vector<std::string> records;
    const auto kinds = Cut(raw, &records);
    quiet.pipeline->Take({.kind = kinds.at(0), .bytes = raw}, "straight", position++, quiet.hub.get());
  }
  for (const std::string& bytes : junk) {
    quiet.pipeline->Take({.kind = frame::FrameKind::kJunk, .bytes = bytes}, "straight", position++, quiet.hub.get());
  }
  quiet.Apply();
  return quiet.Read();
}

}  // namespace weir::sim
