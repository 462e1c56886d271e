#include "compiler/fhir/package_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <memory>

namespace weir::fhir {

Result<void> ReadPackage(const std::string& path, const std::function<bool(const std::string&)>& want,
                         const std::function<void(const std::string&, std::string)>& use) {
  constexpr size_t kMaxFile = 256u << 20;  // the largest definition of R4 has 8 MB
  std::unique_ptr<archive, int (*)(archive*)> in(archive_read_new(), archive_read_free);
  archive_read_support_filter_gzip(in.get());
  archive_read_support_format_tar(in.get());
  if (archive_read_open_filename(in.get(), path.c_str(), 1 << 20) != ARCHIVE_OK) {
    return Error{path + ": not a readable package"};
  }
  archive_entry* entry = nullptr;
  int status = ARCHIVE_OK;
  while ((status = archive_read_next_header(in.get(), &entry)) == ARCHIVE_OK) {
    std::string name = archive_entry_pathname(entry);
    constexpr std::string_view kFolder = "package/";
    if (!name.starts_with(kFolder) || archive_entry_filetype(entry) != AE_IFREG) {
      continue;
    }
    name.erase(0, kFolder.size());
    if (!want(name)) {
      continue;
    }
    std::string text;
    char buffer[1 << 16];
    la_ssize_t size = 0;
    while ((size = archive_read_data(in.get(), buffer, sizeof buffer)) > 0) {
      text.append(buffer, static_cast<size_t>(size));
      if (text.size() > kMaxFile) {
        return Error{path + ": " + name + " is larger than any definition"};
      }
    }
    if (size < 0) {
      return Error{path + ": " + name + " cannot be read"};
    }
    use(name, std::move(text));
  }
  if (status != ARCHIVE_EOF) {
    return Error{path + ": damaged archive"};
  }
  return {};
}

}  // namespace weir::fhir
