// ChangeSet: changes to a token's objects that become durable together or not at all.
#pragma once

#include <vector>

#include "pkcs11/engine/object.h"

namespace tallystick::token {

class ChangeSet {
 public:
  struct Replacement {
    ObjectPtr old;
    Draft next;
  };

  // A new token object.
  ChangeSet& add(Draft draft) {
    added_.push_back(std::move(draft));
    return *this;
  }
  // The next snapshot of an object. When somebody else, in any process, changed or destroyed it
  // after `old` was read, the whole set is refused with CKR_FUNCTION_FAILED and nothing happens:
  // that makes "used once" and "only rises" hold.
  ChangeSet& replace(ObjectPtr old, Draft next) {
    replaced_.push_back({std::move(old), std::move(next)});
    return *this;
  }
  ChangeSet& remove(ObjectPtr old) {
    removed_.push_back(std::move(old));
    return *this;
  }

  [[nodiscard]] bool empty() const {
    return added_.empty() && replaced_.empty() && removed_.empty();
  }
  std::vector<Draft>& added() { return added_; }
  std::vector<Replacement>& replaced() { return replaced_; }
  std::vector<ObjectPtr>& removed() { return removed_; }

 private:
  std::vector<Draft> added_;
  std::vector<Replacement> replaced_;
  std::vector<ObjectPtr> removed_;
};

}  // namespace tallystick::token
