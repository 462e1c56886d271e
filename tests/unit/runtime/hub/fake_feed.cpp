#include "tests/unit/runtime/hub/fake_feed.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <sstream>

#include "runtime/hub/hash.h"

namespace weir::hub::testing {

const Manifest& FakeManifest(const std::string& semantic_digest) {
  static std::map<std::string, Manifest> manifests;
  const auto [found, added] = manifests.try_emplace(semantic_digest);
  if (added) {
    found->second = *ParseManifest(R"({"package":"fake","semantic_digest":")" + semantic_digest + R"(",
    "feeds":[{"name":"adt","version":"1.0.0","late_seconds":60,"future_seconds":1000000}],
    "maps":[{"name":"patient","type":"Patient"},{"name":"encounter","type":"Encounter"},{"name":"lab_patient","type":"Patient"},
            {"name":"merge","type":"Patient"},{"name":"visit","type":"Encounter","identity":"subject"},
            {"name":"stay","type":"Encounter"},{"name":"observation","type":"Observation"},{"name":"stay_merge","type":"Encounter"}],
    "types":[{"name":"Patient","order":["identifier","active","name","gender","birthDate","deceasedBoolean","deceasedDateTime"]},
             {"name":"Encounter","order":["identifier","status","class","subject","period"]},
             {"name":"Observation","order":["status","subject","encounter","issued"]}],
    "sites":[]})");
  }
  return found->second;
}

std::string FakeId(uint32_t number) {
  char id[33];
  snprintf(id, sizeof id, "%032x", number);
  return id;
}

std::string FakeWithin(std::string_view parent_id, std::string_view own_id) {
  Digest16 parent, own, id;
  EXPECT_TRUE(Unhex(parent_id, &parent) && Unhex(own_id, &own));
  std::string list = std::string("\x10\0\0\0", 4) + std::string(View(parent)) +
                     std::string("\x10\0\0\0", 4) + std::string(View(own));
  crypto_shorthash_siphashx24(id.data(), reinterpret_cast<const uint8_t*>(list.data()), list.size(),
                              kFakeNamespaceKey.data());
  return Hex(View(id));
}

std::string FakeId(const FakeKey& key) {
  std::string id = FakeId(key[0]);
  for (size_t i = 1; i < key.size(); ++i) {
    id = FakeWithin(id, FakeId(key[i]));
  }
  return id;
}

namespace {

std::string Spelled(const FakeKey& key) {
  std::string text;
  for (const uint32_t number : key) {
    text += "/" + std::to_string(number);
  }
  return text;
}

void AddKeys(FakeKey key, std::vector<weir_key>* keys) {
  for (; key.size() > 1; key.pop_back()) {
    weir_key row{};
    row.type = static_cast<uint32_t>(key.size()) - 1;
    row.parent_type = row.type - 1;
    const FakeKey parent(key.begin(), key.end() - 1);
    memcpy(row.id, FakeId(key).data(), 32);
    memcpy(row.parent, FakeId(parent).data(), 32);
    Digest16 own;
    Unhex(FakeId(key.back()), &own);
    memcpy(row.own, own.data(), own.size());
    keys->push_back(row);
  }
}

}  // namespace

std::string FakeMessage::Content() const {
  std::string content = key + "|" + event + "|" + std::to_string(time) + "|" + salt + "|" +
                        std::to_string(status) + rejection.code;
  for (const FakeItem& item : items) {
    content += "\r" + std::to_string(item.op) + "," + std::to_string(item.map) + "," +
               Spelled(item.key) + "," + item.members + "," + Spelled(item.survivor);
  }
  return content;
}

std::string FakeMessage::Raw() const { return bytes.empty() ? std::to_string(transport) + "#" + Content() : bytes; }

void FakeBatch::Add(const FakeMessage& message, std::string_view source, uint64_t position) {
  AddJudged(message, message, source, position);
}

