#include "runtime/ingest/ingest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/v2/view.h"

namespace weir::ingest {
namespace {

namespace fs = std::filesystem;

// A tiny feed: takes ADT; Patient by PID-3 with gender; needs PID-3. Output is sized by the
// message, to meet every bound.
class TinyEngine final : public Engine {
 public:
  uint32_t transforms = 0;

  weir_status Probe(const weir_input& input, const weir_snapshot&, weir_output* out,
                    weir_probe* probe) override {
    const v2::MessageView message(*input.index);
    const std::string event(Field(message, "MSH", 9));
    probe->feed = event.starts_with("ADT") ? 0 : UINT32_MAX;
    const std::string key(Field(message, "MSH", 10)), time(Field(message, "MSH", 7));
    std::string content;
    for (uint32_t i = 1; i < message.segment_count(); ++i) {
      content += message.segment(i).text();
    }
    for (size_t i = 0; i < content.size(); ++i) {
      probe->content_digest[i % 16] =
          static_cast<uint8_t>(probe->content_digest[i % 16] * 31 + content[i]);
    }
    if (!Append(out, key, &probe->key_offset, &probe->key_size) ||
        !Append(out, time + key, &probe->order_offset, &probe->order_size) ||
        !Append(out, event, &probe->event_offset, &probe->event_size)) {
      return WEIR_OUTPUT_FULL;
    }
    probe->event_time_us = INT64_MIN;
    return probe->feed == 0 ? WEIR_OK : WEIR_UNROUTED;
  }

  weir_status Transform(uint32_t, const weir_input& input, const weir_snapshot&,
                        weir_output* out) override {
    ++transforms;
    const v2::MessageView message(*input.index);
    const std::string id(Field(message, "PID", 3));
    if (id.empty()) {
      out->site = 0;
      return WEIR_REJECTED;
    }
    if (input.size > out->scratch_capacity) {
      return WEIR_SCRATCH_FULL;
    }
    weir_contribution item{};
    item.op = WEIR_OP_PATCH;
    const std::string number = std::ranges::all_of(id, [](char c) { return c >= '0' && c <= '9'; })
                                   ? id
                                   : std::to_string(std::hash<std::string>()(id));
    const std::string hex =
        std::string(32 - std::min<size_t>(32, number.size()), '0') + number.substr(0, 32);
    std::string name(Field(message, "PID", 5));
    std::erase_if(name, [](char c) { return c == '"' || c == '\\' || (c >= 0 && c < ' '); });
    memcpy(item.id, hex.data(), 32);
    if (out->item_capacity == 0 || !Append(out, "A01", &item.tag_offset, &item.tag_size)) {
      return WEIR_OUTPUT_FULL;
    }
    const std::string body = R"({"resourceType":"Patient","id":")" + hex + R"(","gender":")" +
                             std::string(Field(message, "PID", 8)) + R"(","note":")" + name + "\"}";
    if (!Append(out, body, &item.body_offset, &item.body_size)) {
      return WEIR_OUTPUT_FULL;
    }
    out->items[0] = item;
    out->item_count = 1;
    return WEIR_OK;
  }

  const hub::Manifest& manifest() const override {
    static const hub::Manifest manifest = *hub::ParseManifest(
        R"({"package":"tiny","semantic_digest":"d","feeds":[{"name":"tiny"}],"maps":[{"name":"patient","type":"Patient"}],)"
        R"("types":[{"name":"Patient","order":["gender","note"]}],"sites":[{"class":"schema","code":"required","path":"PID-3"}]})");
    return manifest;
  }

