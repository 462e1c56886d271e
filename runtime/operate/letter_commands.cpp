// hub dlq list|show|export
#include <fmt/format.h>
#include <sodium.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "runtime/base/clock.h"
#include "runtime/hub/message_facts.h"
#include "runtime/operate/hub_args.h"
#include "runtime/operate/when.h"

namespace weir::operate {
namespace {

using Json = nlohmann::ordered_json;

struct LetterArgs {
  HubArgs hub;
  hub::LetterFilter filter;
  std::string since, format = "ndjson";
  bool each = false, payload = false;
  int64_t id = 0;
};

int WithFilter(const LetterArgs& args, const std::function<int(hub::Hub&, const hub::LetterFilter&)>& use) {
  hub::LetterFilter filter = args.filter;
  if (!args.since.empty()) {
    auto since = ParseWhen(args.since, WallMicros());
    if (!since) {
      return Fail(since.error().message);
    }
    filter.since_us = *since;
  }
  return WithHub(args.hub, [&](hub::Hub& hub) { return use(hub, filter); });
}

// A code is vocabulary or somebody's data; which, the operator may ask to see.
std::string ShownDetail(const hub::LetterGroup& group, bool payload) {
  return group.detail.empty() || payload || group.IsVocabulary() ? group.detail : fmt::format("({} bytes)", group.detail.size());
}

Json Described(const hub::DeadLetter& letter) {
  return {{"id", letter.id},       {"feed", letter.feed},     {"class", letter.error_class},    {"code", letter.code},
          {"path", letter.path},   {"event", letter.event},   {"source", letter.source},        {"index", letter.position},
          {"sender", letter.sender}, {"received", FormatTime(letter.received_us)}, {"kernel", letter.semantic_digest}};
}

Json Described(const hub::LetterGroup& group, bool payload) {
  Json json{{"count", group.count}, {"feed", group.feed}, {"class", group.error_class}, {"code", group.code}, {"path", group.path},
            {"sender", group.sender}};
  if (!group.detail.empty()) {
    json["value"] = ShownDetail(group, payload);
    json["value_masked"] = !payload && !group.IsVocabulary();
  }
  json["patients"] = group.patients;
  json["first_id"] = group.first_id;
  json["last_id"] = group.last_id;
  json["first_received"] = FormatTime(group.first_received_us);
  json["last_received"] = FormatTime(group.last_received_us);
  return json;
}

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// 412 × PV1-10 `CARD7`, sender EAST
std::string Headline(const hub::LetterGroup& group, bool payload) {
  std::string line = fmt::format("{} × {}", group.count, group.path.empty() ? "message" : group.path);
  if (const std::string detail = ShownDetail(group, payload); !detail.empty()) {
    line += payload || group.IsVocabulary() ? " `" + detail + "`" : " " + detail;
  }
  if (!group.sender.empty()) {
    line += ", sender " + group.sender;
  }
  return line;
}

void PrintGroups(const std::vector<hub::LetterGroup>& groups, bool payload) {
  int64_t letters = 0;
  bool masked = false;
  for (const hub::LetterGroup& group : groups) {
    letters += group.count;
    masked = masked || (!group.detail.empty() && !payload && !group.IsVocabulary());
    std::cout << fmt::format("{:<44} {:<24} {:<12} {} patient{}, dead letter{} {}{}\n", Headline(group, payload),
                             group.error_class + "/" + group.code, group.feed, group.patients, group.patients == 1 ? "" : "s",
                             group.count == 1 ? "" : "s", group.first_id,
                             group.count == 1 ? "" : fmt::format(" to {}", group.last_id));
  }
  std::cout << fmt::format("{} dead letter{}, {} cause{}; what to do: `explain CODE`, then `hub replay`\n", letters, letters == 1 ? "" : "s",
                           groups.size(), groups.size() == 1 ? "" : "s");
  if (masked) {
    std::cout << "codes of fewer than three patients are masked; --payload shows them and is audited\n";
  }
}

std::string Facts(const hub::LetterFilter& filter, size_t letters) {
  Json json{{"letters", letters}};
  for (const auto& [name, value] : {std::pair("class", &filter.error_class), {"code", &filter.code}, {"path", &filter.path}, {"sender", &filter.sender}}) {
    if (!value->empty()) {
      json[name] = *value;
    }
  }
  if (!filter.ids.empty()) {
    json["ids"] = filter.ids;
  }
  return Dump(json);
}

int List(const LetterArgs& args) {
  return WithFilter(args, [&](hub::Hub& hub, const hub::LetterFilter& filter) {
    auto groups = hub.LetterGroups(filter);
    auto letters = groups && (args.each || args.hub.json) ? hub.DeadLetters(filter) : Result<std::vector<hub::DeadLetter>>(std::vector<hub::DeadLetter>());
    if (!groups || !letters) {
      return Fail((!groups ? groups.error() : letters.error()).message, kUndecided);
    }
    if (args.payload) {
      if (auto audited = hub.RecordAct("dlq list", Facts(filter, groups->size())); !audited) {
        return Fail(audited.error().message, kUndecided);
      }
    }
    if (args.hub.json) {
      Json list = Json::array(), causes = Json::array();
      for (const auto& letter : *letters) {
        list.push_back(Described(letter));
      }
      for (const auto& group : *groups) {
        causes.push_back(Described(group, args.payload));
      }
      std::cout << Dump({{"groups", causes}, {"dead_letters", list}}) << '\n';
    } else if (args.each) {
      for (const auto& letter : *letters) {
        std::cout << fmt::format("{:>5}  {:<12} {:<20} {:<12} {:<10} {} #{}\n", letter.id, letter.error_class, letter.code, letter.path,
                                 letter.event, letter.source, letter.position);
      }
    } else {
      PrintGroups(*groups, args.payload);
    }
    return static_cast<int>(kFine);
  });
}

void PrintMessage(const std::string& raw) {
  for (char c : raw) {  // segments end in CR; a terminal wants LF
    std::cout.put(c == '\r' ? '\n' : c);
  }
  std::cout << '\n';
}

int Show(const LetterArgs& args) {
  return WithHub(args.hub, [&](hub::Hub& hub) {
    auto letters = hub.DeadLetters({.ids = {args.id}});
    if (!letters) {
      return Fail(letters.error().message, kUndecided);
    }
    if (letters->empty()) {
      return Fail(fmt::format("no dead letter {}", args.id), kFindings);
    }
    if (args.payload) {
      if (auto audited = hub.RecordAct("dlq show", Facts({.ids = {args.id}}, 1)); !audited) {
        return Fail(audited.error().message, kUndecided);
      }
    }
    auto raw = hub.DeadLetterRaw(args.id);
    if (!raw || !*raw) {
      return Fail(raw ? "it may not be shown" : raw.error().message, kFindings);
    }
    const std::string shown = args.payload ? **raw : hub::Masked(**raw);
    if (args.hub.json) {
      Json json = Described(letters->front());
      json["masked"] = !args.payload;
      json["message"] = shown;
      std::cout << Dump(json) << '\n';
    } else {
      PrintMessage(shown);
    }
    return static_cast<int>(kFine);
  });
}

bool IsUtf8(const std::string& text) {
  try {
    (void)Json(text).dump();
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

std::string Base64(const std::string& bytes) {
  std::string out(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  out.resize(out.find('\0'));
  return out;
}

int ExportLetters(const LetterArgs& args) {
  if (args.format == "hl7" && !args.payload) {
    return Fail("--format hl7 writes the messages themselves: say --payload");
  }
  return WithFilter(args, [&](hub::Hub& hub, const hub::LetterFilter& filter) {
    auto letters = hub.DeadLetters(filter);
    if (!letters) {
      return Fail(letters.error().message, kUndecided);
    }
    if (args.payload) {
      if (auto audited = hub.RecordAct("dlq export", Facts(filter, letters->size())); !audited) {
        return Fail(audited.error().message, kUndecided);
      }
    }
    int exit_code = kFine;
    for (const auto& letter : *letters) {
      Json json = Described(letter);
      if (args.payload) {
        auto raw = hub.DeadLetterRaw(letter.id);
        if (!raw || !*raw) {
          exit_code = Fail(raw ? fmt::format("message {} may not be shown", letter.id) : raw.error().message, kFindings);
          continue;
        }
        if (args.format == "hl7") {
          std::cout << **raw << (raw->value().ends_with('\r') ? "" : "\r");
          continue;
        }
        json["value"] = letter.detail;
        if (IsUtf8(**raw)) {
          json["message"] = **raw;
        } else {
          json["message_base64"] = Base64(**raw);
        }
      }
      std::cout << Dump(json) << '\n';
    }
    return exit_code;
  });
}

void AddFilter(CLI::App* command, LetterArgs& args) {
  command->add_option("--class", args.filter.error_class, "schema, terminology, policy or transform");
  command->add_option("--code", args.filter.code, "code, as in `explain`");
  command->add_option("--path", args.filter.path, "where in the message");
  command->add_option("--sender", args.filter.sender, "MSH-4, else MSH-3");
  command->add_option("--since", args.since, "received then or later: a time, or 15m, 2h, 7d ago");
}

}  // namespace

void AddLetterCommands(CLI::App* hub, Action& action) {
  auto args = std::make_shared<LetterArgs>();
  CLI::App* dlq = hub->add_subcommand("dlq", "dead letters: what was refused, and why");
  dlq->require_subcommand(1);
  CLI::App* list = AddHubCommand(dlq, action, "list", "causes, most first; one fix mends each", args, List);
  AddFilter(list, *args);
  list->add_flag("--each", args->each, "one line per dead letter instead");
  CLI::App* show = AddHubCommand(dlq, action, "show", "the message, its values masked", args, Show);
  show->add_option("id", args->id, "from `dlq list`")->required();
  CLI::App* exported = AddHubCommand(dlq, action, "export", "one line of JSON per dead letter", args, ExportLetters);
  AddFilter(exported, *args);
  exported->add_option("--format", args->format, "ndjson, or hl7: the messages as received")->check(CLI::IsMember({"ndjson", "hl7"}));
  for (CLI::App* command : {list, show, exported}) {
    command->add_flag("--payload", args->payload, "with what the messages say: patient data; audited");
  }
}

}  // namespace weir::operate
