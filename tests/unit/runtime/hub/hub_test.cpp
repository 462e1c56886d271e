#include "runtime/hub/hub.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/unit/runtime/hub/fake_feed.h"

namespace weir::hub::testing {
namespace {

FakeMessage About(const char* key, int64_t time, uint32_t who, std::string members,
                  const char* event = "A01") {
  FakeMessage m;
  m.key = key;
  m.time = time;
  m.event = event;
  m.items = {{WEIR_OP_PATCH, kPatientMap, who, std::move(members)}};
  return m;
}
FakeMessage Visit(const char* key, int64_t time, uint32_t who, uint32_t visit) {
  FakeMessage m = About(key, time, who, R"("active":true)");
  m.items.push_back({WEIR_OP_PATCH, kVisitMap, visit,
                     R"("subject":{"reference":"Patient/)" + FakeId(who) + "\"}"});
  return m;
}
FakeMessage Merge(const char* key, int64_t time, uint32_t loser, uint32_t survivor) {
  FakeMessage m;
  m.key = key;
  m.time = time;
  m.event = "A40";
  m.items = {{WEIR_OP_ALIAS, kMergeMap, loser, {}, survivor}};
  return m;
}
std::string Patient(uint32_t who, const std::string& members) {
  return R"({"resourceType":"Patient","id":")" + FakeId(who) + "\"," + members + "}\n";
}

struct Fixture : ::testing::Test {
  HubFile file;
  std::unique_ptr<Hub> hub = file.Open();

  Counts Adt() { return (*hub->ReadLedger())["adt"]; }
  void ExpectSound() {
    const auto report = hub->Verify();
    for (const std::string& fault : report->faults) {
      ADD_FAILURE() << fault;
    }
  }
};
using HubTest = Fixture;

TEST_F(HubTest, AppliesAndPatches) {
  ApplyAll(*hub, {About("1", 1, 1, R"("gender":"male","birthDate":"1970")"),
                  About("2", 2, 1, R"("gender":null)")});
  EXPECT_EQ(ExportText(*hub), Patient(1, R"("birthDate":"1970")"));
  EXPECT_EQ(Adt().applied, 2);
  ExpectSound();
}

TEST_F(HubTest, ALateMessageIsFoldedWhereItBelongsAndCounted) {
  ApplyAll(*hub, {About("1", 1000, 1, R"("gender":"male")"),
                  About("2", 5, 1, R"("gender":"other","birthDate":"1970")")});
  EXPECT_EQ(ExportText(*hub), Patient(1, R"("gender":"male","birthDate":"1970")"));
  EXPECT_EQ(Adt().late, 1);  // `late after` is 60 s
  ExpectSound();
}

TEST_F(HubTest, SameKeySameContentIsADuplicateAtAnyAge) {
  const FakeMessage m = About("1", 1, 1, R"("gender":"male")");
  ApplyAll(*hub, {m, m, About("2", 2, 2, R"("gender":"male")"), m}, 2);
  EXPECT_EQ(Adt().received, 4);
  EXPECT_EQ(Adt().applied, 2);
  EXPECT_EQ(Adt().duplicate, 2);
  ExpectSound();
}

TEST_F(HubTest, SameKeyOtherContentIsAppliedAndCounted) {
  ApplyAll(*hub, {About("1", 1, 1, R"("gender":"male")"), About("1", 2, 1, R"("birthDate":"1970")"),
                  About("1", 3, 2, R"("active":true)")});
  EXPECT_EQ(Adt().applied, 3);
  EXPECT_EQ(Adt().key_reused, 2);
  ExpectSound();
}

TEST_F(HubTest, OfCopiesTheLeastOrderKeyCountsWhicheverCameFirst) {
  FakeMessage early = About("1", 1, 1, R"("gender":"male")"), later = early;
  early.transport = 1;
  later.transport = 2;
  ApplyAll(*hub, {later, early});
  EXPECT_EQ(Adt().applied, 1);
  EXPECT_EQ(Adt().duplicate, 1);
  const std::string digest = *hub->Digest();
  const HubFile other;
  const auto second = other.Open();
  ApplyAll(*second, {early, later});
  EXPECT_EQ(*second->Digest(), digest);
  ExpectSound();
}

