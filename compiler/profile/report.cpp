// The profile as text and as one line of JSON; both show the same.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compiler/profile/profile.h"

namespace weir::profile {
namespace {

using nlohmann::json;

const fhir::V2Field* FieldOf(const Sender& sender, const fhir::V2Table& tables,
                             std::string_view segment, uint32_t number) {
  auto in = [&](std::string_view version) -> const fhir::V2Field* {
    if (const auto* fields = tables.Segment(version, segment)) {
      for (const auto& field : *fields) {
        if (field.position == number) {
          return &field;
        }
      }
    }
    return nullptr;
  };
  const fhir::V2Field* found = nullptr;
  for (const std::string& version : fhir::V2Table::Versions()) {
    const fhir::V2Field* here = sender.versions.values.contains(version) ? in(version) : nullptr;
    found = here == nullptr ? found : here;
  }
  return found == nullptr ? in("2.5.1") : found;
}

// The codes any version lists.
std::vector<std::string> Standard(const fhir::V2Table& tables, std::string_view table) {
  std::vector<std::string> all;
  for (const std::string& version : fhir::V2Table::Versions()) {
    if (const auto* codes = tables.Codes(version, table)) {
      all.insert(all.end(), codes->begin(), codes->end());
    }
  }
  return all;
}

json Frequencies(
    const Counter& counter, const std::function<bool(const std::string&)>& shown =
                                [](const std::string&) { return true; }) {
  json values = json::object();
  uint64_t hidden = 0;
  for (const auto& [value, count] : counter.values) {
    if (shown(value)) {
      json& place = values[Printable(value)];
      place = (place.is_null() ? 0 : place.get<uint64_t>()) + count;
    } else {
      hidden += count;
    }
  }
  json out = {{"values", values}};
  if (hidden > 0) {
    out["hidden"] = hidden;
  }
  if (counter.beyond > 0) {
    out["beyond"] = counter.beyond;
  }
  return out;
}

json FieldJson(const Profile& profile, const Sender& sender, const fhir::V2Table& tables,
               const std::string& segment, uint32_t number, const FieldStats& stats) {
  json out = {{"populated", stats.populated}};
  const fhir::V2Field* field = FieldOf(sender, tables, segment, number);
  if (field != nullptr) {
    out["name"] = field->name;
    out["type"] = field->type;
  }
  if (stats.nulls > 0) {
    out["null"] = stats.nulls;
  }
  if (stats.max_repeats > 1) {
    out["max_repeats"] = stats.max_repeats;
  }
  if (stats.codes.total() > 0 && segment != "MSH") {
    std::string table = TableOf(sender, tables, segment, number);
    std::vector<std::string> standard = Standard(tables, table);
    out["table"] = table;
    out["codes"] = Frequencies(stats.codes, [&](const std::string& code) {
      return ShownCode(profile, standard, segment, code);
    });
  }
  if (stats.times_with_offset + stats.times_without + stats.times_invalid > 0) {
    out["times"] = {{"with_offset", stats.times_with_offset},
                    {"without", stats.times_without},
                    {"invalid", stats.times_invalid}};
  }
  return out;
}

json AuthoritiesJson(const Profile& profile, const Sender& sender) {
  json out = json::array();
  uint64_t hidden = sender.authorities.beyond;
  for (const auto& [key, count] : sender.authorities.values) {
    size_t first = key.find('\t'), second = key.rfind('\t');
    std::string authority = key.substr(first + 1, second - first - 1),
                type = key.substr(second + 1);
    if (ShownName(profile, authority) && ShownName(profile, type)) {
      out.push_back({{"field", key.substr(0, first)},
                     {"authority", Printable(authority)},
                     {"type", Printable(type)},
                     {"count", count}});
    } else {
      hidden += count;
    }
  }
  if (hidden > 0) {
    out.push_back({{"hidden", hidden}});
  }
  return out;
}

json SenderJson(const Profile& profile, const Sender& sender, const fhir::V2Table& tables) {
  json types = json::object(), segments = json::object();
  for (const auto& [name, type] : sender.types) {
    types[Printable(name)] = {{"messages", type.messages}, {"events", Frequencies(type.events)}};
  }
  uint64_t with = 0, without = 0, invalid = 0;
  for (const auto& [name, segment] : sender.segments) {
    json fields = json::object();
    for (const auto& [number, stats] : segment.fields) {
      fields[std::to_string(number)] = FieldJson(profile, sender, tables, name, number, stats);
      with += stats.times_with_offset;
      without += stats.times_without;
      invalid += stats.times_invalid;
    }
    json& out = segments[name] = {{"count", segment.count},
                                  {"messages", segment.messages},
                                  {"max_in_message", segment.max_in_message},
                                  {"fields", fields}};
    if (name[0] == 'Z') {
      out["after"] = segment.after;
    }
  }
  json out = {{"application", Printable(sender.application.name)},
              {"facility", Printable(sender.facility.name)},
              {"messages", sender.messages},
              {"types", types},
              {"versions", Frequencies(sender.versions)},
              {"processing", Frequencies(sender.processing)},
              {"charsets", Frequencies(sender.charsets)},
              {"times",
               {{"with_offset", with},
                {"without", without},
                {"invalid", invalid},
                {"offsets", Frequencies(sender.offsets)}}},
              {"authorities", AuthoritiesJson(profile, sender)},
              {"control_ids",
               {{"resent", sender.control_ids_resent},
                {"reused", sender.control_ids_reused},
                {"missing", sender.control_ids_missing}}},
              {"segments", segments}};
  if (sender.rest) {
    out["rest"] = true;
  }
  if (sender.types_beyond > 0) {
    out["types_beyond"] = sender.types_beyond;
  }
  return out;
}

json ToJson(const Profile& profile, const fhir::V2Table& tables) {
  json senders = json::array();
  for (const auto& sender : profile.senders) {
    senders.push_back(SenderJson(profile, *sender, tables));
  }
  return {{"files", profile.files},
          {"bytes", profile.bytes},
          {"messages", profile.messages},
          {"well_formed", profile.well_formed},
          {"framing", profile.framing},
          {"beyond",
           {{"fields", profile.fields_beyond},
            {"values", profile.values_beyond},
            {"control_ids", profile.control_ids_beyond}}},
          {"senders", senders}};
}

std::string Named(const json& value) {
  return value.get<std::string>().empty() ? "(none)" : value.get<std::string>();
}

// `A 3, B 1, 2 hidden`, the most frequent first.
std::string List(const json& frequencies) {
  std::vector<std::pair<uint64_t, std::string>> values;
  for (const auto& [value, count] : frequencies.at("values").items()) {
    values.emplace_back(count.get<uint64_t>(), value.empty() ? "(none)" : value);
  }
  std::sort(values.begin(), values.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::string out;
  for (const auto& [count, value] : values) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", value, count);
  }
  for (const char* rest : {"hidden", "beyond"}) {
    if (frequencies.contains(rest)) {
      out +=
          fmt::format("{}{} {}", out.empty() ? "" : ", ", frequencies[rest].get<uint64_t>(), rest);
    }
  }
  return out;
}

std::string FieldLine(const std::string& segment, const std::string& number, const json& field,
                      uint64_t segments) {
  std::string line = fmt::format(
      "    {:<8}{:>5.1f} %  {}", segment + "-" + number,
      100.0 * field["populated"].get<double>() / static_cast<double>(segments),
      field.contains("name") ? field["name"].get<std::string>() : "(not in the standard)");
  if (field.contains("null")) {
    line += fmt::format("; deleted (\"\") {}", field["null"].get<uint64_t>());
  }
  if (field.contains("max_repeats")) {
    line += fmt::format("; up to {} repeats", field["max_repeats"].get<uint64_t>());
  }
  if (field.contains("codes")) {
    line += "; " + field["table"].get<std::string>() + ": " + List(field["codes"]);
  }
  if (field.contains("times")) {
    const json& times = field["times"];
    line += fmt::format("; offset {}, none {}", times["with_offset"].get<uint64_t>(),
                        times["without"].get<uint64_t>());
    if (times["invalid"] != 0) {
      line += fmt::format(", not a time {}", times["invalid"].get<uint64_t>());
    }
  }
  return line + "\n";
}

std::string SenderText(const json& sender) {
  std::string out = sender.contains("rest")
                        ? std::string("\nall other senders")
                        : fmt::format("\nsender {} / {}", Named(sender["application"]),
                                      Named(sender["facility"]));
  out += fmt::format(": {} messages\n", sender["messages"].get<uint64_t>());
  for (const auto& [name, type] : sender["types"].items()) {
    out +=
        fmt::format("  {} {}: {}\n", name, type["messages"].get<uint64_t>(), List(type["events"]));
  }
  out +=
      fmt::format("  versions: {}\n  processing: {}\n  charset (MSH-18): {}\n",
                  List(sender["versions"]), List(sender["processing"]), List(sender["charsets"]));
  const json& times = sender["times"];
  out += fmt::format("  times: {} with an offset, {} without, {} invalid; offsets: {}\n",
                     times["with_offset"].get<uint64_t>(), times["without"].get<uint64_t>(),
                     times["invalid"].get<uint64_t>(), List(times["offsets"]));
  const json& ids = sender["control_ids"];
  out += fmt::format("  control ids: {} sent again, {} reused for other content, {} missing\n",
                     ids["resent"].get<uint64_t>(), ids["reused"].get<uint64_t>(),
                     ids["missing"].get<uint64_t>());
  for (const json& one : sender["authorities"]) {
    out += one.contains("hidden")
               ? fmt::format("  identifiers with an authority or type that is hidden: {}\n",
                             one["hidden"].get<uint64_t>())
               : fmt::format("  identifiers {}: authority {}, type {}: {}\n",
                             one["field"].get<std::string>(), Named(one["authority"]),
                             Named(one["type"]), one["count"].get<uint64_t>());
  }
  for (const auto& [name, segment] : sender["segments"].items()) {
    out += fmt::format("  {}: {} in {} messages, up to {} in one{}\n", name,
                       segment["count"].get<uint64_t>(), segment["messages"].get<uint64_t>(),
                       segment["max_in_message"].get<uint64_t>(),
                       segment.contains("after") ? ", after " + Named(segment["after"]) : "");
    std::vector<std::pair<int, std::string>> order;
    for (const auto& [number, field] : segment["fields"].items()) {
      order.emplace_back(std::stoi(number),
                         FieldLine(name, number, field, segment["count"].get<uint64_t>()));
    }
    std::sort(order.begin(), order.end());
    for (const auto& [number, line] : order) {
      out += line;
    }
  }
  return out;
}

}  // namespace

std::string TableOf(const Sender& sender, const fhir::V2Table& tables, std::string_view segment,
                    uint32_t field) {
  const fhir::V2Field* found = FieldOf(sender, tables, segment, field);
  return found == nullptr ? "" : found->table;
}

std::string JsonReport(const Profile& profile, const fhir::V2Table& tables) {
  return ToJson(profile, tables).dump() + "\n";
}

std::string TextReport(const Profile& profile, const fhir::V2Table& tables) {
  json all = ToJson(profile, tables);
  std::string out =
      fmt::format("{} files, {} messages, {} of them well formed, {} senders\n", profile.files,
                  profile.messages, profile.well_formed, profile.senders.size());
  for (const auto& [name, count] : profile.framing) {
    out += fmt::format("  framing: {}: {}\n", name, count);
  }
  if (profile.fields_beyond + profile.values_beyond + profile.control_ids_beyond > 0) {
    out += fmt::format("  beyond what is counted apart: {} fields, {} values, {} control ids\n",
                       profile.fields_beyond, profile.values_beyond, profile.control_ids_beyond);
  }
  for (const json& sender : all["senders"]) {
    out += SenderText(sender);
  }
  return out;
}

}  // namespace weir::profile
