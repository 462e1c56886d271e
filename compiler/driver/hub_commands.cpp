// weir hub ledger|digest|dlq|export|verify|find
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "compiler/driver/cli.h"
#include "compiler/driver/ledger_text.h"
#include "runtime/hub/hub.h"

namespace weir::driver {
namespace {

struct HubArgs {
  hub::HubOptions options{.path = {}, .key_file = {}, .read_only = true, .cache_kib = 65536};
  bool json = false;
  bool records = false;
  std::string type;
  std::string needle;
  int64_t id = 0;
};

// Opens the hub and hands it to `use`; the one place that turns a hub's error into an exit code.
int WithHub(const HubArgs& args, const std::function<int(hub::Hub&)>& use) {
  auto hub = hub::Hub::Open(args.options);
  if (!hub) {
    return Fail(hub.error().message, kUsage);
  }
  return use(**hub);
}

// NDJSON, for tests and for finding out what became of one message; holds no patient data.
int PrintRecords(hub::Hub& hub) {
  auto done = hub.EachRecord([](const hub::RecordOutcome& record) {
    nlohmann::ordered_json line{{"source", record.source},
                                {"index", record.position},
                                {"feed", record.feed},
                                {"event", record.event},
                                {"outcome", record.outcome},
                                {"contributions", record.contributions}};
    if (!record.code.empty()) {
      line["code"] = record.code;
      line["path"] = record.path;
    }
    std::cout << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  });
  return done ? static_cast<int>(kFine) : Fail(done.error().message, kUndecided);
}

int PrintLedger(const HubArgs& args) {
  return WithHub(args, [&](hub::Hub& hub) {
    if (args.records) {
      return PrintRecords(hub);
    }
    auto ledger = hub.ReadLedger();
    if (!ledger) {
      return Fail(ledger.error().message, kUndecided);
    }
    if (args.json) {
      std::cout << hub::LedgerJson(*ledger) << '\n';
      return static_cast<int>(kFine);
    }
    std::cout << FormatLedger(*ledger);
    return static_cast<int>(kFine);
  });
}

int PrintDigest(const HubArgs& args) {
  return WithHub(args, [&](hub::Hub& hub) {
    auto digest = hub.Digest();
    if (!digest) {
      return Fail(digest.error().message, kUndecided);
    }
    std::cout << (args.json ? nlohmann::json{{"digest", *digest}}.dump() : *digest) << '\n';
    return static_cast<int>(kFine);
  });
}

int Verify(const HubArgs& args) {
  return WithHub(args, [&](hub::Hub& hub) {
    auto report = hub.Verify();
    if (!report) {
      return Fail(report.error().message, kUndecided);
    }
    if (args.json) {
      std::cout << nlohmann::json{{"faults", report->faults},
                                  {"messages", report->messages},
                                  {"resources", report->resources},
                                  {"contributions", report->contributions},
                                  {"audit_events", report->audit_events}}
                       .dump()
                << '\n';
    } else {
      for (const auto& fault : report->faults) {
        std::cout << "fault: " << fault << '\n';
      }
      std::cout << fmt::format("{} messages, {} resources, {} contributions, {} audit events: {}\n", report->messages,
                               report->resources, report->contributions, report->audit_events,
                               report->faults.empty() ? "sound" : "NOT SOUND");
    }
    return static_cast<int>(report->faults.empty() ? kFine : kFindings);
  });
}

int Export(const HubArgs& args) {
  return WithHub(args, [&](hub::Hub& hub) {
    auto count = hub.Export(std::cout, args.type);
    return count ? static_cast<int>(kFine) : Fail(count.error().message, kUndecided);
  });
}

int Find(const HubArgs& args) {
  return WithHub(args, [&](hub::Hub& hub) {
    auto count = hub.Find(std::cout, args.needle);
    if (!count) {
      return Fail(count.error().message, kUndecided);
    }
    return static_cast<int>(*count > 0 ? kFine : kFindings);
  });
}

int ListDeadLetters(const HubArgs& args) {
  return WithHub(args, [&](hub::Hub& hub) {
    auto letters = hub.DeadLetters();
    if (!letters) {
      return Fail(letters.error().message, kUndecided);
    }
    nlohmann::json list = nlohmann::json::array();
    for (const auto& letter : *letters) {
      if (args.json) {
        list.push_back({{"id", letter.id},
                        {"feed", letter.feed},
                        {"class", letter.error_class},
                        {"code", letter.code},
                        {"path", letter.path},
                        {"event", letter.event},
                        {"source", letter.source},
                        {"index", letter.position}});
      } else {
        std::cout << fmt::format("{:>5}  {:<12} {:<20} {:<12} {:<10} {} #{}\n", letter.id, letter.error_class, letter.code,
                                 letter.path, letter.event, letter.source, letter.position);
      }
    }
    if (args.json) {
      std::cout << nlohmann::json{{"dead_letters", list}}.dump() << '\n';
    }
    return static_cast<int>(kFine);
  });
}

int ShowDeadLetter(const HubArgs& args) {
  return WithHub(args, [&](hub::Hub& hub) {
    auto raw = hub.DeadLetterRaw(args.id);
    if (!raw) {
      return Fail(raw.error().message, kUndecided);
    }
    if (!raw->has_value()) {
      return Fail(fmt::format("no dead letter {}", args.id), kFindings);
    }
    for (char c : **raw) {  // segments end in CR; a terminal wants LF
      std::cout.put(c == '\r' ? '\n' : c);
    }
    std::cout << '\n';
    return static_cast<int>(kFine);
  });
}

}  // namespace

void AddHubCommands(CLI::App& app, Action& action) {
  auto args = std::make_shared<HubArgs>();
  CLI::App* hub = app.add_subcommand("hub", "look into a hub");
  hub->require_subcommand(1);
  auto add = [&](CLI::App* parent, const char* name, const char* help, int (*run)(const HubArgs&)) {
    CLI::App* command = parent->add_subcommand(name, help);
    command->add_option("--hub", args->options.path, "the hub's file")->required();
    command->add_option("--key-file", args->options.key_file, "file with the encryption key (else WEIR_HUB_KEY_FILE)");
    command->add_flag("--json", args->json, "one JSON document, the last line");
    command->callback([&action, args, run] { action = [args, run] { return run(*args); }; });
    return command;
  };
  add(hub, "ledger", "what became of every record, by feed", PrintLedger)
      ->add_flag("--records", args->records, "one line of JSON per record instead");
  add(hub, "digest", "a hash of the state that knows nothing of arrival", PrintDigest);
  add(hub, "verify", "check audit chain, ledger and folds", Verify);
  add(hub, "export", "current resources as NDJSON, in id order", Export)
      ->add_option("--type", args->type, "only this resource type");
  add(hub, "find", "resources by id or identifier, with those that refer to them", Find)
      ->add_option("value", args->needle, "a resource id or an identifier's value")
      ->required();
  CLI::App* dlq = hub->add_subcommand("dlq", "dead letters");
  dlq->require_subcommand(1);
  add(dlq, "list", "class, code and path of each", ListDeadLetters);
  add(dlq, "show", "the raw message (patient data)", ShowDeadLetter)->add_option("id", args->id, "from `dlq list`")->required();
}

}  // namespace weir::driver