TEST_F(HubTest, RejectedRecordsBecomeDeadLettersOnce) {
  FakeMessage m;
  m.key = "1";
  m.status = WEIR_REJECTED;
  m.rejection = {"terminology", "code", "PV1-2"};
  FakeMessage junk;
  junk.status = WEIR_UNROUTED;
  junk.rejection = {"schema", "junk", {}};
  ApplyAll(*hub, {m, m, junk});
  const auto letters = *hub->DeadLetters();
  ASSERT_EQ(letters.size(), 2u);
  EXPECT_EQ(letters[0].error_class + "/" + letters[0].code + "/" + letters[0].path,
            "terminology/code/PV1-2");
  EXPECT_EQ(letters[0].semantic_digest, "d1");
  EXPECT_EQ(letters[1].feed, "_unrouted");
  EXPECT_EQ(**hub->DeadLetterRaw(letters[0].id), m.Raw());
  EXPECT_EQ(Adt().terminology, 1);
  EXPECT_EQ(Adt().duplicate, 1);
  EXPECT_EQ((*hub->ReadLedger())["_unrouted"].schema, 1);
  ExpectSound();
}

TEST_F(HubTest, SuppressedIsCountedButItsBytesAreNotKept) {
  FakeMessage m;
  m.salt = "needle-in-the-file";
  m.status = WEIR_SUPPRESSED;
  FakeMessage copy = m;
  copy.transport = 4;
  ApplyAll(*hub, {m, copy});
  EXPECT_EQ(Adt().suppressed, 1);
  EXPECT_EQ(Adt().duplicate, 1);
  ExpectSound();
  hub.reset();
  for (const char* end : {"", "-wal"}) {
    if (!std::filesystem::exists(file.path() + end)) {
      continue;
    }
    std::ifstream in(file.path() + end, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    EXPECT_EQ(bytes.find("needle-in-the-file"), std::string::npos);
  }
}

TEST_F(HubTest, MergesEarlierAndLaterMessagesAlikeAndReferencesFollow) {
  FakeMessage stay = About("2", 2, 2, R"("birthDate":"1970")");
  stay.items.push_back(
      {WEIR_OP_PATCH, kEncounterMap, 100,
       R"("status":"finished","subject":{"reference":"Patient/)" + FakeId(2) + "\"}"});
  ApplyAll(*hub, {About("1", 1, 1, R"("gender":"male")"), stay, Merge("3", 3, 2, 1),
                  About("4", 4, 2, R"("active":true)")});
  EXPECT_EQ(ExportText(*hub, "Patient"),
            Patient(1, R"("active":true,"gender":"male","birthDate":"1970")"));
  EXPECT_NE(ExportText(*hub, "Encounter").find("Patient/" + FakeId(1)), std::string::npos);
  ExpectSound();
  FakeMessage undo = Merge("5", 5, 2, 1);
  undo.event = "A37";
  undo.items[0].op = WEIR_OP_RETRACT;
  ApplyAll(*hub, {undo});
  EXPECT_EQ(ExportText(*hub, "Patient"),
            Patient(1, R"("gender":"male")") + Patient(2, R"("active":true,"birthDate":"1970")"));
  EXPECT_NE(ExportText(*hub, "Encounter").find("Patient/" + FakeId(2)), std::string::npos);
  ExpectSound();
}

TEST_F(HubTest, MergesFollowChainsAndTheLatestOfACircleStands) {
  ApplyAll(*hub,
           {About("1", 1, 1, R"("gender":"male")"), About("2", 1, 2, R"("active":true)"),
            About("3", 1, 3, R"("birthDate":"1970")"), Merge("4", 4, 1, 2), Merge("5", 5, 2, 3)});
  EXPECT_EQ(ExportText(*hub), Patient(3, R"("active":true,"gender":"male","birthDate":"1970")"));
  ApplyAll(*hub,
           {Merge("6", 6, 3, 1)});  // now 1 -> 2 is the least: it gives way and 1 is the survivor
  EXPECT_EQ(ExportText(*hub), Patient(1, R"("active":true,"gender":"male","birthDate":"1970")"));
  ExpectSound();
}

