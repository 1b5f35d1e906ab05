// A session with a token, borrowed from the token's pool, and the C_* functions that the provider
// uses, with results instead of return codes.
#pragma once

#include <memory>
#include <vector>

#include "core/base/secret.h"
#include "pkcs11/client/template.h"
#include "provider/module.h"

namespace tallystick::provider {

using client::Mechanism;
using client::Template;
using ObjectHandle = CK_OBJECT_HANDLE;

// One stretch of a token's life in which handles stay what they are: it ends with a fork, when the
// module is ended by somebody, or when the token goes.
struct Life {
  std::uint64_t epoch = 0;
  // Never two of the same number in a process.
  std::uint64_t generation = 0;
  CK_SLOT_ID slot = 0;
  // Under lists_lock().
  std::vector<CK_SESSION_HANDLE> idle;
  // Held over a login; one of another life is never waited for.
  std::mutex login;
  std::atomic<bool> logged_in{false};
  // Keeps the login alive while no other session is open. Under `login`.
  CK_SESSION_HANDLE anchor = 0;
};

// What a secret is made as whose value is the result of an operation: it may be read.
Template readable_secret(std::size_t size);

class Session {
 public:
  Session(const Module& module, std::shared_ptr<Life> life, std::string name,
          CK_SESSION_HANDLE handle)
      : module_(&module), life_(std::move(life)), name_(std::move(name)), handle_(handle) {}
  Session(Session&& other) noexcept;
  Session& operator=(Session&&) = delete;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  // Gives the session back to the pool, or closes it after a failure.
  ~Session();

  [[nodiscard]] const Life& life() const { return *life_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const Module& module() const { return *module_; }
  [[nodiscard]] CK_SESSION_HANDLE handle() const { return handle_; }
  // Not to be used again: closed instead of given back.
  void discard() { discarded_ = true; }

  Outcome<std::vector<ObjectHandle>> find(Template& wanted);
  // The value of an attribute; empty where the object has none or does not show it.
  Outcome<core::Bytes> attribute(ObjectHandle object, CK_ATTRIBUTE_TYPE type);
  // The value of a secret that was made for us (readable_secret), which the token forgets.
  Outcome<core::Secret> take_secret(ObjectHandle object, std::size_t most = 2048);
  Outcome<CK_ULONG> number(ObjectHandle object, CK_ATTRIBUTE_TYPE type, CK_ULONG otherwise);
  Done destroy(ObjectHandle object);

  // `pin` is given for keys that ask for it at every use.
  // A signature has `longest` bytes at most; a longer one costs another call.
  Outcome<core::Bytes> sign(Mechanism& mechanism, ObjectHandle key, core::ByteView data,
                            std::size_t longest, const core::Secret* pin);
  Outcome<core::Secret> decrypt(Mechanism& mechanism, ObjectHandle key, core::ByteView data,
                                const core::Secret* pin);
  Outcome<ObjectHandle> derive(Mechanism& mechanism, ObjectHandle base, Template& key);
  // By C_DecapsulateKey, which modules have from version 3.2 on.
  Outcome<ObjectHandle> decapsulate(Mechanism& mechanism, ObjectHandle private_key,
                                    core::ByteView ciphertext, Template& key);
  Outcome<ObjectHandle> generate(Mechanism& mechanism, Template& key);
  Outcome<std::pair<ObjectHandle, ObjectHandle>> generate_pair(Mechanism& mechanism,
                                                               Template& public_key,
                                                               Template& private_key);

 private:
  template <typename List, typename... Parameters, typename... Arguments>
  CK_RV call(CK_RV (*List::*function)(Parameters...), Arguments... arguments) {
    return module_->call(function, handle_, arguments...);
  }
  Failure failed(const std::string& what, CK_RV rv);
  Done authenticate_use(const core::Secret* pin);

  const Module* module_;
  std::shared_ptr<Life> life_;
  std::string name_;
  CK_SESSION_HANDLE handle_;
  bool discarded_ = false;
};

}  // namespace tallystick::provider
