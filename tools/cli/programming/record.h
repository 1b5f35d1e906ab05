// The record of a programming run: one JSON object on a line for each part, appended and made
// durable before the next part is counted. A line that a power cut left unfinished is passed over.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include <nlohmann/json.hpp>

#include "tools/cli/file_io.h"

namespace tallystick::cli {

class Record {
 public:
  // Without a path nothing is recorded.
  static Outcome<Record> open(const std::string& path);

  Record(Record&& other) noexcept;
  Record& operator=(Record&&) = delete;
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;
  ~Record() = default;

  // True when an earlier line says that this part took this package.
  [[nodiscard]] bool has(const std::string& part_id, const std::string& package_digest) const;
  // Safe to call from several threads.
  Done append(const nlohmann::ordered_json& line);

 private:
  Record(FileHandle file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  Done load(core::ByteView bytes);

  FileHandle file_;
  std::string path_;
  std::map<std::string, std::string> done_;  // part id: package digest
  std::mutex mutex_;
};

}  // namespace tallystick::cli
