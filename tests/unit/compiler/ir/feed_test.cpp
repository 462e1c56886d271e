// One small feed, from bytes to probe and contributions.
#include <gtest/gtest.h>

#include <cstring>

#include "compiler/ir/interp/interp.h"
#include "compiler/ir/interp/text.h"
#include "compiler/ir/manifest.h"

namespace weir::ir {
namespace {

std::string Field(const std::string& segment, int n) {
  return "(text:System.String ? (field:v2.CX ? #" + std::to_string(n) + " (segments:v2.segment." +
         segment + " ? \"" + segment + "\" (message:v2.message 1))))";
}

std::string Source() {
  return "(module \"east\" \"1\" \"d1\")(zone \"UTC\" #-5000000000 #0)"
         "(site \"schema\" \"required\" \"PID-3\" #0)(map \"patient\" \"Patient\" \"patch\" #1 #0)"
         "(feed \"adt\" \"1.0.0\" \"\" #0 #600 #-1 #4 (accept \"ADT^*\") (processing \"P\") "
         "(versions \"2.5.1\") (except \"MSH-7\")"
         "(route (binary:System.Boolean ? \"=\" " +
         Field("MSH", 4) +
         " (lit:System.String 1 \"EAST\")))"
         "(key " +
         Field("MSH", 3) + ")(key " + Field("MSH", 10) + ")(order " + Field("EVN", 2) + ")(order " +
         Field("MSH", 7) +
         ")"
         "(suppress (binary:System.Boolean ? \"=\" " +
         Field("PV1", 2) +
         " (lit:System.String 1 \"T\")))"
         "(transform (seq:emit * (require:emit * #0 (call:System.Boolean 1 \"exists\" #1 " +
         Field("PID", 3) +
         "))"
         " (let:emit * #0 (key:System.String ? \"Patient/mrn\" #0 " +
         Field("PID", 3) +
         ") (seq:emit *"
         "  (when:emit * (binary:System.Boolean ? \"=\" (event:System.String ?) (lit:System.String "
         "1 \"A11\"))"
         "    (retract:emit * \"Patient\" #0 (var:System.String ? #0) (binary:System.String * "
         "\"|\" (lit:System.String 1 \"A01\") (lit:System.String 1 \"A04\"))))"
         "  (when:emit * (binary:System.Boolean ? \"!=\" (event:System.String ?) "
         "(lit:System.String 1 \"A11\"))"
         "  (contribute:emit * \"patch Patient\" #0 (var:System.String ? #0) (event:System.String "
         "?)"
         "   (object:emit * (member:emit * \"resourceType\" (json:emit * \"\\\"Patient\\\"\"))"
         "    (member:emit * \"id\" (primitive:emit * \"id\" #0 (var:System.String ? #0)))"
         "    (member:emit * \"gender\" (primitive:emit * \"code\" #0 " +
         Field("PID", 8) +
         "))))))))))"
         "(order \"Patient\" \"resourceType\" \"id\" \"gender\")";
}

class FeedTest : public testing::Test {
 protected:
  FeedTest() {
    auto error = Parse(Source(), &module_);
    EXPECT_EQ(error, std::nullopt);
    EXPECT_EQ(Verify(module_), std::nullopt);
    kernel_ = std::make_unique<InterpretedKernel>(module_, EvalOptions{});
    for (uint8_t i = 0; i < 16; ++i) {
      snapshot_.namespace_key[i] = i;
    }
    output_.bytes = bytes_;
    output_.capacity = sizeof(bytes_);
    output_.items = items_;
    output_.item_capacity = 4;
    output_.keys = keys_;
    output_.key_capacity = 4;
  }
  weir_input Input(const std::string& message) {
    return {sizeof(weir_input), 0, reinterpret_cast<const uint8_t*>(message.data()),
            static_cast<uint32_t>(message.size()), nullptr};
  }
  weir_status Probe(const std::string& message) {
    return kernel_->Probe(Input(message), snapshot_, &output_, &probe_);
  }
  weir_status Transform(const std::string& message) {
    return kernel_->Transform(0, Input(message), snapshot_, &output_);
  }
  std::string Bytes(uint32_t offset, uint32_t size) const {
    return {reinterpret_cast<const char*>(bytes_) + offset, size};
  }
  std::string Digest() const { return {reinterpret_cast<const char*>(probe_.content_digest), 16}; }

  static std::string Message(const char* event, const char* time = "20240102030405",
                             const char* pid = "123", const char* tail = "") {
    return std::string("MSH|^~\\&|APP|EAST|||") + time + "||ADT^" + event + "|C1|P|2.5.1" + tail +
           "\rEVN||20240102\rPID|||" + pid + "|||||F\r";
  }

