#include "pkcs11/engine/object_index.h"

#include <algorithm>

namespace tallystick::token {
namespace {

constexpr std::array<CK_ATTRIBUTE_TYPE, 4> kIndexed = {CKA_CLASS, CKA_LABEL, CKA_ID,
                                                       CKA_TS_FAMILY_ID};

std::string index_key(CK_ATTRIBUTE_TYPE type, core::ByteView value) {
  std::string key = std::to_string(type);
  key += ':';
  key += core::text_of(value);
  return key;
}

bool matches(const Object& object, std::span<const ObjectIndex::Pattern> pattern) {
  core::Bytes scratch;
  return std::ranges::all_of(pattern, [&](const ObjectIndex::Pattern& wanted) {
    const auto value = read_attribute(object, wanted.type, scratch);
    return value && std::ranges::equal(*value, wanted.value);
  });
}

}  // namespace

void ObjectIndex::index(CK_OBJECT_HANDLE handle, const Object& object) {
  for (const auto type : kIndexed) {
    if (const auto value = object.attributes().find(type)) {
      by_value_[index_key(type, *value)].insert(handle);
    }
  }
}

void ObjectIndex::unindex(CK_OBJECT_HANDLE handle, const Object& object) {
  for (const auto type : kIndexed) {
    const auto value = object.attributes().find(type);
    if (!value) continue;
    const auto at = by_value_.find(index_key(type, *value));
    if (at == by_value_.end()) continue;
    at->second.erase(handle);
    if (at->second.empty()) by_value_.erase(at);
  }
}

void ObjectIndex::erase(std::map<CK_OBJECT_HANDLE, Entry>::iterator entry) {
  unindex(entry->first, *entry->second.object);
  by_id_.erase(entry->second.object->id());
  if (const auto own = by_session_.find(entry->second.session); own != by_session_.end()) {
    own->second.erase(entry->first);
    if (own->second.empty()) by_session_.erase(own);
  }
  entries_.erase(entry);
}

CK_OBJECT_HANDLE ObjectIndex::put(ObjectPtr object, CK_SESSION_HANDLE session) {
  const WriteLock lock(mutex_);
  if (const auto known = by_id_.find(object->id()); known != by_id_.end()) {
    const auto handle = known->second;
    auto& entry = entries_.find(handle)->second;
    if (entry.object->generation() < object->generation()) {
      unindex(handle, *entry.object);
      index(handle, *object);
      entry.object = std::move(object);
    }
    return handle;
  }
  const auto handle = handles_->next();
  index(handle, *object);
  by_id_.emplace(object->id(), handle);
  if (session != 0) by_session_[session].insert(handle);
  entries_.emplace(handle, Entry{std::move(object), session});
  return handle;
}

bool ObjectIndex::exchange(const Object& old, ObjectPtr next) {
  const WriteLock lock(mutex_);
  const auto known = by_id_.find(old.id());
  if (known == by_id_.end()) return false;
  auto& entry = entries_.find(known->second)->second;
  if (entry.object->generation() != old.generation()) return false;
  unindex(known->second, *entry.object);
  index(known->second, *next);
  entry.object = std::move(next);
  return true;
}

bool ObjectIndex::remove(const ObjectId& id) {
  const WriteLock lock(mutex_);
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) return false;
  erase(entries_.find(known->second));
  return true;
}

void ObjectIndex::remove_session(CK_SESSION_HANDLE session) {
  {
    const ReadLock lock(mutex_);
    if (!by_session_.contains(session)) return;
  }
  const WriteLock lock(mutex_);
  const auto own = by_session_.find(session);
  if (own == by_session_.end()) return;
  const auto handles = std::move(own->second);
  by_session_.erase(own);
  for (const auto handle : handles) erase(entries_.find(handle));
}

void ObjectIndex::end_login() {
  const WriteLock lock(mutex_);
  std::vector<Entry> staying;
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto here = at++;
    if (!here->second.object->is_private()) continue;
    if (here->second.object->immutable()) staying.push_back(here->second);
    erase(here);
  }
  for (auto& entry : staying) {
    const auto handle = handles_->next();
    index(handle, *entry.object);
    by_id_.emplace(entry.object->id(), handle);
    entries_.emplace(handle, std::move(entry));
  }
}

void ObjectIndex::keep_token_objects(const std::set<ObjectId>& keep) {
  const WriteLock lock(mutex_);
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto here = at++;
    if (here->second.session == 0 && !keep.contains(here->second.object->id())) erase(here);
  }
}

ObjectPtr ObjectIndex::get(CK_OBJECT_HANDLE handle) const {
  const ReadLock lock(mutex_);
  const auto at = entries_.find(handle);
  return at == entries_.end() ? nullptr : at->second.object;
}

ObjectIndex::Found ObjectIndex::get(const ObjectId& id) const {
  const ReadLock lock(mutex_);
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) return {};
  return {known->second, entries_.find(known->second)->second.object};
}

std::vector<ObjectIndex::Found> ObjectIndex::search(std::span<const Pattern> pattern) const {
  std::vector<Found> candidates;
  {
    const ReadLock lock(mutex_);
    // The shortest list among the indexed attributes asked for; all objects when there is none.
    const HandleSet* shortest = nullptr;
    for (const auto& wanted : pattern) {
      // An attribute that is not stored reads as empty, and has no place in the index.
      if (wanted.value.empty()) continue;
      if (std::ranges::find(kIndexed, wanted.type) == kIndexed.end()) continue;
      const auto at = by_value_.find(index_key(wanted.type, wanted.value));
      if (at == by_value_.end()) return {};
      if (shortest == nullptr || at->second.size() < shortest->size()) shortest = &at->second;
    }
    if (shortest != nullptr) {
      candidates.reserve(shortest->size());
      for (const auto handle : *shortest) {
        candidates.push_back({handle, entries_.find(handle)->second.object});
      }
    } else {
      candidates.reserve(entries_.size());
      for (const auto& [handle, entry] : entries_) candidates.push_back({handle, entry.object});
    }
  }
  std::erase_if(candidates, [&](const Found& one) { return !matches(*one.object, pattern); });
  return candidates;
}

}  // namespace tallystick::token
