#include "tests/secrets/remote_module.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>
#include <stdexcept>
#include <tuple>

#include "tests/pkcs11/support/module.h"
#include "tests/secrets/shared_memory.h"

namespace tallystick::test {
namespace {

// One at a time, in shared memory.
struct Call {
  CK_RV (*function)(CK_FUNCTION_LIST* list, void* argument) = nullptr;
  void* argument = nullptr;
  CK_RV rv = CKR_OK;
};
Call* call = nullptr;
RemoteModule* current = nullptr;

template <auto kMember, typename Pointer>
struct Forward;
template <auto kMember, typename... Arguments>
struct Forward<kMember, CK_RV (*)(Arguments...)> {
  static CK_RV function(Arguments... arguments) {
    using Kept = std::tuple<Arguments...>;
    Kept kept(arguments...);
    return current->run(
        [](CK_FUNCTION_LIST* list, void* given) {
          return std::apply(list->*kMember, *static_cast<const Kept*>(given));
        },
        &kept);
  }
};

template <auto kMember>
void forward(CK_FUNCTION_LIST& list) {
  using Pointer = std::remove_cvref_t<decltype(list.*kMember)>;
  list.*kMember = &Forward<kMember, Pointer>::function;
}

template <auto... kMembers>
void forward_all(CK_FUNCTION_LIST& list) {
  (forward<kMembers>(list), ...);
}

// The calls that Session and Bench make.
CK_FUNCTION_LIST forwarding_list() {
  using L = CK_FUNCTION_LIST;
  CK_FUNCTION_LIST list{};
  forward_all<&L::C_Initialize, &L::C_Finalize, &L::C_GetSlotList, &L::C_GetTokenInfo,
              &L::C_InitToken, &L::C_InitPIN, &L::C_SetPIN, &L::C_OpenSession, &L::C_CloseSession,
              &L::C_GetSessionInfo, &L::C_Login, &L::C_Logout, &L::C_CreateObject, &L::C_CopyObject,
              &L::C_DestroyObject, &L::C_GetAttributeValue, &L::C_SetAttributeValue,
              &L::C_FindObjectsInit, &L::C_FindObjects, &L::C_FindObjectsFinal, &L::C_EncryptInit,
              &L::C_Encrypt, &L::C_EncryptUpdate, &L::C_EncryptFinal, &L::C_DecryptInit,
              &L::C_Decrypt, &L::C_DecryptUpdate, &L::C_DecryptFinal, &L::C_SignInit, &L::C_Sign,
              &L::C_SignUpdate, &L::C_SignFinal, &L::C_VerifyInit, &L::C_Verify, &L::C_DigestInit,
              &L::C_Digest, &L::C_GenerateKey, &L::C_GenerateKeyPair, &L::C_WrapKey,
              &L::C_UnwrapKey, &L::C_DeriveKey, &L::C_GenerateRandom>(list);
  return list;
}

[[noreturn]] void serve(const std::string& folder, int in, int out) {
  const rlimit large{RLIM_INFINITY, RLIM_INFINITY};
  (void)setrlimit(RLIMIT_CORE, &large);
  const int output = open((folder + "/output").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  if (chdir(folder.c_str()) != 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) _exit(199);
  const Module module;
  char byte = 0;
  if (write(out, &byte, 1) != 1) _exit(199);
  while (read(in, &byte, 1) == 1) {
    call->rv = call->function(module.functions(), call->argument);
    if (write(out, &byte, 1) != 1) break;
  }
  _exit(0);
}

}  // namespace

RemoteModule::RemoteModule(const std::string& folder) : folder_(folder) {
  call = new (SharedMemory::instance().allocate(sizeof(Call))) Call;
  std::array<int, 2> down{};
  std::array<int, 2> up{};
  if (pipe2(down.data(), O_CLOEXEC) != 0 || pipe2(up.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("pipe");
  }
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork");
  if (pid_ == 0) {
    (void)close(down[1]);
    (void)close(up[0]);
    serve(folder, down[0], up[1]);
  }
  (void)close(down[0]);
  (void)close(up[1]);
  to_child_ = down[1];
  from_child_ = up[0];
  current = this;
  char byte = 0;
  if (read(from_child_, &byte, 1) != 1) throw std::runtime_error("the module does not load");
}

RemoteModule::~RemoteModule() {
  current = nullptr;
  (void)close(to_child_);
  (void)close(from_child_);
  if (pid_ > 0) (void)waitpid(pid_, nullptr, 0);
}

CK_FUNCTION_LIST* RemoteModule::functions() const {
  static CK_FUNCTION_LIST list = forwarding_list();
  return &list;
}

CK_RV RemoteModule::run(CK_RV (*function)(CK_FUNCTION_LIST* list, void* argument), void* argument) {
  if (!SharedMemory::instance().holds(argument)) {
    throw std::runtime_error("fixture: an argument that the other process does not see");
  }
  if (pid_ < 0) return CKR_GENERAL_ERROR;  // its core was taken
  *call = {function, argument, CKR_GENERAL_ERROR};
  char byte = 0;
  if (write(to_child_, &byte, 1) != 1 || read(from_child_, &byte, 1) != 1) {
    throw std::runtime_error("the process with the module has gone");
  }
  return call->rv;
}

Needles::Found RemoteModule::find(const Needles& needles, Look look) const {
  return find_in_process(pid_, needles, look, SharedMemory::instance().start());
}

std::string RemoteModule::dump_core() {
  std::string pattern;
  std::ifstream("/proc/sys/kernel/core_pattern") >> pattern;
  // The processor's wide registers are in a core, with what was copied last.
  (void)run(
      [](CK_FUNCTION_LIST*, void*) -> CK_RV {
        std::array<char, 2000> from{};
        std::array<char, 2000> to{};
        for (std::size_t size = 1; size <= from.size(); ++size) {
          asm volatile("" : "+r"(size));
          std::memcpy(to.data(), from.data(), size);
          asm volatile("" : : "r"(to.data()), "r"(from.data()) : "memory");
        }
        return CKR_OK;
      },
      call);
  (void)kill(pid_, SIGABRT);
  int status = 0;
  (void)waitpid(pid_, &status, 0);
  const auto name = folder_ + "/core." + std::to_string(pid_);
  pid_ = -1;
  if (!WIFSIGNALED(status) || !WCOREDUMP(status) || pattern != "core") return "";
  return std::filesystem::exists(name) ? name : folder_ + "/core";
}

}  // namespace tallystick::test