TEST_F(HubTest, AVisitKeyOfAnotherPatientIsADeadLetterWhoeverCameFirst) {
  ApplyAll(*hub, {Visit("2", 20, 2, 200)});
  EXPECT_EQ(Adt().applied, 1);
  ApplyAll(*hub,
           {Visit("1", 10, 1, 200)});  // earlier: it holds the key, and the applied one is refused
  EXPECT_EQ(Adt().applied, 1);
  EXPECT_EQ(Adt().transform, 1);
  ASSERT_EQ(hub->DeadLetters()->size(), 1u);
  EXPECT_EQ(hub->DeadLetters()->front().code, "identity");
  EXPECT_EQ(ExportText(*hub, "Patient"), Patient(1, R"("active":true)"));
  ExpectSound();
  ApplyAll(*hub, {Merge("3", 30, 2, 1)});  // one patient after all
  EXPECT_EQ(Adt().transform, 0);
  EXPECT_EQ(Adt().applied, 3);
  EXPECT_TRUE(hub->DeadLetters()->empty());
  ExpectSound();
}

TEST_F(HubTest, AReaderWithoutAKernelVerifiesByTheArchivedElementOrder) {
  ApplyAll(*hub, {About("1", 1, 1, R"("birthDate":"1970")"), About("2", 2, 1, R"("active":true,"gender":"male")")});
  hub.reset();
  const auto report = file.Open(/*read_only=*/true, /*bind=*/false)->Verify();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->faults, std::vector<std::string>());
}

TEST_F(HubTest, EachRecordTellsTheLatestOutcomeInOrderOfArrival) {
  FakeMessage refused = About("2", 2, 2, {});
  refused.status = WEIR_REJECTED;
  refused.rejection = {"schema", "required", "PID-3"};
  const FakeMessage m = About("1", 1, 1, R"("gender":"male")");
  ApplyAll(*hub, {m, refused, m});
  std::string told;
  const auto done = hub->EachRecord([&](const RecordOutcome& record) {
    told += record.feed + " " + std::string(record.outcome) + " " + record.code + " " + record.path + " " +
            std::to_string(record.contributions) + "\n";
  });
  ASSERT_TRUE(done);
  EXPECT_EQ(told, "adt applied   1\nadt schema required PID-3 0\nadt duplicate   0\n");
}

TEST_F(HubTest, RunLedgerCountsThisRunsRecordsOnly) {
  const FakeMessage m = About("1", 1, 1, R"("gender":"male")");
  hub->BeginRun();
  ApplyAll(*hub, {m});
  hub->BeginRun();
  ApplyAll(*hub, {m, About("2", 2, 1, R"("active":true)")});
  EXPECT_EQ(hub->RunLedger()["adt"].received, 2);
  EXPECT_EQ(hub->RunLedger()["adt"].duplicate, 1);
  EXPECT_EQ(Adt().received, 3);
  EXPECT_EQ(
      LedgerJson(hub->RunLedger()),
      R"({"feeds":{"adt":{"received":2,"applied":1,"duplicate":1,"suppressed":0,"rejected":{"schema":0,"terminology":0,"policy":0,"transform":0},)"
      R"("in_flight":0,"late":0,"key_reused":0,"degraded":0,"omitted":0}}})");
}

std::string Hl7(const std::string& control_id, const std::string& patient, const std::string& sender = "EAST") {
  return "MSH|^~\\&|APP|" + sender + "^1|B|C|20240101||ADT^A01|" + control_id + "|P|2.5\rPID|1||" + patient + "||DOE^JANE\r";
}