void FakeBatch::AddJudged(const FakeMessage& sent, const FakeMessage& message, std::string_view source, uint64_t position) {
  Kept& kept = kept_.emplace_back();
  kept.raw = sent.Raw();
  kept.key = message.key;
  Record record{.source = source, .position = position, .raw = kept.raw, .status = message.status};
  record.content = HashRaw(message.key == sent.key ? sent.Content() : message.Content());
  for (int shift = 56; shift >= 0; shift -= 8) {
    kept.order += static_cast<char>((message.time + (int64_t{1} << 40)) >> shift & 255);
  }
  const bool undo = message.event == "A11" || message.event == "A37";
  kept.order += static_cast<char>(undo ? 1 : 0) + message.key + '\0' +
                std::string(View(record.content)) + std::to_string(message.transport);
  for (const FakeItem& item : message.items) {
    weir_contribution out{};
    out.op = item.op;
    out.map = item.map;
    static constexpr const char* kTypes[] = {"Patient", "Encounter", "Observation"};
    out.type = item.map == kEncounterMap || item.map == kVisitMap
                   ? 1
                   : static_cast<uint32_t>(item.key.size()) - 1;
    memcpy(out.id, FakeId(item.key).data(), 32);
    memcpy(out.other_id, FakeId(item.survivor).data(), 32);
    AddKeys(item.key, &kept.keys);
    AddKeys(item.survivor, &kept.keys);
    for (const FakeKey& reference : item.references) {
      AddKeys(reference, &kept.keys);
    }
    const std::string tag = item.op != WEIR_OP_RETRACT ? message.event
                            : message.event == "A37"   ? "A40"
                                                       : "A01,A04";
    out.tag_offset = static_cast<uint32_t>(kept.bytes.size());
    out.tag_size = static_cast<uint32_t>(tag.size());
    kept.bytes += tag;
    out.body_offset = static_cast<uint32_t>(kept.bytes.size());
    if (item.op != WEIR_OP_RETRACT && item.op != WEIR_OP_ALIAS) {
      kept.bytes += R"({"resourceType":")" + std::string(kTypes[out.type]) + R"(","id":")" +
                    FakeId(item.key) + '"' + (item.members.empty() ? "" : "," + item.members) + "}";
    }
    out.body_size = static_cast<uint32_t>(kept.bytes.size()) - out.body_offset;
    kept.items.push_back(out);
  }
  record.feed = message.status == WEIR_UNROUTED ? UINT32_MAX : 0;
  record.probed = message.status != WEIR_UNROUTED;
  record.key = kept.key;
  record.order = kept.order;
  record.event = kept.event = message.event;
  record.event_time_us = message.time * 1'000'000;
  record.rejection = message.rejection;
  kept.detail = message.detail;
  record.detail = kept.detail;
  if (message.status == WEIR_OK) {
    record.items = kept.items;
    record.keys = kept.keys;
  }
  record.bytes = kept.bytes;
  record.counters[WEIR_COUNT_DEGRADED] = message.degraded;
  records_.push_back(record);
}

HubFile::HubFile() {
  std::string pattern = (std::filesystem::temp_directory_path() / "weir_hub_XXXXXX").string();
  folder_ = mkdtemp(pattern.data());
}
HubFile::~HubFile() { std::filesystem::remove_all(folder_); }

namespace {
std::unique_ptr<Hub> OpenAndBind(const HubOptions& options, const std::string& kernel) {
  auto hub = Hub::Open(options);
  if (!hub) {
    ADD_FAILURE() << hub.error().message;
    return nullptr;
  }
  if (!options.read_only && !kernel.empty()) {
    const auto bound = (*hub)->Bind(FakeManifest(kernel), kFakeNamespaceKey, "fake");
    if (!bound) {
      ADD_FAILURE() << bound.error().message;
    }
  }
  return std::move(*hub);
}
}  // namespace

std::unique_ptr<Hub> HubFile::Open(bool read_only, bool bind, const std::string& kernel) const {
  return OpenAndBind({.path = path(), .key_file = {}, .read_only = read_only}, bind ? kernel : "");
}
std::unique_ptr<Hub> HubFile::Visit(const std::string& kernel) const {
  return OpenAndBind({.path = path(), .key_file = {}, .visit = true}, kernel);
}

void ApplyAll(Hub& hub, const std::vector<FakeMessage>& messages, size_t batch_size) {
  for (size_t i = 0; i < messages.size(); i += batch_size) {
    FakeBatch batch;
    for (size_t j = i; j < std::min(messages.size(), i + batch_size); ++j) {
      batch.Add(messages[j], "fake", j);
    }
    const auto applied = hub.Apply(batch.records(), 1'000'000);
    ASSERT_TRUE(applied) << applied.error().message;
  }
}

std::string ExportText(Hub& hub, std::string_view type) {
  std::ostringstream out;
  EXPECT_TRUE(hub.Export(out, type));
  return out.str();
}

