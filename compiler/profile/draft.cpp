// A feed for each sender and message type of a profile: what was seen, written as the contract that
// takes it. An author narrows it; the comments say what the samples cannot.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compiler/profile/profile.h"

namespace weir::profile {
namespace {

bool IsEvent(std::string_view text) {
  return text.size() == 3 && text[0] >= 'A' && text[0] <= 'Z' &&
         isdigit(static_cast<unsigned char>(text[1])) != 0 &&
         isdigit(static_cast<unsigned char>(text[2])) != 0;
}

bool IsType(std::string_view text) {
  return text.size() == 3 &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }) &&
         text[0] >= 'A';
}

std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + "'";
}

std::string NameOf(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool word = isalnum(static_cast<unsigned char>(c)) != 0 && static_cast<uint8_t>(c) < 0x80;
    if (word) {
      out += static_cast<char>(tolower(static_cast<unsigned char>(c)));
    } else if (!out.empty() && out.back() != '_') {
      out += '_';
    }
  }
  while (!out.empty() && out.back() == '_') {
    out.pop_back();
  }
  return out.empty() ? "unnamed" : out;
}

bool Holds(const std::vector<fhir::V2Item>& items, std::string_view segment) {
  return std::any_of(items.begin(), items.end(), [&](const fhir::V2Item& item) {
    return item.group ? Holds(item.items, segment) : item.name == segment;
  });
}

class FeedDraft {
 public:
  FeedDraft(const Sender& sender, const std::string& type, const TypeStats& stats,
            const fhir::V2Table& tables)
      : sender_(sender), type_(type), stats_(stats), tables_(tables) {
    ReadVersions();
    ReadEvents();
  }

  std::string Write(const std::string& name) const {
    std::string out = fmt::format(
        "\n/// {} messages of the samples.\nfeed {} version 0.1.0 {{\n  owner \"to be named\"\n",
        stats_.messages, name);
    out += fmt::format("  from {} and {}\n", Route(3, sender_.application),
                       Route(4, sender_.facility));
    out += fmt::format("  accept {}^{} processing {}\n", type_, fmt::join(events_, ", "),
                       Processing());
    out += any_version_ ? "  versions any else 2.5.1  // the samples name none, or one that HL7 "
                          "has not published\n"
                        : fmt::format("  versions {} else {}\n", fmt::join(versions_, ", "),
                                      versions_.back());
    out += TimeZone();
    out += "  invalid values degrade  // a sample does not say which a consumer can do without\n";
    out += Segments();
    out += Requires();
    out += "\n  duplicate same MSH-3, MSH-4, MSH-10 and same content\n";
    out += Reads("EVN", 2) ? "  order by EVN-2 else MSH-7\n" : "  order by MSH-7\n";
    return out + "}\n";
  }

 private:
  void ReadVersions() {
    for (const std::string& version : fhir::V2Table::Versions()) {
      if (sender_.versions.values.contains(version)) {
        versions_.push_back(version);
      }
    }
    any_version_ = versions_.size() != sender_.versions.values.size() ||
                   sender_.versions.beyond > 0 || versions_.empty();
  }

  void ReadEvents() {
    bool odd = stats_.events.beyond > 0, shaped = false;
    for (const auto& [event, count] : stats_.events.values) {
      odd = odd || !IsEvent(event);
      shaped = shaped || !Structure(event, versions_).empty();
    }
    if (!shaped) {
      any_version_ = true;  // none of the versions named has such a message
    }
    if (any_version_) {
      versions_ = fhir::V2Table::Versions();
    }
    if (odd) {
      std::string structure;
      for (const auto& [event, sent] : stats_.structures) {
        structure = structure.empty() ? KnownOr(sent, event) : structure;
      }
      events_ = {"* as " + structure};
      structures_.insert(structure);
      return;
    }
    for (const auto& [event, count] : stats_.events.values) {
      std::string structure = Structure(event, versions_);
      if (structure.empty()) {
        auto sent = stats_.structures.find(event);
        structure = KnownOr(sent == stats_.structures.end() ? "" : sent->second, event);
        events_.push_back(event + " as " + structure);
      } else {
        events_.push_back(event);
      }
      structures_.insert(structure);
    }
  }

  std::string Structure(const std::string& event, const std::vector<std::string>& versions) const {
    for (const std::string& version : versions) {
      if (std::string found = tables_.StructureOf(version, type_, event); !found.empty()) {
        return found;
      }
    }
    return "";
  }

  bool Known(const std::string& structure) const {
    const auto& all = fhir::V2Table::Versions();
    return std::any_of(all.begin(), all.end(), [&](const std::string& version) {
      return tables_.Structure(version, structure) != nullptr;
    });
  }