TEST_F(HubTest, FindsByIdIdentifierAndControlIdWithWhatRefersToIt) {
  FakeMessage m = About("1", 1, 7, R"("identifier":[{"system":"urn:x","value":"MRN\"7"}])");
  m.items.push_back({WEIR_OP_PATCH, kEncounterMap, 100, R"("identifier":[{"value":"V100"}],"subject":{"reference":"Patient/)" + FakeId(7) + "\"}"});
  m.bytes = Hl7("CONTROL-1", "MRN7");
  ApplyAll(*hub, {m, About("2", 2, 8, R"("identifier":[{"value":"8"}])")});
  for (const std::string& term : {std::string("MRN\"7"), FakeId(7), std::string("CONTROL-1"), std::string("V100")}) {
    std::ostringstream out;
    std::vector<int64_t> messages;
    const auto found = hub->Find(out, term, [&](const FoundMessage& one) { messages.push_back(one.msg); });
    EXPECT_EQ(*found, term == "V100" ? 1 : 2) << term;
    EXPECT_EQ(out.str().starts_with(term == "V100" || term == "CONTROL-1" ? "{\"resourceType\":\"Encounter\"" : "{\"resourceType\":\"Patient\""), true) << term;
    EXPECT_EQ(messages.size(), term == "CONTROL-1" ? 1u : 0u);
  }
  std::ostringstream none;
  EXPECT_EQ(*hub->Find(none, "MRN", [](const FoundMessage&) {}), 0);
  // A merged patient's number leads to the survivor; what referred to it still does.
  ApplyAll(*hub, {Merge("3", 3, 7, 8)});
  std::ostringstream merged;
  EXPECT_EQ(*hub->Find(merged, "MRN\"7", [](const FoundMessage&) {}), 2);
  EXPECT_NE(merged.str().find(FakeId(8)), std::string::npos);
  // Each search is audited; what was searched for is not kept, whose record was seen is.
  std::string acts;
  ASSERT_TRUE(hub->EachAct([&](const Act& act) { acts += act.what + " " + act.facts + "\n"; }));
  EXPECT_EQ(std::ranges::count(acts, '\n'), 6);
  EXPECT_EQ(acts.find("MRN"), std::string::npos);
  EXPECT_NE(acts.find("Patient/" + FakeId(7)), std::string::npos);
  ExpectSound();
}

TEST_F(HubTest, ReadersFindAndAreAuditedBesideTheWriter) {
  ApplyAll(*hub, {About("1", 1, 7, R"("identifier":[{"value":"MRN7"}])")});
  const auto reader = file.Open(/*read_only=*/true);
  std::ostringstream out;
  EXPECT_EQ(*reader->Find(out, "MRN7", [](const FoundMessage&) {}), 1);
  EXPECT_FALSE(reader->Apply({}, 0));
  ApplyAll(*hub, {About("2", 2, 8, R"("identifier":[{"value":"MRN8"}])")});
  std::ostringstream again;
  EXPECT_EQ(*hub->Find(again, "MRN8", [](const FoundMessage&) {}), 1);
  int acts = 0;
  ASSERT_TRUE(hub->EachAct([&](const Act&) { ++acts; }));
  EXPECT_EQ(acts, 2);
  ExpectSound();
}

TEST_F(HubTest, DeadLettersAreGroupedByCauseAndSender) {
  std::vector<FakeMessage> messages;
  for (int i = 0; i < 9; ++i) {
    FakeMessage m = About(("K" + std::to_string(i)).c_str(), i, 1, {});
    m.status = WEIR_REJECTED;
    m.rejection = i < 6 ? SiteInfo{"terminology", "code", "PV1-10"} : SiteInfo{"schema", "required", "PID-3"};
    m.detail = i < 4 ? "CARD7" : i < 6 ? "SMITH" : "";
    m.bytes = Hl7("C" + std::to_string(i), "MRN" + std::to_string(i % 4), i == 8 ? "WEST" : "EAST");
    messages.push_back(m);
  }
  ApplyAll(*hub, messages);
  const auto groups = *hub->LetterGroups();
  ASSERT_EQ(groups.size(), 4u);
  EXPECT_EQ(groups[0].count, 4);
  EXPECT_EQ(groups[0].patients, 4);
  EXPECT_EQ(groups[0].path + groups[0].detail + groups[0].sender, "PV1-10CARD7EAST");
  EXPECT_TRUE(groups[0].IsVocabulary());
  EXPECT_EQ(groups[1].detail, "SMITH");  // of two patients only: it may be a name in the wrong field
  EXPECT_FALSE(groups[1].IsVocabulary());
  EXPECT_EQ(groups[2].count, 2);
  EXPECT_EQ(groups[3].sender, "WEST");
  EXPECT_EQ((*hub->LetterGroups({.error_class = "schema"})).size(), 2u);
  EXPECT_EQ((*hub->DeadLetters({.sender = "WEST"})).size(), 1u);
  EXPECT_EQ((*hub->DeadLetters({.ids = {1, 9}})).size(), 2u);
}