 private:
  static std::string_view Field(const v2::MessageView& message, std::string_view segment,
                                uint32_t number) {
    const uint32_t at = message.Find(v2::SegmentId(segment));
    return at == message.segment_count() ? std::string_view() : message.segment(at).Field(number);
  }
  static bool Append(weir_output* out, std::string_view text, uint32_t* offset, uint32_t* size) {
    if (out->used + text.size() > out->capacity) {
      return false;
    }
    memcpy(out->bytes + out->used, text.data(), text.size());
    *offset = out->used;
    *size = static_cast<uint32_t>(text.size());
    out->used += *size;
    return true;
  }
};

std::string Message(const std::string& key, const std::string& id, const std::string& name = "DOE",
                    const std::string& type = "ADT^A01") {
  return "MSH|^~\\&|A|EAST|B|C|20240101||" + type + "|" + key + "|P|2.5\rPID|1||" + id + "||" +
         name + "|||male\r";
}

struct IngestTest : ::testing::Test {
  IngestTest() {
    std::string pattern = (fs::temp_directory_path() / "weir_ingest_XXXXXX").string();
    folder = mkdtemp(pattern.data());
    fs::create_directories(folder + "/in");
    hub = std::move(*hub::Hub::Open({.path = folder + "/hub.db", .key_file = {}}));
  }
  ~IngestTest() override { fs::remove_all(folder); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder + "/in/" + name, std::ios::binary) << text;
  }
  RunReport Run() {
    auto report = RunFiles({folder + "/in"}, engine, *hub, options);
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : RunReport{};
  }
  std::string Map() {
    std::ostringstream out;
    EXPECT_TRUE(MapFiles({folder + "/in"}, engine, out, options));
    return out.str();
  }
  std::string Export() {
    std::ostringstream out;
    EXPECT_TRUE(hub->Export(out));
    return out.str();
  }

  std::string folder;
  TinyEngine engine;
  IngestOptions options;
  std::unique_ptr<hub::Hub> hub;
};

TEST_F(IngestTest, EveryNonBlankByteIsAccountedFor) {
  Write("a.hl7", "junk first\nFHS|^~\\&|x\nBHS|^~\\&|x\n" + Message("1", "7") + "\r\n" +
                     Message("2", "") + Message("3", "8", "X", "ORU^R01") + "MSH|\r" +
                     "BTS|9\rFTS|1\r");
  Write("b.hl7", Message("1", "7"));
  const RunReport report = Run();
  EXPECT_EQ(report.records, 6u);
  const hub::Counts tiny = report.ledger.at("tiny"), unrouted = report.ledger.at("_unrouted");
  EXPECT_EQ(tiny.received, 3);
  EXPECT_EQ(tiny.applied, 1);
  EXPECT_EQ(tiny.duplicate, 1);
  EXPECT_EQ(tiny.schema, 1);
  EXPECT_EQ(unrouted.received, 3);  // junk, ORU, a header that is none
  EXPECT_EQ(unrouted.schema, 3);
  std::vector<std::string> codes;
  const auto letters = hub->DeadLetters();
  for (const hub::DeadLetter& letter : *letters) {
    codes.push_back(letter.code);
  }
  EXPECT_EQ(codes, (std::vector<std::string>{"junk", "required", "unrouted", "header"}));
  EXPECT_TRUE(hub->Verify()->faults.empty());
}

TEST_F(IngestTest, ASecondRunAddsDuplicatesOnlyAndTransformsNothing) {
  Write("a.hl7", Message("1", "7") + Message("2", "8"));
  Run();
  const std::string digest = *hub->Digest();
  const uint32_t transforms = engine.transforms;
  const RunReport report = Run();
  EXPECT_EQ(report.ledger.at("tiny").duplicate, 2);
  EXPECT_EQ(engine.transforms, transforms);
  EXPECT_EQ(*hub->Digest(), digest);
}

// The kernel is asked again for a copy that counts before the stored one, though its content is
// known.
TEST_F(IngestTest, AnEarlierCopyReplacesTheLaterOne) {
  std::string later = Message("1", "7"), earlier = later;
  later.replace(later.find("20240101"), 8, "20240102");
  Write("a.hl7", later);
  Run();
  Write("a.hl7", earlier);
  const uint32_t transforms = engine.transforms;
  EXPECT_EQ(Run().ledger.at("tiny").applied, 1);
  EXPECT_EQ(engine.transforms, transforms + 1);
  const hub::Counts total = (*hub->ReadLedger())["tiny"];
  EXPECT_EQ(total.applied, 1);
  EXPECT_EQ(total.duplicate, 1);
  EXPECT_TRUE(hub->Verify()->faults.empty());
}

TEST_F(IngestTest, CharsetsAreDecodedBeforeTheKernelAndTheRawIsKept) {
  const std::string latin = Message("1", "7", "J\xF6rg");
  std::string declared = latin;
  declared.replace(declared.find("|2.5\r"), 5, "|2.5||||||8859/1\r");
  Write("a.hl7", declared);
  Write("b.hl7", Message("2", "8", "J\xF6rg"));  // undeclared, not UTF-8
  Run();
  EXPECT_NE(Export().find("J\xC3\xB6rg"), std::string::npos);
  const auto letters = *hub->DeadLetters();
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].error_class + "/" + letters[0].code + "/" + letters[0].path,
            "schema/charset/MSH-18");
  EXPECT_NE((*hub->DeadLetterRaw(letters[0].id))->find("J\xF6rg"), std::string::npos);
}