  // The structure as sent, else the type's usual one, else one that has PID and PV1.
  std::string KnownOr(const std::string& sent, const std::string& event) const {
    static const std::map<std::string, std::string> kUsual = {
        {"ORU", "ORU_R01"}, {"ORM", "ORM_O01"}, {"SIU", "SIU_S12"}, {"MDM", "MDM_T02"},
        {"DFT", "DFT_P03"}, {"VXU", "VXU_V04"}, {"ACK", "ACK"}};
    if (Known(sent)) {
      return sent;
    }
    if (std::string own = Structure(event, fhir::V2Table::Versions()); !own.empty()) {
      return own;
    }
    auto usual = kUsual.find(type_);
    return usual == kUsual.end() ? "ADT_A01" : usual->second;
  }

  static std::string Route(int field, const Party& party) {
    if (party.name.empty()) {
      return fmt::format("MSH-{}.1.empty() and MSH-{}.2.empty()", field, field);
    }
    return party.universal
               ? fmt::format("MSH-{}.1.empty() and MSH-{}.2 = {}", field, field, Quoted(party.name))
               : fmt::format("MSH-{}.1 = {}", field, Quoted(party.name));
  }

  std::string Processing() const {
    std::vector<std::string> ids;
    for (const auto& [id, count] : sender_.processing.values) {
      if (id != "P" && id != "T" && id != "D") {
        return "any";
      }
      ids.push_back(id);
    }
    return ids.empty() || sender_.processing.beyond > 0 ? "any"
                                                        : fmt::format("{}", fmt::join(ids, ", "));
  }

  std::string TimeZone() const {
    uint64_t with = 0, without = 0;
    for (const auto& [name, segment] : sender_.segments) {
      for (const auto& [number, field] : segment.fields) {
        with += field.times_with_offset;
        without += field.times_without;
      }
    }
    return fmt::format("  timezone \"UTC\"  // to be set: {} of {} times carry no offset\n",
                       without, with + without);
  }

  std::string Segments() const {
    std::string out;
    for (const std::string& name : stats_.segments) {
      const SegmentStats& segment = sender_.segments.at(name);
      if (name[0] != 'Z' || segment.fields.empty() || segment.after.empty()) {
        continue;
      }
      std::vector<std::string> fields;
      for (const auto& [number, field] : segment.fields) {
        fields.push_back(fmt::format("{} field_{}: ST{}", number, number,
                                     field.max_repeats > 1 ? " repeating" : ""));
      }
      out += fmt::format("  segment {} after {} optional{} {{ {} }}\n", name, segment.after,
                         segment.max_in_message > 1 ? " repeating" : "", fmt::join(fields, "; "));
    }
    return out;
  }

  // Whether some message this feed accepts has the field, by the standard.
  bool Reads(const std::string& segment, uint32_t number) const {
    for (const std::string& version : versions_) {
      const auto* fields = tables_.Segment(version, segment);
      if (fields == nullptr ||
          std::none_of(fields->begin(), fields->end(),
                       [&](const fhir::V2Field& field) { return field.position == number; })) {
        continue;
      }
      for (const std::string& structure : structures_) {
        const auto* items = tables_.Structure(version, structure);
        if (items != nullptr && Holds(*items, segment)) {
          return true;
        }
      }
    }
    return false;
  }

  std::string Requires() const {
    std::vector<std::string> fields;
    for (size_t k = 0; k < kRequirable.size(); ++k) {
      auto [segment, number] = kRequirable[k];
      if (stats_.has[k] == stats_.messages && Reads(segment, number)) {
        fields.push_back(fmt::format("{}-{}", segment, number));
      }
    }
    return fields.empty()
               ? ""
               : fmt::format("\n  require {}  // in every sample\n", fmt::join(fields, ", "));
  }

  const Sender& sender_;
  const std::string& type_;
  const TypeStats& stats_;
  const fhir::V2Table& tables_;
  std::vector<std::string> versions_, events_;
  std::set<std::string> structures_;
  bool any_version_ = false;
};

}  // namespace

Draft DraftContract(const Profile& profile, const fhir::V2Table& tables,
                    const std::string& package) {
  Draft draft;
  draft.source = fmt::format(
      "// A draft made by `weir profile` from {} messages in {} files: it takes these samples and "
      "knows nothing else.\n"
      "// Name the owners and time zones, narrow what a sender need not send, and add maps.\n"
      "edition 1\npackage {}\nuse fhir r4, std.v2 1.0\n",
      profile.messages, profile.files, NameOf(package));
  std::set<std::string> names;
  for (const auto& sender : profile.senders) {
    for (const auto& [type, stats] : sender->types) {
      if (sender->rest || !IsType(type) ||
          Printable(sender->application.name) != sender->application.name ||
          Printable(sender->facility.name) != sender->facility.name) {
        draft.source +=
            fmt::format("\n// {} messages are left out: {}\n", stats.messages,
                        sender->rest ? "their senders are too many"
                                     : "the sender's name or type has no spelling in a contract");
        continue;
      }
      std::string base =
                      NameOf(type + " " + sender->application.name + " " + sender->facility.name),
                  name = base;
      for (int n = 2; !names.insert(name).second; ++n) {
        name = fmt::format("{}_{}", base, n);
      }
      draft.source += FeedDraft(*sender, type, stats, tables).Write(name);
      draft.messages += stats.messages;
    }
  }
  return draft;
}

}  // namespace weir::profile