TEST_F(HubTest, ReadersReadWhileTheWriterIsOpenAndASecondWriterIsRefused) {
  ApplyAll(*hub, {About("1", 1, 1, R"("gender":"male")")});
  const auto reader = file.Open(/*read_only=*/true);
  ASSERT_NE(reader, nullptr);
  EXPECT_EQ(*reader->Digest(), *hub->Digest());
  ApplyAll(*hub, {About("2", 2, 2, R"("gender":"male")")});
  EXPECT_EQ((*reader->ReadLedger())["adt"].applied, 2);
  EXPECT_FALSE(reader->Apply({}, 0));
  EXPECT_FALSE(Hub::Open({.path = file.path(), .key_file = {}}));
}

TEST_F(HubTest, RefusesAnotherNamespaceKey) {
  const std::array<uint8_t, 16> other{9};
  EXPECT_FALSE(hub->Bind(FakeManifest(), other, "fake"));
  const std::array<uint8_t, 16> same{1, 2, 3};
  EXPECT_FALSE(hub->Bind(FakeManifest(), same, "another"));
  EXPECT_TRUE(hub->Bind(FakeManifest(), same, "fake"));
}

TEST_F(HubTest, ABrokenKernelStoresNothingOfTheBatch) {
  FakeMessage bad = About("2", 2, 1, R"("gender":"male")");
  bad.items[0].map = 99;
  FakeBatch batch;
  batch.Add(About("1", 1, 1, R"("gender":"male")"));
  batch.Add(bad);
  EXPECT_FALSE(hub->Apply(batch.records(), 0));
  hub.reset();
  hub = file.Open();
  EXPECT_EQ(Adt().received, 0);
  ExpectSound();
}

TEST(HubKey, EncryptsAndRefusesTheWrongKey) {
  const HubFile file;
  const auto write = [&](const std::string& name, const std::string& key) {
    std::ofstream(file.folder() + "/" + name) << key;
    return file.folder() + "/" + name;
  };
  const std::string raw = write("raw", std::string(64, 'a') + "\n"),
                    phrase = write("phrase", "correct horse battery");
  for (const std::string& key : {raw, phrase}) {
    const std::string path =
        file.folder() + "/" + std::filesystem::path(key).filename().string() + ".db";
    {
      auto hub = Hub::Open({.path = path, .key_file = key});
      ASSERT_TRUE(hub) << hub.error().message;
      const std::array<uint8_t, 16> name_space{1, 2, 3};
      ASSERT_TRUE((*hub)->Bind(FakeManifest(), name_space, "fake"));
      ApplyAll(**hub, {About("1", 1, 1, R"("gender":"male")")});
    }
    std::ifstream in(path, std::ios::binary);
    std::string header(16, '\0');
    in.read(header.data(), 16);
    EXPECT_FALSE(header.starts_with("SQLite format"));
    EXPECT_FALSE(Hub::Open({.path = path, .key_file = {}}));
    EXPECT_FALSE(Hub::Open({.path = path, .key_file = key == raw ? phrase : raw}));
    EXPECT_FALSE(Hub::Open({.path = path, .key_file = file.folder() + "/absent"}));
    auto again = Hub::Open({.path = path, .key_file = key});
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(ExportText(**again), Patient(1, R"("gender":"male")"));
  }
}

}  // namespace
}  // namespace weir::hub::testing
