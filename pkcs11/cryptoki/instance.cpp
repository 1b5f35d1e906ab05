#include "pkcs11/cryptoki/instance.h"

#include <openssl/crypto.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <shared_mutex>

#include "pkcs11/engine/sqlite_fork.h"

namespace tallystick::cryptoki {
namespace {

using token::bad_arguments;
using token::fault;
using token::Outcome;

struct State {
  std::shared_mutex mutex;
  std::shared_ptr<token::Module> module;
  // Outlives C_Finalize and fork: a handle from before is never another object's (A45).
  const std::shared_ptr<token::HandleSource> handles;
  // What a parent had before fork, left alone and still reachable.
  const State* const of_parent;
};

// Allocated once per process and left to its end.
std::atomic<State*> state{nullptr};
std::atomic<pid_t> owner{0};
// A byte that a fork turns to zero in the child, so that asking costs no system call; null where
// the kernel does not offer it.
std::atomic<volatile unsigned char*> alive{nullptr};
std::atomic<bool> libcrypto_gone{false};

void on_libcrypto_cleanup() { libcrypto_gone.store(true); }

// One C_Initialize at a time. The lock knows its process: a child that was forked while a thread of
// its parent held it takes it over, since that thread is not there to let it go.
class InitializeLock {
 public:
  InitializeLock() {
    const auto self = getpid();
    pid_t held = 0;
    while (!holder.compare_exchange_weak(held, self)) {
      if (held == self) holder.wait(self);
      if (held == self) held = 0;
    }
  }
  InitializeLock(const InitializeLock&) = delete;
  InitializeLock& operator=(const InitializeLock&) = delete;
  ~InitializeLock() {
    holder.store(0);
    holder.notify_one();
  }

 private:
  static std::atomic<pid_t> holder;
};
std::atomic<pid_t> InitializeLock::holder{0};

bool is_owner() {
  if (const auto* const byte = alive.load(std::memory_order_acquire)) return *byte != 0;
  return owner.load(std::memory_order_acquire) == getpid();
}

void mark_owner() {
  owner.store(getpid(), std::memory_order_release);
  auto* byte = alive.load();
  if (byte == nullptr) {
    const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    void* const page =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return;
    if (madvise(page, size, MADV_WIPEONFORK) != 0) {
      (void)munmap(page, size);
      return;
    }
    byte = static_cast<volatile unsigned char*>(page);
  }
  *byte = 1;
  alive.store(byte, std::memory_order_release);
}

Outcome<void> check_arguments(const CK_C_INITIALIZE_ARGS& args) {
  if (args.pReserved != nullptr) return bad_arguments("pReserved is not null");
  const int given = (args.CreateMutex != nullptr ? 1 : 0) + (args.DestroyMutex != nullptr ? 1 : 0) +
                    (args.LockMutex != nullptr ? 1 : 0) + (args.UnlockMutex != nullptr ? 1 : 0);
  if (given != 0 && given != 4) return bad_arguments("some mutex functions, but not all");
  // The system's own locks are always used; an application that forbids them cannot be served.
  if (given == 4 && (args.flags & CKF_OS_LOCKING_OK) == 0) {
    return fault(CKR_CANT_LOCK, "the application allows only its own locks");
  }
  return {};
}

}  // namespace

std::shared_ptr<token::Module> current() {
  auto* const here = state.load(std::memory_order_acquire);
  if (here == nullptr || !is_owner() || libcrypto_gone.load(std::memory_order_relaxed)) {
    return nullptr;
  }
  const std::shared_lock lock(here->mutex);
  return here->module;
}

Outcome<void> initialize(const CK_C_INITIALIZE_ARGS* args) {
  if (args != nullptr) {
    const CK_C_INITIALIZE_ARGS copy = *args;
    if (auto good = check_arguments(copy); !good) return good;
  }
  // libcrypto may have cleaned up before there was a handler of ours.
  if (libcrypto_gone.load() || OPENSSL_init_crypto(0, nullptr) != 1) {
    return fault(CKR_GENERAL_ERROR, "the process is ending");
  }
  const InitializeLock lock;
  if (current() != nullptr) {
    return fault(CKR_CRYPTOKI_ALREADY_INITIALIZED, "C_Initialize was called before");
  }
  auto* here = state.load();
  if (here == nullptr || !is_owner()) {
    // First call in this process. What a parent had is left alone, since its locks may be held by
    // threads that are not here; only SQLite must not take the parent's files for its own.
    token::close_inherited_connections();
    if (here == nullptr) (void)OPENSSL_atexit(&on_libcrypto_cleanup);
    here = new State{
        .mutex = {},
        .module = {},
        .handles = here == nullptr ? std::make_shared<token::HandleSource>() : here->handles,
        .of_parent = here};
    state.store(here, std::memory_order_release);
    mark_owner();
  }
  token::ModuleOptions options;
  options.handles = here->handles;
  auto module = token::Module::create(std::move(options));
  if (!module) return std::move(module).error();
  const std::unique_lock state_lock(here->mutex);
  here->module = *std::move(module);
  return {};
}

Outcome<void> finalize() {
  std::shared_ptr<token::Module> ending;
  if (current() == nullptr) return fault(CKR_CRYPTOKI_NOT_INITIALIZED, "not initialised");
  auto* const here = state.load();
  {
    const std::unique_lock lock(here->mutex);
    ending = std::move(here->module);
  }
  if (!ending) return fault(CKR_CRYPTOKI_NOT_INITIALIZED, "not initialised");
  // Calls that other threads are in keep the module until they are through.
  return {};
}

}  // namespace tallystick::cryptoki
