#include "runtime/hub/acts.h"

#include <pwd.h>
#include <unistd.h>

#include <array>

namespace weir::hub {
namespace {

std::string UserName() {
  std::array<char, 4096> buffer{};
  passwd entry{}, *found = nullptr;
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return "uid " + std::to_string(geteuid());
}

}  // namespace

Digest32 ActLink(const Digest32& before, const Act& act) {
  const std::string head = std::to_string(act.seq) + " " + std::to_string(act.at_us);
  return Hasher<32>().Add(View(before)).Add(head).Add(act.who).Add(act.what).Add(act.facts).Finish();
}

void AppendAct(Database& db, Act act) {
  Digest32 before{};
  {
    Statement last(db, "SELECT seq, hash FROM act ORDER BY seq DESC LIMIT 1");
    if (last.First()) {
      act.seq = last.Int(0);
      memcpy(before.data(), last.Bytes(1).data(), std::min(before.size(), last.Bytes(1).size()));
    }
  }
  ++act.seq;
  act.who = UserName();
  Statement insert(db, "INSERT INTO act VALUES(?,?,?,?,?,?)");
  insert.Run(act.seq, act.at_us, std::string_view(act.who), std::string_view(act.what), std::string_view(act.facts),
             Blob{View(ActLink(before, act))});
}

}  // namespace weir::hub
