#include "tests/faults/support/disk.h"

#include <algorithm>
#include <filesystem>
#include <random>

#include "tests/support/scratch.h"

namespace tallystick::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSector = 512;

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

void write_into(core::Bytes& content, const StorageEvent& event) {
  if (event.call == StorageCall::kTruncate) {
    content.resize(event.size);
    return;
  }
  content.resize(std::max<std::size_t>(content.size(), event.offset + event.data.size()));
  std::copy(event.data.begin(), event.data.end(),
            content.begin() + static_cast<std::ptrdiff_t>(event.offset));
}

// One file, whatever its name: what is sure, and what was done to it since.
struct File {
  core::Bytes durable;
  std::vector<const StorageEvent*> pending;
  bool shared_index = false;  // a mapping of it is what counts, and a restart ends all mappings
};

// A folder has no file.
using FilePtr = std::shared_ptr<File>;

struct NameChange {
  const StorageEvent* event;
  FilePtr file;  // what was made
};

using Names = std::map<std::string, FilePtr>;

void change_name(Names& names, const NameChange& change) {
  const auto& event = *change.event;
  switch (event.call) {
    case StorageCall::kCreate:
    case StorageCall::kMakeDirectory:
      names[event.path] = change.file;
      return;
    case StorageCall::kUnlink:
    case StorageCall::kRemoveDirectory:
      names.erase(event.path);
      return;
    case StorageCall::kRename: {
      Names moved;
      for (auto at = names.begin(); at != names.end();) {
        const auto& [name, file] = *at;
        if (name != event.path && !name.starts_with(event.path + "/")) {
          ++at;
          continue;
        }
        moved[event.to + name.substr(event.path.size())] = file;
        at = names.erase(at);
      }
      for (auto& [name, file] : moved) names[name] = file;
      return;
    }
    default:
      return;
  }
}

// The record up to a place, sorted into what is sure and what is not.
class Replay {
 public:
  Replay(Names names, Loss loss, std::uint32_t seed)
      : now_(names), durable_(std::move(names)), loss_(loss), random_(seed) {}

  void take(const StorageEvent& event) {
    switch (event.call) {
      case StorageCall::kWrite:
      case StorageCall::kTruncate:
        if (const auto file = now_.find(event.path); file != now_.end()) {
          file->second->pending.push_back(&event);
          if (event.call == StorageCall::kWrite) latest_ = &event;
        }
        return;
      case StorageCall::kSync:
        sync(event.path);
        return;
      case StorageCall::kCreate:
      case StorageCall::kMakeDirectory:
      case StorageCall::kUnlink:
      case StorageCall::kRemoveDirectory:
      case StorageCall::kRename: {
        NameChange change{&event, nullptr};
        if (event.call == StorageCall::kCreate) {
          change.file = std::make_shared<File>();
          change.file->shared_index = event.path.ends_with("-shm");
        }
        change_name(now_, change);
        pending_names_[parent_of(event.path)].push_back(std::move(change));
        return;
      }
      default:
        return;
    }
  }

  Names cut() {
    std::vector<const NameChange*> kept;
    for (const auto& [directory, changes] : pending_names_) {
      auto count = changes.size();
      if (loss_ == Loss::kAll || loss_ == Loss::kButLatest) count = 0;
      if (loss_ == Loss::kSome) count = random_() % (changes.size() + 1);
      for (std::size_t i = 0; i < count; ++i) kept.push_back(&changes[i]);
    }
    // As they came: the events stand in one array.
    std::ranges::sort(kept, {}, [](const NameChange* change) { return change->event; });
    for (const auto* const change : kept) change_name(durable_, *change);
    for (const auto& [name, file] : durable_) {
      if (file) settle(*file);
    }
    return durable_;
  }

 private:
  void sync(const std::string& path) {
    if (const auto file = now_.find(path); file != now_.end() && file->second) {
      for (const auto* const event : file->second->pending)
        write_into(file->second->durable, *event);
      file->second->pending.clear();
      return;
    }
    for (const auto& change : pending_names_[path]) change_name(durable_, change);
    pending_names_.erase(path);
  }

  void settle(File& file) {
    for (const auto* const event : file.pending) {
      switch (loss_) {
        case Loss::kAll:
          break;
        case Loss::kNothing:
          write_into(file.durable, *event);
          break;
        case Loss::kSome:
          some_of(file.durable, *event);
          break;
        case Loss::kTornLast:
          torn(file.durable, *event);
          break;
        case Loss::kButLatest:
          if (event == latest_) write_into(file.durable, *event);
          break;
      }
    }
    file.pending.clear();
    // Whatever stands there means nothing to the next process.
    if (file.shared_index) file.durable.assign(32768, 0xA5);
  }

  void some_of(core::Bytes& content, const StorageEvent& event) {
    if (event.call == StorageCall::kTruncate) {
      if (random_() % 2 != 0) write_into(content, event);
      return;
    }
    for (std::size_t at = 0; at < event.data.size();) {
      // Up to the end of the sector on the disk.
      const auto size = std::min(kSector - (event.offset + at) % kSector, event.data.size() - at);
      if (random_() % 2 != 0) {
        const auto from = event.data.begin() + static_cast<std::ptrdiff_t>(at);
        write_into(content, {StorageCall::kWrite,
                             {},
                             {},
                             event.offset + at,
                             {from, from + static_cast<std::ptrdiff_t>(size)},
                             0});
      }
      at += size;
    }
  }

  void torn(core::Bytes& content, const StorageEvent& event) {
    if (&event != latest_) {
      write_into(content, event);
      return;
    }
    const auto end = (event.offset + event.data.size() / 2) / kSector * kSector;
    if (end <= event.offset) return;
    auto half = event;
    half.data.resize(end - event.offset);
    write_into(content, half);
  }

  Names now_;
  Names durable_;
  std::map<std::string, std::vector<NameChange>> pending_names_;  // by folder
  const StorageEvent* latest_ = nullptr;
  Loss loss_;
  std::mt19937 random_;
};

}  // namespace

const char* name_of(Loss loss) {
  switch (loss) {
    case Loss::kAll:
      return "all lost";
    case Loss::kNothing:
      return "all kept";
    case Loss::kSome:
      return "some kept";
    case Loss::kTornLast:
      return "last write torn";
    case Loss::kButLatest:
      return "only the last write kept";
  }
  return "?";
}

Disk::Disk(const std::string& folder) : folder_(folder) {
  if (!fs::exists(folder)) return;
  directories_.push_back(folder);
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_directory()) {
      directories_.push_back(entry.path().string());
    } else {
      files_[entry.path().string()] = read_file(entry.path().string());
    }
  }
}

void Disk::put(const std::vector<StorageEvent>& events, std::size_t count, Loss loss,
               std::uint32_t seed, const std::string& to) const {
  Names names;
  for (const auto& directory : directories_) names[directory] = nullptr;
  for (const auto& [name, content] : files_) {
    names[name] = std::make_shared<File>(File{content, {}, name.ends_with("-shm")});
  }
  Replay replay(std::move(names), loss, seed);
  for (std::size_t i = 0; i < count; ++i) replay.take(events[i]);
  fs::remove_all(to);
  // In the order of their names a folder comes before what is in it.
  for (const auto& [name, file] : replay.cut()) {
    const auto path = to + name.substr(folder_.size());
    if (name != folder_ && !fs::exists(parent_of(path))) continue;
    if (file) {
      write_file(path, file->durable);
      fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    } else {
      fs::create_directory(path);
      fs::permissions(path, fs::perms::owner_all);
    }
  }
}

}  // namespace tallystick::test
