#include "runtime/serve/ack.h"

#include <gtest/gtest.h>

namespace weir::serve {
namespace {

constexpr int64_t kTime = 1'704'110'400'000'000;  // 2024-01-01T12:00:00Z
constexpr std::string_view kTail = "\rEVN|A01\r";

Acknowledgements Answer(const std::string& header, const Verdict& verdict) {
  return Acknowledge(ReadHeader(header + std::string(kTail)), verdict, {kTime, "W1"});
}

// HL7 v2.5.1 chapter 2.15: sender and receiver change places, MSA-2 is the control id, MSH-9 is ACK^event^ACK.
TEST(AckTest, OriginalMode) {
  const auto made = Answer("MSH|^~\\&|SA|SF|RA|RF|2024||ADT^A01^ADT_A01|77|P|2.5.1", {});
  EXPECT_EQ(made.accept, "");
  EXPECT_EQ(made.application, "MSH|^~\\&|RA|RF|SA|SF|20240101120000+0000||ACK^A01^ACK|W10|P|2.5.1\rMSA|AA|77\r");
  EXPECT_EQ(CodeOf(made.application), "AA");
}

TEST(AckTest, ErrorsInTheShapeOfTheVersion) {
  const Verdict verdict{.fate = Fate::kRejected, .error = 200, .location = "MSH-9", .code = "schema/unrouted"};
  const auto current = Answer("MSH|^~\\&|SA|SF|RA|RF|2024||ADT^A01^ADT_A01|77|P|2.5", verdict);
  EXPECT_TRUE(current.application.ends_with("\rMSA|AR|77\rERR||MSH^1^9|200^Unsupported message type^HL70357|E|schema/unrouted\r"))
      << current.application;
  const auto old = Answer("MSH#*~\\&#SA#SF#RA#RF#2024##ADT*A01#77#P#2.3", verdict);
  EXPECT_TRUE(old.application.ends_with("\rMSA#AR#77\rERR#MSH*1*9*200&Unsupported message type&HL70357\r")) << old.application;
  EXPECT_NE(old.application.find("##ACK#W10#P#2.3\r"), std::string::npos) << old.application;
}

TEST(AckTest, NotStoredIsSilenceOrCommitError) {
  const Verdict verdict{.fate = Fate::kNotStored, .error = 207};
  EXPECT_EQ(Answer("MSH|^~\\&|||||||ADT^A01|1|P|2.5", verdict).application, "");
  const auto enhanced = Answer("MSH|^~\\&|||||||ADT^A01|1|P|2.5|||AL|AL", verdict);
  EXPECT_EQ(CodeOf(enhanced.accept), "CE");
  EXPECT_EQ(enhanced.application, "");
}

TEST(AckTest, NullConditionsAreOriginalMode) {
  EXPECT_FALSE(ReadHeader("MSH|^~\\&|||||||ADT^A01|1|P|2.5|||\"\"|\"\"").Enhanced());
  EXPECT_TRUE(ReadHeader("MSH|^~\\&|||||||ADT^A01|1|P|2.5||||NE").Enhanced());
}

TEST(AckTest, NoUsableHeader) {
  for (const char* text : {"", "MSH", "MSH|", "PID|1", "MSHA^~\\&|", "MSH|abc|", "MSH||a", "BHS|^~\\&|"}) {
    EXPECT_FALSE(ReadHeader(text).usable) << text;
  }
  const auto made = Acknowledge(ReadHeader("PID|1"), {.fate = Fate::kRejected, .error = 100}, {kTime, "W1"});
  EXPECT_EQ(made.application, "MSH|^~\\&|||||20240101120000+0000||ACK|W10|P|2.5.1\rMSA|AR\rERR|||100^Segment sequence error^HL70357|E\r");
}

TEST(AckTest, TypeEventAndProcessingIdAreTheSendersToMend) {
  hub::Manifest manifest;
  manifest.feeds.push_back({.name = "a", .version = "", .accept = {"ADT^A01"}, .processing = {"P"}});
  manifest.feeds.push_back({.name = "b", .version = "", .accept = {"ORU^*"}, .processing = {}});
  hub::Record record;
  record.status = WEIR_UNROUTED;
  const auto error = [&](std::string type, std::string processing) {
    return Judge(record, ReadHeader("MSH|^~\\&|||||||" + type + "|1|" + processing + "|2.5"), manifest, {}).error;
  };
  EXPECT_EQ(error("ADT^A01", "P"), 0);  // a feed takes it in principle: the route or the version is ours to mend
  EXPECT_EQ(error("ADT^A02", "P"), 201);
  EXPECT_EQ(error("ADT^A01", "T"), 202);
  EXPECT_EQ(error("MDM^T02", "P"), 200);
  EXPECT_EQ(error("ORU^R01", "D"), 0);
}

TEST(AckTest, DeadLettersAreOursUnlessTheFeedTells) {
  hub::Manifest manifest;
  manifest.feeds.push_back({.name = "quiet", .version = ""});
  manifest.feeds.push_back({.name = "tells", .version = "", .acknowledge_errors = true});
  hub::Record record;
  record.status = WEIR_REJECTED;
  record.rejection = {"transform", "key", ""};
  const Header header = ReadHeader("MSH|^~\\&|||||||ADT^A01|1|P|2.5");
  record.feed = 0;
  EXPECT_EQ(Judge(record, header, manifest, record.rejection).fate, Fate::kStored);
  record.feed = 1;
  EXPECT_EQ(Judge(record, header, manifest, record.rejection).fate, Fate::kError);
  EXPECT_EQ(Judge(record, header, manifest, {}).fate, Fate::kStored);
}

}  // namespace
}  // namespace weir::serve
