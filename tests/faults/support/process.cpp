#include "tests/faults/support/process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include "tests/faults/support/storage_tap.h"

namespace tallystick::test {
namespace {

constexpr unsigned kLongest = 120;  // seconds
constexpr int kThrew = 199;

// The child's side of a fork.
[[noreturn]] void be_child(const std::function<int()>& work) {
  (void)alarm(kLongest);
  int status = kThrew;
  try {
    status = work();
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "child: %s\n", error.what());
  }
  _exit(status);
}

int status_of(int pid) {
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) throw std::runtime_error("waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

int forked() {
  (void)std::fflush(nullptr);
  const int pid = fork();
  if (pid < 0) throw std::runtime_error("fork");
  return pid;
}

}  // namespace

Ran run_to_kill(const std::string& folder, std::uint64_t at, const std::function<bool()>& work,
                const std::function<void()>& begin, const std::function<void()>& end) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw std::runtime_error("pipe");
  const int pid = forked();
  if (pid == 0) {
    be_child([&] {
      if (begin) begin();
      StorageTap::watch(folder);
      StorageTap::arm({.what = StoragePlan::What::kKill, .at = at});
      if (work() && write(ends[1], "k", 1) != 1) return 1;
      if (end) end();
      (void)StorageTap::disarm();
      return 0;
    });
  }
  (void)close(ends[1]);
  char said = 0;
  Ran ran;
  ran.acknowledged = read(ends[0], &said, 1) == 1;
  (void)close(ends[0]);
  ran.status = status_of(pid);
  ran.killed = ran.status == 256 + SIGKILL;
  return ran;
}

int run_apart(const std::function<int()>& work) {
  const int pid = forked();
  if (pid == 0) be_child(work);
  return status_of(pid);
}

}  // namespace tallystick::test
