#include "runtime/ingest/sources.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace weir::ingest {
namespace fs = std::filesystem;

Result<std::vector<Source>> ExpandPaths(const std::vector<std::string>& paths) {
  std::vector<Source> sources;
  for (const std::string& path : paths) {
    std::error_code error;
    if (path == "-") {
      sources.push_back({path, 0});
    } else if (fs::is_directory(path, error)) {
      std::vector<Source> found;
      for (auto it = fs::recursive_directory_iterator(
               path, fs::directory_options::skip_permission_denied, error);
           !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
        if (it->path().filename().string().starts_with('.')) {
          if (it->is_directory(error)) {
            it.disable_recursion_pending();
          }
        } else if (it->is_regular_file(error)) {
          found.push_back({it->path().string(), it->file_size(error)});
        }
      }
      if (error) {
        return Error{"cannot list `" + path + "`"};
      }
      std::ranges::sort(found, {}, &Source::name);
      sources.insert(sources.end(), found.begin(), found.end());
    } else if (fs::exists(path, error)) {
      const auto size = fs::file_size(path, error);  // a pipe has none
      sources.push_back({path, error ? 0 : size});
    } else {
      return Error{"there is no `" + path + "`"};
    }
  }
  return sources;
}

bool ReadChunks(const Source& source, const std::function<bool(std::string_view)>& chunk) {
  const int file =
      source.name == "-" ? STDIN_FILENO : open(source.name.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return false;
  }
  std::vector<char> buffer(256u << 10);
  ssize_t size;
  do {
    size = read(file, buffer.data(), buffer.size());
  } while ((size < 0 && errno == EINTR) ||
           (size > 0 && chunk({buffer.data(), static_cast<size_t>(size)})));
  if (file != STDIN_FILENO) {
    close(file);
  }
  return size >= 0;
}

}  // namespace weir::ingest
