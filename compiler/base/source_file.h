// SourceFile and Span: every node, type and diagnostic points back into text through these. Offsets are bytes of the
// UTF-8 text; lines and columns are counted from 1, columns in bytes (renderers turn them into display columns).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

enum class FileId : uint32_t {};
inline constexpr FileId kNoFile{0xFFFFFFFF};

// Half-open byte range [begin, end) of one file.
struct Span {
  FileId file = kNoFile;
  uint32_t begin = 0;
  uint32_t end = 0;

  bool valid() const { return file != kNoFile; }
  friend bool operator==(const Span&, const Span&) = default;
};

struct LineColumn {
  uint32_t line = 1;
  uint32_t column = 1;
};

class SourceFile {
 public:
  SourceFile(std::string path, std::string text);

  const std::string& path() const { return path_; }
  std::string_view text() const { return text_; }
  LineColumn Locate(uint32_t offset) const;
  // The text of line `line` (from 1), without its line end.
  std::string_view Line(uint32_t line) const;
  uint32_t line_count() const { return static_cast<uint32_t>(line_starts_.size()); }
  std::string_view Text(Span span) const { return text().substr(span.begin, span.end - span.begin); }

 private:
  std::string path_;
  std::string text_;
  std::vector<uint32_t> line_starts_;
};

// Owns the files of one compilation; a FileId is an index into it.
class SourceFiles {
 public:
  FileId Add(std::string path, std::string text);
  const SourceFile& operator[](FileId id) const { return *files_[static_cast<uint32_t>(id)]; }
  size_t size() const { return files_.size(); }

 private:
  std::vector<std::unique_ptr<SourceFile>> files_;
};

}  // namespace weir
