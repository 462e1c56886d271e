#include "tests/differential/engines/recorded.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "runtime/frame/framer.h"

namespace weir::engines {

std::vector<std::string> RecordsOf(const std::filesystem::path& path) {
  std::stringstream buffer;
  buffer << std::ifstream(path, std::ios::binary).rdbuf();
  std::vector<std::string> records;
  frame::Framer framer({}, [&](const frame::Frame& frame) {
    if (frame.kind == frame::FrameKind::kMessage) {
      records.emplace_back(frame.bytes);
    }
  });
  framer.Push(buffer.str());
  framer.Finish();
  return records;
}

Input Inputs(const std::string& source) {
  const char* variable = std::getenv("WEIR_SHARED");
  std::filesystem::path shared =
      (variable != nullptr ? std::string(variable) : source + "/../shared") + "/data/hl7v2";
  Input input;
  input.shared = std::filesystem::exists(shared);
  for (const std::filesystem::path& root :
       {std::filesystem::path(source + "/tests/data"),
        std::filesystem::path(source + "/examples/adt/messages"), shared}) {
    if (!std::filesystem::exists(root)) {
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (entry.is_regular_file()) {
        input.files.push_back(entry.path());
      }
    }
  }
  std::sort(input.files.begin(), input.files.end());
  return input;
}

}  // namespace weir::engines
