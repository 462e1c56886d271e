// hub ledger|digest|verify|export|find
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "runtime/operate/hub_args.h"
#include "runtime/operate/ledger_text.h"

namespace weir::operate {
namespace {

struct ReadArgs {
  HubArgs hub;
  bool records = false;
  std::string type;
  std::string needle;
};

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

int PrintLedger(const ReadArgs& args) {
  return WithHub(args.hub, [&](hub::Hub& hub) {
    if (args.records) {
      return PrintRecords(hub);
    }
    auto ledger = hub.ReadLedger();
    if (!ledger) {
      return Fail(ledger.error().message, kUndecided);
    }
    if (args.hub.json) {
      std::cout << hub::LedgerJson(*ledger) << '\n';
      return static_cast<int>(kFine);
    }
    std::cout << FormatLedger(*ledger);
    return static_cast<int>(kFine);
  });
}

int PrintDigest(const ReadArgs& args) {
  return WithHub(args.hub, [&](hub::Hub& hub) {
    auto digest = hub.Digest();
    if (!digest) {
      return Fail(digest.error().message, kUndecided);
    }
    std::cout << (args.hub.json ? nlohmann::json{{"digest", *digest}}.dump() : *digest) << '\n';
    return static_cast<int>(kFine);
  });
}

int Verify(const ReadArgs& args) {
  return WithHub(args.hub, [&](hub::Hub& hub) {
    auto report = hub.Verify();
    if (!report) {
      return Fail(report.error().message, kUndecided);
    }
    if (args.hub.json) {
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

int Export(const ReadArgs& args) {
  return WithHub(args.hub, [&](hub::Hub& hub) {
    auto count = hub.Export(std::cout, args.type);
    return count ? static_cast<int>(kFine) : Fail(count.error().message, kUndecided);
  });
}

int Find(const ReadArgs& args) {
  return WithHub(args.hub, [&](hub::Hub& hub) {
    size_t messages = 0;
    auto count = hub.Find(std::cout, args.needle, [&](const hub::FoundMessage& message) {
      ++messages;
      std::cerr << fmt::format("message {}: {} {}, {}, {} #{}\n", message.msg, message.feed, message.event, message.outcome,
                               message.source, message.position);
    });
    if (!count) {
      return Fail(count.error().message, kUndecided);
    }
    return static_cast<int>(*count > 0 || messages > 0 ? kFine : kFindings);
  });
}

}  // namespace

void AddReadCommands(CLI::App* hub, Action& action) {
  auto args = std::make_shared<ReadArgs>();
  AddHubCommand(hub, action, "ledger", "what became of every record, by feed", args, PrintLedger)
      ->add_flag("--records", args->records, "one line of JSON per record instead");
  AddHubCommand(hub, action, "digest", "a hash of the state that knows nothing of arrival", args, PrintDigest);
  AddHubCommand(hub, action, "verify", "check audit chains, ledger and folds", args, Verify);
  AddHubCommand(hub, action, "export", "current resources as NDJSON, in id order", args, Export)
      ->add_option("--type", args->type, "only this resource type");
  AddHubCommand(hub, action, "find", "messages (on stderr) and resources by id, identifier, visit or control id; audited", args, Find)
      ->add_option("value", args->needle, "a resource id, an identifier's value or a control id")
      ->required();
}

}  // namespace weir::operate