std::vector<FakeMessage> RandomMessages(uint32_t seed, size_t count) {
  std::mt19937 random(seed);
  const auto pick = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  const std::vector<std::string> patient = {R"("gender":"male")",
                                            R"("gender":"female","birthDate":"1970")",
                                            R"("gender":null)",
                                            R"("deceasedBoolean":true)",
                                            R"("deceasedDateTime":"2020-01-01")",
                                            R"("identifier":[{"value":"7"}],"gender":"other")",
                                            R"("birthDate":null)"};
  std::vector<FakeMessage> messages;
  while (messages.size() < count) {
    FakeMessage m;
    m.key = pick(20) == 0 ? "" : "K" + std::to_string(pick(static_cast<uint32_t>(count)));
    m.time = pick(static_cast<uint32_t>(count));
    m.salt = std::to_string(pick(3));
    m.degraded = pick(10) == 0;
    const uint32_t kind = pick(20), who = pick(5);
    const FakeItem about{WEIR_OP_PATCH, kPatientMap, who, patient[pick(7)]};
    if (kind < 9) {
      m.event = pick(2) ? "A01" : "A08";
      m.items = {about};
      if (pick(2)) {
        m.items.push_back(
            {WEIR_OP_PATCH, kEncounterMap, 100 + pick(4),
             R"("status":"in-progress","subject":{"reference":"Patient/)" + FakeId(who) + "\"}"});
      }
    } else if (kind == 9) {
      m.items = {{WEIR_OP_PUT, kPatientMap, who, patient[pick(7)]}};
    } else if (kind == 10) {
      m.items = {about, {WEIR_OP_FILL, kLabPatientMap, who, patient[pick(7)]}};
    } else if (kind == 11) {
      m.event = "A11";
      m.items = {
          {WEIR_OP_RETRACT, pick(2) ? kEncounterMap : kPatientMap, pick(2) ? who : 100 + pick(4)}};
    } else if (kind == 12) {
      m.event = "A40";
      m.items = {{WEIR_OP_ALIAS, kMergeMap, who, {}, pick(5)}};
    } else if (kind == 13) {
      m.event = "A37";
      m.items = {{WEIR_OP_RETRACT, kMergeMap, who}};
    } else if (kind < 17) {
      m.items = {about,
                 {WEIR_OP_PATCH, kVisitMap, 200 + pick(3),
                  R"("subject":{"reference":"Patient/)" + FakeId(who) + "\"}"}};
    } else if (kind == 17) {
      m.status = WEIR_REJECTED;
      m.rejection = pick(2) ? SiteInfo{"terminology", "code", "PV1-2"}
                            : SiteInfo{"schema", "required", "PID-3"};
    } else {
      m.status = kind == 18 ? WEIR_UNROUTED : WEIR_SUPPRESSED;
    }
    messages.push_back(m);
    if (pick(6) == 0) {  // a copy with another transport field
      m.transport = 1 + pick(9);
      messages.push_back(m);
    }
  }
  return messages;
}

std::vector<FakeMessage> RandomFamilies(uint32_t seed, size_t count) {
  std::mt19937 random(seed);
  const auto pick = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  std::vector<FakeMessage> messages;
  while (messages.size() < count) {
    FakeMessage m;
    m.key = "K" + std::to_string(messages.size());
    m.time = pick(static_cast<uint32_t>(count) / 2);
    const uint32_t who = 1 + pick(4);
    const FakeKey stay = {who, 10 + pick(2)}, seen = {who, stay[1], 20 + pick(2)};
    const auto reference = [](const char* member, const char* type, const FakeKey& to) {
      return "\"" + std::string(member) + R"(":{"reference":")" + type + "/" + FakeId(to) + "\"}";
    };
    const FakeItem patient{WEIR_OP_PATCH, kPatientMap, who,
                           pick(2) ? R"("gender":"male")" : R"("birthDate":"1970")"};
    FakeItem visit{WEIR_OP_PATCH, kStayMap, stay,
                   R"("status":")" + std::string(pick(2) ? "planned" : "finished") + "\"," +
                       reference("subject", "Patient", {who})};
    FakeItem observation{WEIR_OP_PATCH, kObservationMap, seen,
                         R"("status":")" + std::string(pick(2) ? "final" : "preliminary") + "\"," +
                             reference("encounter", "Encounter", stay)};
    observation.references = {stay};
    const uint32_t kind = pick(16);
    if (kind < 5) {
      m.items = {patient, visit};
    } else if (kind < 9) {
      m.items = {observation};
    } else if (kind == 9) {
      m.event = "A11";
      m.items = {{WEIR_OP_RETRACT, kStayMap, stay}};
    } else if (kind < 12) {
      m.event = "A40";
      m.items = {{WEIR_OP_ALIAS, kMergeMap, who, {}, 1 + pick(4)}};
    } else if (kind == 12) {
      m.event = "A37";
      m.items = {{WEIR_OP_RETRACT, kMergeMap, who}};
    } else if (kind < 15) {
      m.event = "A40";
      m.items = {{WEIR_OP_ALIAS, kStayMergeMap, stay, {}, FakeKey{1 + pick(4), 10 + pick(2)}}};
    } else {
      m.event = "A37";
      m.items = {{WEIR_OP_RETRACT, kStayMergeMap, stay}};
    }
    messages.push_back(m);
  }
  return messages;
}

}  // namespace weir::hub::testing
