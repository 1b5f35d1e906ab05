// Recorder: the thread that makes things durable, so that nobody who serves lines waits for a disk.
// What arrives while it writes is written together the next time: one sync for all of it.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "tools/station/ledger.h"

namespace tallystick::station {

struct OwnedFile {
  std::string path;
  core::Bytes bytes;
};

class Recorder {
 public:
  // `wake` is an eventfd, written to whenever something has become durable.
  Recorder(Ledger ledger, int wake);
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  // Writes what is left.
  ~Recorder();

  // A line that may wait.
  void note(std::string line);
  // Files, then a line that has to be durable; `ticket` comes back from take_finished().
  void commit(std::uint64_t ticket, std::string line, std::vector<OwnedFile> files = {});

  struct Finished {
    std::vector<std::uint64_t> tickets;
    // After an error nothing more is written.
    std::optional<Failure> error;
  };
  Finished take_finished();

 private:
  struct Item {
    std::uint64_t ticket = 0;
    std::string line;
    std::vector<OwnedFile> files;
    bool durable = false;
  };
  void work();
  [[nodiscard]] Done write(const std::vector<Item>& items);

  Ledger ledger_;
  int wake_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::vector<Item> waiting_;
  Finished finished_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace tallystick::station
