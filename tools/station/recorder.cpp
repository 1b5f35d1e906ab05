#include "tools/station/recorder.h"

#include <sys/eventfd.h>

#include <algorithm>

namespace tallystick::station {

Recorder::Recorder(Ledger ledger, int wake)
    : ledger_(std::move(ledger)), wake_(wake), thread_([this] { work(); }) {}

Recorder::~Recorder() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  filled_.notify_one();
  thread_.join();
}

void Recorder::note(std::string line) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({0, std::move(line), {}, false});
  }
  filled_.notify_one();
}

void Recorder::commit(std::uint64_t ticket, std::string line, std::vector<OwnedFile> files) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({ticket, std::move(line), std::move(files), true});
  }
  filled_.notify_one();
}

Recorder::Finished Recorder::take_finished() {
  const std::lock_guard lock(mutex_);
  auto finished = std::exchange(finished_, {});
  finished_.error = finished.error;
  return finished;
}

void Recorder::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    filled_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const auto items = std::exchange(waiting_, {});
    if (finished_.error) continue;
    lock.unlock();
    auto done = write(items);
    lock.lock();
    const bool good = done.ok();
    if (!good) finished_.error = std::move(done).error();
    for (const auto& item : items) {
      if (good && item.durable) finished_.tickets.push_back(item.ticket);
    }
    (void)::eventfd_write(wake_, 1);
  }
}

Done Recorder::write(const std::vector<Item>& items) {
  std::vector<std::string> lines;
  bool durable = false;
  for (const auto& item : items) {
    if (!item.files.empty()) {
      std::vector<cli::FileToWrite> files;
      for (const auto& file : item.files) files.push_back({file.path, file.bytes});
      if (auto done = cli::write_files(files); !done) return done;
    }
    lines.push_back(item.line);
    durable = durable || item.durable;
  }
  return ledger_.append(lines, durable);
}

}  // namespace tallystick::station
