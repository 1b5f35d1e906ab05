// ObjectIndex: the objects one process knows of one token, decoded once and kept, found by handle,
// id, or the attributes that applications search by.
//
// A change of the index is whole or does not happen: what it takes of memory is taken first
// (Place), and the rest cannot fail. So a commit to the store, which cannot be taken back, is never
// followed by an index that does not know of it.
#pragma once

#include <atomic>
#include <map>
#include <set>
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
  // An object's place in the index before it is put there, with all the memory that it takes.
  class Place;

  explicit ObjectIndex(std::shared_ptr<HandleSource> handles) : handles_(std::move(handles)) {}

  [[nodiscard]] Place make_place(ObjectPtr object, CK_SESSION_HANDLE session = 0) const;
  // A new object, or the next snapshot of one that is here: then its handle stays. `session` is 0
  // for token objects, and kBuiltIn for those that are in no store and in no session. An older
  // snapshot than the one that is here changes nothing.
  CK_OBJECT_HANDLE put(Place place) noexcept;
  // Replaces a session object's snapshot; false when it was changed or destroyed meanwhile.
  bool exchange(const Object& old, ObjectPtr next);
  bool remove(const ObjectId& id) noexcept;
  void remove_session(CK_SESSION_HANDLE session) noexcept;
  // Logout: forgets private objects; those that stand under the root key stay, with new handles.
  void end_login() noexcept;
  // Forgets the token objects that are not in `keep`.
  void keep_token_objects(const std::set<ObjectId>& keep) noexcept;

  [[nodiscard]] ObjectPtr get(CK_OBJECT_HANDLE handle) const;
  [[nodiscard]] Found get(const ObjectId& id) const;
  // All that match every pair, in the order of their handles. Sensitive values never match (A18).
  [[nodiscard]] std::vector<Found> search(std::span<const Pattern> pattern) const;

 private:
  struct Entry {
    ObjectPtr object;
    CK_SESSION_HANDLE session = 0;
  };
  // Trees, since their nodes can be moved from one to another without memory.
  using HandleSet = std::set<CK_OBJECT_HANDLE>;
  using Value = std::pair<CK_ATTRIBUTE_TYPE, core::Bytes>;
  struct ValueOrder {
    using is_transparent = void;
    bool operator()(const Value& a, const Value& b) const { return less(a, b); }
    bool operator()(const Value& a, const Pattern& b) const { return less(a, b); }
    bool operator()(const Pattern& a, const Value& b) const { return less(a, b); }

   private:
    static CK_ATTRIBUTE_TYPE type_of(const Value& value) { return value.first; }
    static CK_ATTRIBUTE_TYPE type_of(const Pattern& value) { return value.type; }
    static core::ByteView bytes_of(const Value& value) { return value.second; }
    static core::ByteView bytes_of(const Pattern& value) { return value.value; }
    template <typename A, typename B>
    static bool less(const A& a, const B& b) {
      if (type_of(a) != type_of(b)) return type_of(a) < type_of(b);
      return core::text_of(bytes_of(a)) < core::text_of(bytes_of(b));
    }
  };
  struct Maps {
    std::map<CK_OBJECT_HANDLE, Entry> entries;
    std::map<ObjectId, CK_OBJECT_HANDLE> by_id;
    // Session objects, so that closing a session does not look through the token's.
    std::map<CK_SESSION_HANDLE, HandleSet> by_session;
    // For the few types that are indexed.
    std::map<Value, HandleSet, ValueOrder> by_value;
  };

  // Moves the one handle of each of `from` to `to`, as `handle`.
  template <typename Map>
  static void splice(Map& from, Map& to, CK_OBJECT_HANDLE handle) noexcept;
  void unindex(CK_OBJECT_HANDLE handle, const Object& object) noexcept TS_REQUIRES(mutex_);
  void replace(CK_OBJECT_HANDLE handle, Place& place) noexcept TS_REQUIRES(mutex_);
  void erase(std::map<CK_OBJECT_HANDLE, Entry>::iterator entry) noexcept TS_REQUIRES(mutex_);

  const std::shared_ptr<HandleSource> handles_;
  mutable SharedMutex mutex_;
  Maps maps_ TS_GUARDED_BY(mutex_);
};

class ObjectIndex::Place {
 public:
  [[nodiscard]] const Object& object() const { return *maps_.entries.begin()->second.object; }

 private:
  friend class ObjectIndex;
  Maps maps_;  // of this object alone
};

}  // namespace tallystick::token