TEST_F(IngestTest, BuffersGrowAndTheirBoundsAreDeadLetters) {
  Write("a.hl7",
        Message("1", "7", std::string(3u << 20, 'x')));  // beyond the first output and scratch
  Run();
  EXPECT_GT(Export().size(), 3u << 20);
  options.scratch_bytes_max = 1u << 20;
  Write("b.hl7", Message("2", "8", std::string(4u << 20, 'x')));
  EXPECT_EQ(Run().ledger.at("tiny").transform, 1);
  EXPECT_EQ(hub->DeadLetters()->front().code, "limit");
}

TEST_F(IngestTest, AStopLeavesAConsistentHubAndTheNextRunFinishes) {
  std::string text;
  for (int i = 1; i <= 50; ++i) {
    text += Message(std::to_string(i), std::to_string(i));
  }
  Write("a.hl7", text);
  std::atomic<bool> stop = false;
  options.batch = 10;
  options.stop = &stop;
  options.progress = [&](const Progress& progress) { stop = progress.records >= 20; };
  const RunReport report = Run();
  EXPECT_TRUE(report.stopped);
  EXPECT_EQ(report.records, 20u);
  EXPECT_TRUE(hub->Verify()->faults.empty());
  options.stop = nullptr;
  options.progress = nullptr;
  const RunReport rest = Run();
  EXPECT_EQ(rest.ledger.at("tiny").applied, 30);
  EXPECT_EQ(rest.ledger.at("tiny").duplicate, 20);
}

TEST_F(IngestTest, MapWritesOneLinePerRecord) {
  Write("a.hl7", Message("1", "7") + "junk\r" + Message("2", "") + Message("3", "8"));
  const std::string source = "{\"source\":\"" + folder + "/in/a.hl7\",\"index\":";
  // A line inside a message belongs to it, so `junk` is no record of its own.
  EXPECT_EQ(
      Map(),
      source +
          R"(0,"resources":[{"resourceType":"Patient","id":"00000000000000000000000000000007","gender":"male","note":"DOE"}]})" +
          "\n" + source + R"(1,"error":{"class":"schema","code":"required","path":"PID-3"}})" +
          "\n" + source +
          R"(2,"resources":[{"resourceType":"Patient","id":"00000000000000000000000000000008","gender":"male","note":"DOE"}]})" +
          "\n");
}

TEST_F(IngestTest, MissingPathsAreSaidBeforeAnythingIsRead) {
  EXPECT_FALSE(RunFiles({folder + "/in", folder + "/nowhere"}, engine, *hub, options));
  EXPECT_FALSE(hub->ReadLedger()->contains("tiny") && (*hub->ReadLedger())["tiny"].received > 0);
}

// All 760 files of real senders: nothing lost, nothing but duplicates the second time.
TEST_F(IngestTest, RealFilesBalance) {
  const char* shared = std::getenv("WEIR_SHARED");
  const std::string data =
      (shared ? shared : WEIR_SOURCE_DIR "/../shared") + std::string("/data/hl7v2");
  if (!fs::exists(data)) {
    GTEST_SKIP() << "no real files at " << data;
  }
  const auto first = RunFiles({data}, engine, *hub, options);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_GT(first->records, 760u);
  EXPECT_TRUE(first->unreadable.empty());
  int64_t received = 0;
  for (const auto& [feed, counts] : first->ledger) {
    EXPECT_TRUE(counts.Balanced()) << feed;
    received += counts.received;
  }
  EXPECT_EQ(static_cast<uint64_t>(received), first->records);
  const std::string digest = *hub->Digest();
  const auto second = RunFiles({data}, engine, *hub, options);
  for (const auto& [feed, counts] : second->ledger) {
    EXPECT_EQ(counts.received, counts.duplicate) << feed;
  }
  EXPECT_EQ(*hub->Digest(), digest);
  const auto report = hub->Verify();
  EXPECT_TRUE(report->faults.empty()) << report->faults.front();
  std::cout << "records " << first->records << ", resources " << report->resources << "\n";
}

}  // namespace
}  // namespace weir::ingest
