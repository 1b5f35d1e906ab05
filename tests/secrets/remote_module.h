// RemoteModule: the module in a process of its own that does nothing else, so that its whole memory
// is the product's. The test calls it through a list of functions like any other; the arguments
// stay where they are, in memory that both processes share.
#pragma once

#include <p11-kit/pkcs11.h>

#include "tests/secrets/process_memory.h"

namespace tallystick::test {

class RemoteModule {
 public:
  // Forks, and loads the module there. To be made outside in_shared_memory() and before there are
  // any secrets: the process is a copy of this one. Its working folder is `folder`; its standard
  // output and error go to the file "output" in it.
  explicit RemoteModule(const std::string& folder);
  RemoteModule(const RemoteModule&) = delete;
  RemoteModule& operator=(const RemoteModule&) = delete;
  ~RemoteModule();

  // To be called inside in_shared_memory().
  [[nodiscard]] CK_FUNCTION_LIST* functions() const;
  // Runs in the other process.
  CK_RV run(CK_RV (*function)(CK_FUNCTION_LIST* list, void* argument), void* argument);

  // What is left in the process.
  [[nodiscard]] Needles::Found find(const Needles& needles, Look look = Look::kEverything) const;
  // Ends the process with a signal that makes the kernel write its core, and gives the file's name.
  // Empty where the machine hands cores to a program or writes none.
  std::string dump_core();

 private:
  std::string folder_;
  int pid_ = -1;
  int to_child_ = -1;
  int from_child_ = -1;
};

}  // namespace tallystick::test
