#include "tests/secrets/process_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <new>
#include <sstream>
#include <stdexcept>

#include "core/crypto/handles.h"
#include "tests/support/scratch.h"

namespace tallystick::test {
namespace {

namespace fs = std::filesystem;

void add(Needles::Found& all, const Needles::Found& more, const std::string& where) {
  for (const auto& [name, count] : more) all[name + " (" + where + ")"] += count;
}

std::string kind_of(const Mapping& mapping) {
  if (!mapping.in_dumps) return "locked";
  if (mapping.name.empty()) return "anonymous";
  return fs::path(mapping.name).filename().string();
}

// "start-end rwxp offset device inode   name"
bool is_header(const std::string& line) { return line.find('-') < line.find(' '); }

}  // namespace

std::vector<Mapping> mappings_of(int pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/smaps");
  if (!in) throw std::runtime_error("the mappings of the process cannot be read");
  std::vector<Mapping> all;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    if (is_header(line)) {
      Mapping mapping;
      std::string flags;
      std::string skipped;
      char dash = 0;
      words >> std::hex >> mapping.start >> dash >> mapping.end >> flags;
      words >> skipped >> skipped >> skipped >> mapping.name;
      mapping.writable = flags.find('w') != std::string::npos;
      all.push_back(mapping);
    } else if (line.starts_with("VmFlags:")) {
      for (std::string flag; words >> flag;) {
        if (flag == "dd") all.back().in_dumps = false;
      }
    }
  }
  if (all.empty()) throw std::runtime_error("the process has no mappings");
  return all;
}

Needles::Found find_in_process(int pid, const Needles& needles, Look look, std::uintptr_t skip) {
  const int fd = open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw std::runtime_error("the memory of the process cannot be read");
  Needles::Found found;
  std::size_t looked = 0;
  for (const auto& mapping : mappings_of(pid)) {
    if (!mapping.writable || mapping.start == skip) continue;
    if (look == Look::kDumped && !mapping.in_dumps) continue;
    // Not from new, which a test may have turned into shared memory.
    const auto size = mapping.end - mapping.start;
    const std::unique_ptr<void, core::HandleDeleter<std::free>> copy(std::malloc(size));
    if (!copy) throw std::bad_alloc();
    if (pread64(fd, copy.get(), size, static_cast<off64_t>(mapping.start)) !=
        static_cast<ssize_t>(size)) {
      continue;
    }
    looked += size;
    add(found, needles.in({static_cast<const std::uint8_t*>(copy.get()), size}), kind_of(mapping));
  }
  (void)close(fd);
  if (looked < 64UL * 1024) throw std::runtime_error("there was no memory to look at");
  return found;
}

Needles::Found find_in_file(const std::string& path, const Needles& needles) {
  Needles::Found found;
  add(found, needles.in(read_file(path)), fs::path(path).filename().string());
  return found;
}

Needles::Found find_in_folder(const std::string& path, const Needles& needles) {
  Needles::Found found;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) found.merge(find_in_file(entry.path().string(), needles));
  }
  return found;
}

std::string words(const Needles::Found& found) {
  std::string out;
  for (const auto& [name, count] : found) out += std::to_string(count) + " x " + name + "\n";
  return out;
}

}  // namespace tallystick::test
