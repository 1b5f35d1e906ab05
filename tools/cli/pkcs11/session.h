// A session with a token, and the C_* functions that the commands use, with results instead of
// return codes. A session closes itself; the last one to close logs out.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "pkcs11/client/template.h"
#include "tools/cli/pkcs11/module.h"

namespace tallystick::cli {

using client::Mechanism;
using client::Template;
using Handle = CK_OBJECT_HANDLE;

class Session {
 public:
  static Outcome<Session> open(std::shared_ptr<Module> module, const Slot& slot, bool writable);
  Session(Session&& other) noexcept;
  Session& operator=(Session&&) = delete;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  [[nodiscard]] const Slot& slot() const { return slot_; }
  [[nodiscard]] const Module& module() const { return *module_; }
  // "token <label>", for messages.
  [[nodiscard]] std::string name() const { return "token " + slot_.label(); }

  // Whether a user or the security officer is logged in, by any session of this process.
  [[nodiscard]] bool logged_in() const;
  // Once; an empty PIN stands for the token's own keypad.
  Done login(CK_USER_TYPE user, core::ByteView pin);
  // The user's PIN, by the security officer who is logged in. What was private under the one before
  // is lost where the token sealed it with that PIN.
  Done set_user_pin(core::ByteView pin);
  // The PIN of who is logged in; the user's where nobody is.
  Done change_pin(core::ByteView old_pin, core::ByteView new_pin);

  Outcome<std::vector<Handle>> find(Template& wanted);
  Outcome<core::Bytes> attribute(Handle object, CK_ATTRIBUTE_TYPE type) const;
  Outcome<CK_ULONG> number(Handle object, CK_ATTRIBUTE_TYPE type) const;

  Outcome<Handle> create(const std::string& what, Template& object);
  Done destroy(Handle object);
  Outcome<Handle> generate(const std::string& what, Mechanism mechanism, Template& key);
  Outcome<std::pair<Handle, Handle>> generate_pair(const std::string& what, Mechanism mechanism,
                                                   Template& public_key, Template& private_key);
  Outcome<core::Bytes> wrap(const std::string& what, Mechanism mechanism, Handle wrapping,
                            Handle key);
  // Only the length that wrap() would give.
  Outcome<std::size_t> wrapped_length(const std::string& what, Mechanism mechanism, Handle wrapping,
                                      Handle key);
  Outcome<Handle> unwrap(const std::string& what, Mechanism mechanism, Handle unwrapping,
                         core::ByteView blob, Template& key);
  Outcome<Handle> derive(const std::string& what, Mechanism mechanism, Handle base, Template& key);
  Outcome<core::Bytes> sign(const std::string& what, Mechanism mechanism, Handle key,
                            core::ByteView message);

  using Source = std::function<Outcome<std::size_t>(core::MutableByteView)>;
  using Sink = std::function<Done(core::ByteView)>;
  // Streams all of `source` through C_Encrypt into `sink`.
  Done encrypt(const std::string& what, Mechanism mechanism, Handle key, const Source& source,
               const Sink& sink);
  // C_Verify over `prefix` and then all of `source`. False: the signature does not hold.
  Outcome<bool> verify(const std::string& what, Mechanism mechanism, Handle key,
                       core::ByteView prefix, const Source& source, core::ByteView signature);

 private:
  Session(std::shared_ptr<Module> module, const Slot& slot, CK_SESSION_HANDLE handle)
      : module_(std::move(module)), slot_(slot), handle_(handle) {}
  [[nodiscard]] CK_FUNCTION_LIST& c() const { return module_->functions(); }

  std::shared_ptr<Module> module_;
  Slot slot_;
  CK_SESSION_HANDLE handle_;
};

}  // namespace tallystick::cli