  Module module_;
  std::unique_ptr<InterpretedKernel> kernel_;
  weir_snapshot snapshot_{sizeof(weir_snapshot), {}, nullptr, 0};
  uint8_t bytes_[4096];
  weir_contribution items_[4];
  weir_key keys_[4];
  weir_output output_{};
  weir_probe probe_{};
};

TEST_F(FeedTest, ProbeIdentifiesAndOrders) {
  ASSERT_EQ(Probe(Message("A01")), WEIR_OK);
  EXPECT_EQ(probe_.feed, 0u);
  EXPECT_EQ(Bytes(probe_.event_offset, probe_.event_size), "ADT^A01");
  EXPECT_EQ(Bytes(probe_.key_offset, probe_.key_size), std::string("\3\0\0\0APP\2\0\0\0C1", 13));
  EXPECT_EQ(probe_.event_time_us, 1704153600000000);  // 2024-01-02T00:00Z
  std::string order = Bytes(probe_.order_offset, probe_.order_size);
  EXPECT_EQ(ToHex(order.substr(0, 12)),
            "80060deb2df88000"
            "00"
            "4331"
            "00");
  EXPECT_EQ(order.substr(12), Digest());
}

TEST_F(FeedTest, UndoComesAfterDoOfTheSameTime) {
  ASSERT_EQ(Probe(Message("A01")), WEIR_OK);
  std::string doing = Bytes(probe_.order_offset, probe_.order_size);
  ASSERT_EQ(Probe(Message("A11")), WEIR_OK);
  std::string undoing = Bytes(probe_.order_offset, probe_.order_size);
  EXPECT_EQ(undoing[8], 1);
  EXPECT_LT(doing, undoing);
}

TEST_F(FeedTest, DigestIgnoresTransportFieldsAndEmptyTails) {
  Probe(Message("A01"));
  std::string first = Digest();
  Probe(Message("A01", "20240109999999"));
  EXPECT_EQ(Digest(), first);
  Probe(Message("A01", "20240102030405", "123", "||^| "));
  EXPECT_EQ(Digest(), first);
  Probe(Message("A01", "20240102030405", "124"));
  EXPECT_NE(Digest(), first);
  Probe(Message("A02"));
  EXPECT_NE(Digest(), first);
}

TEST_F(FeedTest, RoutesByEveryCondition) {
  auto replaced = [](const char* from, const char* to) {
    std::string text = Message("A01");
    text.replace(text.find(from), std::strlen(from), to);
    return text;
  };
  EXPECT_EQ(Probe(replaced("EAST", "WEST")), WEIR_UNROUTED);
  EXPECT_EQ(probe_.feed, UINT32_MAX);
  EXPECT_EQ(Probe(replaced("|P|", "|T|")), WEIR_UNROUTED);
  EXPECT_EQ(Probe(replaced("2.5.1", "2.9")), WEIR_UNROUTED);
  EXPECT_EQ(Probe(replaced("ADT", "ORU")), WEIR_UNROUTED);
  EXPECT_EQ(Probe("garbage"), WEIR_UNROUTED);
  EXPECT_EQ(Probe(Message("A01") + "PV1||T\r"), WEIR_SUPPRESSED);
}

TEST_F(FeedTest, TransformContributes) {
  ASSERT_EQ(Transform(Message("A01")), WEIR_OK);
  ASSERT_EQ(output_.item_count, 1u);
  EXPECT_EQ(items_[0].op, WEIR_OP_PATCH);
  std::string id(items_[0].id, 32);
  EXPECT_EQ(Bytes(items_[0].tag_offset, items_[0].tag_size), "A01");
  EXPECT_EQ(Bytes(items_[0].body_offset, items_[0].body_size),
            "{\"resourceType\":\"Patient\",\"id\":\"" + id + "\",\"gender\":\"F\"}");
  ASSERT_EQ(Transform(Message("A11")), WEIR_OK);
  ASSERT_EQ(output_.item_count, 1u);
  EXPECT_EQ(items_[0].op, WEIR_OP_RETRACT);
  EXPECT_EQ(std::string(items_[0].id, 32), id);
  EXPECT_EQ(Bytes(items_[0].tag_offset, items_[0].tag_size), "A01,A04");
}

// Digests by another implementation of SipHash-2-4-128, of "east" "Patient" "mrn" "123", of "east"
// "Encounter" "visit" "V7", and of these two.
TEST_F(FeedTest, AKeyWithinAnotherIsAHashOfTheParentsIdAndItsOwnDigest) {
  Module module;
  auto error = Parse(
      "(module \"east\" \"1\" \"d1\")(map \"visit\" \"Encounter\" \"patch\" #1 #0)(feed \"adt\" "
      "\"1.0.0\" \"\" #-1 #-1 #-1 #1 (accept \"ADT^*\")"
      "(transform (let:emit * #0 (key:System.String ? \"Encounter/visit\" #1 (key:System.String ? "
      "\"Patient/mrn\" #0 " +
          Field("PID", 3) + ") " + Field("PV1", 19) +
          ") (contribute:emit * \"patch Encounter\" #0 (var:System.String ? #0) "
          "(event:System.String ?) (object:emit * (member:emit * \"resourceType\" (json:emit * "
          "\"\\\"Encounter\\\"\")) (member:emit * \"subject\" (reference:emit * \"Patient\" "
          "(key:System.String ? \"Patient/mrn\" #0 " +
          Field("PID", 3) + "))))))))",
      &module);
  ASSERT_EQ(error, std::nullopt);
  ASSERT_EQ(Verify(module), std::nullopt);
  InterpretedKernel kernel(module, {});
  ASSERT_EQ(kernel.Transform(0, Input(Message("A01") + "PV1|" + std::string(18, '|') + "V7\r"),
                             snapshot_, &output_),
            WEIR_OK);
  ASSERT_EQ(output_.item_count, 1u);
  EXPECT_EQ(std::string(items_[0].id, 32), "c4b36880c09841753ef7016f964c4917");
  ASSERT_EQ(output_.key_count, 1u);
  EXPECT_EQ(std::string(keys_[0].id, 32), "c4b36880c09841753ef7016f964c4917");
  EXPECT_EQ(std::string(keys_[0].parent, 32), "647564dcd18d6323c8016d90447b486c");
  EXPECT_EQ(ToHex({reinterpret_cast<const char*>(keys_[0].own), 16}),
            "b907f10d7bded1f8ae59372718e1b47d");
  EXPECT_NE(Bytes(items_[0].body_offset, items_[0].body_size)
                .find("Patient/647564dcd18d6323c8016d90447b486c"),
            std::string::npos);
  const auto types = ResourceTypes(module);
  EXPECT_EQ(types, (std::vector<std::string>{"Encounter", "Patient"}));
  EXPECT_EQ(keys_[0].type, 0u);
  EXPECT_EQ(keys_[0].parent_type, 1u);
}

TEST_F(FeedTest, RejectionNamesTheSiteAndLeavesNothing) {
  EXPECT_EQ(Transform(Message("A01", "20240102030405", "")), WEIR_REJECTED);
  EXPECT_EQ(output_.site, 0u);
  EXPECT_EQ(output_.item_count, 0u);
}

TEST_F(FeedTest, SmallBuffersAskForMore) {
  output_.capacity = 20;
  EXPECT_EQ(Transform(Message("A01")), WEIR_OUTPUT_FULL);
  EXPECT_EQ(Probe(Message("A01")), WEIR_OUTPUT_FULL);
  output_.capacity = sizeof(bytes_);
  output_.item_capacity = 0;
  EXPECT_EQ(Transform(Message("A01")), WEIR_OUTPUT_FULL);
}

TEST_F(FeedTest, LimitsRejectTheRecord) {
  EvalOptions small;
  small.max_output = 30;
  InterpretedKernel kernel(module_, small);
  EXPECT_EQ(kernel.Transform(0, Input(Message("A01")), snapshot_, &output_), WEIR_LIMIT);
  EXPECT_EQ(output_.site, LimitSite(module_));
}

TEST_F(FeedTest, TraceSaysWhatEachLineWrote) {
  struct Log : TraceObserver {
    void OnNode(const TraceEntry& entry) override {
      text += entry.node->text + (entry.wrote ? "=" + entry.text : "-") + ";";
    }
    std::string text;
  } log;
  std::string message = Message("A01");
  message.resize(message.find("|F\r"));
  kernel_->Transform(0, Input(message), snapshot_, &output_, &log);
  std::string id(items_[0].id, 32);
  EXPECT_EQ(log.text, "=;resourceType=\"Patient\";id=\"" + id +
                          "\";gender-;patch Patient={\"resourceType\":\"Patient\",\"id\":\"" + id +
                          "\"};");
}

TEST_F(FeedTest, ManifestListsOrdinals) {
  EXPECT_EQ(
      kernel_->manifest(),
      R"({"package":"east","edition":"1","semantic_digest":"d1","feeds":[{"name":"adt","version":"1.0.0","late_seconds":600,"future_seconds":-1,)"
      R"("accept":["ADT^*"],"processing":["P"],"acknowledge_errors":false}],)"
      R"("maps":[{"name":"patient","type":"Patient","merge":"patch","precedence":1,"snapshot":false}],)"
      R"("types":[{"name":"Patient","order":["resourceType","id","gender"]}],)"
      R"("sites":[{"class":"schema","code":"required","path":"PID-3","degrade":false},{"class":"transform","code":"cardinality","path":"","degrade":false},)"
      R"({"class":"transform","code":"limit","path":"","degrade":false}],"tables":[]})");
}

}  // namespace
}  // namespace weir::ir
