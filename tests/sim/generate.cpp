// Messages for tests/sim/sim.weir: few patients and visits so that they meet, everything a sender does wrong, and the night New York
// leaves daylight saving.
#include <cstdio>
#include <ctime>

#include "tests/sim/workload.h"
#include "tests/sim/world.h"

namespace weir::sim {
namespace {

std::string Stamp(int64_t seconds) {
  const auto time = static_cast<time_t>(seconds);
  tm parts{};
  gmtime_r(&time, &parts);
  char text[16];
  strftime(text, sizeof text, "%Y%m%d%H%M%S", &parts);
  return text;
}

struct Made {
  std::string sender = "EAST", type = "ADT^A01^ADT_A01", event = "A01", control, processing = "P", version = "2.5.1", modes, sent, happened;
  int patient = 1, visit = 1, other = 1;
  std::string name, sex, birth;
  bool anonymous = false;
  std::string Text() const;
};

std::string Made::Text() const {
  const auto mrn = [this](int number) { return std::to_string(1000 + number) + "^^^" + sender + "^MR"; };
  std::string text = "MSH|^~\\&|SEND|" + sender + "|RECV|HOSP|" + sent + "||" + type + "|" + control + "|" + processing + "|" + version + modes + "\r";
  text += "EVN|" + event + "|" + happened + "\r";
  text += "PID|1||" + (anonymous ? "" : mrn(patient)) + "||" + name + "||" + birth + "|" + sex + "\r";
  if (event == "A40") {
    return text + "MRG|" + mrn(other) + "\r";
  }
  text += "PV1|1|" + std::string(visit % 3 == 0 ? "O" : "I") + "|W" + std::to_string(visit % 4) + "^" + std::to_string(visit) + "|||||||||||||||" +
          "|V" + std::to_string(patient) + "-" + std::to_string(visit) + "|||||||||||||||||||||||||" + happened + "\r";
  return text;
}

}  // namespace

std::vector<std::string> GenerateMessages(Random& random, size_t count) {
  static const std::vector<std::string> kEvents = {"A01", "A01", "A02", "A03", "A04", "A08", "A08", "A11", "A13", "A40"};
  static const std::vector<std::string> kNames = {"Doe^Jane", "Doe^Jane^Q", "Roe^Richard", "O'Neil^\xC3\x81ine", "\"\"", "Poe^", ""};
  static const std::vector<std::string> kModes = {"|||AL|NE", "|||AL|AL", "|||NE|AL", "|||NE|AL", "|||SU|SU", "|||ER|ER", "|||AL", "|||NE|NE"};
  std::vector<std::string> texts;
  std::vector<Made> made;
  const auto patients = static_cast<int64_t>(1 + count / 5);
  // 04:00 to 08:00 of November 2nd UTC is the night of the change; one in three falls into it, the others days around it.
  const int64_t night = World::kEpochUs / 1'000'000 + 81'600;
  while (texts.size() < count) {
    Made one;
    one.control = "C" + std::to_string(made.size());
    one.event = random.Pick(kEvents);
    one.type = "ADT^" + one.event;
    one.patient = static_cast<int>(random.Between(1, patients));
    one.other = static_cast<int>(random.Between(1, patients));
    one.visit = static_cast<int>(random.Between(1, 2));
    one.name = random.Pick(kNames);
    one.sex = random.Pick(std::vector<std::string>{"F", "M", "U", "", "\"\""});
    one.birth = random.Pick(std::vector<std::string>{"19800101", "1980", "", "\"\""});
    const int64_t at = random.Percent(33) ? night - 9'000 + random.Between(0, 14'400) : night + random.Between(-3 * 86'400, 86'400);
    one.happened = Stamp(at) + (random.Percent(30) ? "-0500" : "");
    one.sent = Stamp(at + random.Between(0, 600));
    if (one.event == "A40" && one.other == one.patient) {
      one.event = "A08";
      one.type = "ADT^A08";
    }
    if (random.Percent(25)) {
      one.sender = "TELL";
    }
    if (random.Percent(20)) {
      one.modes = random.Pick(kModes);
    }
    switch (random.Below(24)) {
      case 0: one.anonymous = true; break;                       // a dead letter
      case 1: one.type = "ORU^R01"; break;                       // its sender must mend it
      case 2: one.type = "ADT^A60"; break;
      case 3: one.processing = "T"; break;
      case 4: one.version = "9"; break;
      case 5: one.birth = "19801399"; break;
      case 6: one.name = "Doe^J\xFF\xFE"; break;                 // no charset we know
      case 7: one.patient = 1; one.visit = 1; break;             // long chains
      case 8:
        if (!made.empty()) {  // a control id again, for something else
          one.control = random.Pick(made).control;
        }
        break;
      case 9:
      case 10:
        if (!made.empty()) {  // sent again with other transport fields: the same event
          one = random.Pick(made);
          one.sent = Stamp(night + random.Between(0, 90'000));
        }
        break;
      default: break;
    }
    made.push_back(one);
    std::string text = one.Text();
    if (random.Below(60) == 0) {
      text = text.substr(text.find('\r') + 1);  // no header
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace weir::sim
