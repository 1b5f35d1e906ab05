// Where a monotonic anchor and an audit log hook in. The policy calls both; the defaults do
// nothing.
#pragma once

#include "pkcs11/engine/object.h"

namespace tallystick::token {

enum class Action : std::uint8_t {
  kCreate,
  kGenerate,
  kUnwrap,
  kDerive,
  kCopy,
  kSet,
  kDestroy,
  kUse,
};

struct AuditEvent {
  Action action = Action::kUse;
  CK_MECHANISM_TYPE mechanism = CK_UNAVAILABLE_INFORMATION;
  const Object* object = nullptr;  // null when it does not exist yet
  CK_RV verdict = CKR_OK;
};

class AuditSink {
 public:
  AuditSink() = default;
  AuditSink(const AuditSink&) = delete;
  AuditSink& operator=(const AuditSink&) = delete;
  virtual ~AuditSink() = default;
  virtual void record(const AuditEvent&) {}
};

// A counter outside the token's files: a state change asks before it begins, and a token whose
// files were put back to an older state is refused.
class MonotonicAnchor {
 public:
  MonotonicAnchor() = default;
  MonotonicAnchor(const MonotonicAnchor&) = delete;
  MonotonicAnchor& operator=(const MonotonicAnchor&) = delete;
  virtual ~MonotonicAnchor() = default;
  virtual Outcome<void> before_change(Action) { return {}; }
};

struct Hooks {
  std::shared_ptr<AuditSink> audit = std::make_shared<AuditSink>();
  std::shared_ptr<MonotonicAnchor> anchor = std::make_shared<MonotonicAnchor>();
};

}  // namespace tallystick::token
