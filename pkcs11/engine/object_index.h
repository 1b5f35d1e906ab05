// ObjectIndex: the objects one process knows of one token, decoded once and kept, found by handle,
// id, or the attributes that applications search by.
#pragma once

#include <atomic>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "pkcs11/engine/lock.h"
#include "pkcs11/engine/object.h"

namespace tallystick::token {

// Handles of sessions and objects: unique in the process, never given twice (A45).
class HandleSource {
 public:
  CK_ULONG next() { return next_.fetch_add(1, std::memory_order_relaxed); }

 private:
  std::atomic<CK_ULONG> next_{1};
};

class ObjectIndex {
 public:
  struct Found {
    CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
    ObjectPtr object;
  };
  struct Pattern {
    CK_ATTRIBUTE_TYPE type = 0;
    core::ByteView value;
  };

  // Never the handle of a session: those are counted from 1.
  static constexpr CK_SESSION_HANDLE kBuiltIn = CK_UNAVAILABLE_INFORMATION;

  explicit ObjectIndex(std::shared_ptr<HandleSource> handles) : handles_(std::move(handles)) {}

  // A new object, or the next snapshot of one that is here: then its handle stays. `session` is 0
  // for token objects, and kBuiltIn for those that are in no store and in no session. An older
  // snapshot than the one that is here changes nothing.
  CK_OBJECT_HANDLE put(ObjectPtr object, CK_SESSION_HANDLE session = 0);
  // Replaces a session object's snapshot; false when it was changed or destroyed meanwhile.
  bool exchange(const Object& old, ObjectPtr next);
  bool remove(const ObjectId& id);
  void remove_session(CK_SESSION_HANDLE session);
  // Logout: forgets private objects; those that stand under the root key stay, with new handles.
  void end_login();
  // Forgets the token objects that are not in `keep`.
  void keep_token_objects(const std::set<ObjectId>& keep);

  [[nodiscard]] ObjectPtr get(CK_OBJECT_HANDLE handle) const;
  [[nodiscard]] Found get(const ObjectId& id) const;
  // All that match every pair, in the order of their handles. Sensitive values never match (A18).
  [[nodiscard]] std::vector<Found> search(std::span<const Pattern> pattern) const;

 private:
  struct Entry {
    ObjectPtr object;
    CK_SESSION_HANDLE session = 0;
  };
  using HandleSet = std::set<CK_OBJECT_HANDLE>;

  void index(CK_OBJECT_HANDLE handle, const Object& object) TS_REQUIRES(mutex_);
  void unindex(CK_OBJECT_HANDLE handle, const Object& object) TS_REQUIRES(mutex_);
  void erase(std::map<CK_OBJECT_HANDLE, Entry>::iterator entry) TS_REQUIRES(mutex_);

  const std::shared_ptr<HandleSource> handles_;
  mutable SharedMutex mutex_;
  std::map<CK_OBJECT_HANDLE, Entry> entries_ TS_GUARDED_BY(mutex_);
  std::map<ObjectId, CK_OBJECT_HANDLE> by_id_ TS_GUARDED_BY(mutex_);
  // Session objects, so that closing a session does not look through the token's.
  std::unordered_map<CK_SESSION_HANDLE, HandleSet> by_session_ TS_GUARDED_BY(mutex_);
  // Type and value, for the few types that are indexed.
  std::unordered_map<std::string, HandleSet> by_value_ TS_GUARDED_BY(mutex_);
};

}  // namespace tallystick::token
