// hub acts
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "runtime/operate/hub_args.h"
#include "runtime/operate/when.h"

namespace weir::operate {
namespace {

struct AuditArgs {
  HubArgs hub;
};

int Acts(const AuditArgs& args) {
  return WithHub(args.hub, [&](hub::Hub& hub) {
    auto done = hub.EachAct([&](const hub::Act& act) {
      if (args.hub.json) {
        std::cout << nlohmann::ordered_json{{"seq", act.seq}, {"at", FormatTime(act.at_us)}, {"who", act.who}, {"what", act.what},
                                            {"facts", nlohmann::ordered_json::parse(act.facts, nullptr, false)}}
                         .dump()
                  << '\n';
      } else {
        std::cout << fmt::format("{:>5}  {}  {:<12} {:<12} {}\n", act.seq, FormatTime(act.at_us), act.who, act.what, act.facts);
      }
    });
    return done ? static_cast<int>(kFine) : Fail(done.error().message, kUndecided);
  });
}

}  // namespace

void AddAuditCommands(CLI::App* hub, Action& action) {
  auto args = std::make_shared<AuditArgs>();
  AddHubCommand(hub, action, "acts", "what people did to this hub, and what they looked at", args, Acts);
}

}  // namespace weir::operate
