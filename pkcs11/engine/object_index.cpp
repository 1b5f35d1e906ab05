#include "pkcs11/engine/object_index.h"

#include <algorithm>

namespace tallystick::token {
namespace {

constexpr std::array<CK_ATTRIBUTE_TYPE, 4> kIndexed = {CKA_CLASS, CKA_LABEL, CKA_ID,
                                                       CKA_TS_FAMILY_ID};

bool matches(const Object& object, std::span<const ObjectIndex::Pattern> pattern) {
  core::Bytes scratch;
  return std::ranges::all_of(pattern, [&](const ObjectIndex::Pattern& wanted) {
    const auto value = read_attribute(object, wanted.type, scratch);
    return value && std::ranges::equal(*value, wanted.value);
  });
}

}  // namespace

ObjectIndex::Place ObjectIndex::make_place(ObjectPtr object, CK_SESSION_HANDLE session) const {
  Place place;
  auto& maps = place.maps_;
  const auto handle = handles_->next();
  maps.by_id.emplace(object->id(), handle);
  if (session != 0) maps.by_session[session].insert(handle);
  for (const auto type : kIndexed) {
    if (const auto value = object->attributes().find(type)) {
      maps.by_value[{type, core::Bytes(value->begin(), value->end())}].insert(handle);
    }
  }
  maps.entries.emplace(handle, Entry{std::move(object), session});
  return place;
}

template <typename Map>
void ObjectIndex::splice(Map& from, Map& to, CK_OBJECT_HANDLE handle) noexcept {
  while (!from.empty()) {
    auto list = from.extract(from.begin());
    auto one = list.mapped().extract(list.mapped().begin());
    one.value() = handle;
    const auto there = to.find(list.key());
    auto& handles = there != to.end() ? there->second : to.insert(std::move(list)).position->second;
    handles.insert(std::move(one));
  }
}

void ObjectIndex::unindex(CK_OBJECT_HANDLE handle, const Object& object) noexcept {
  for (const auto type : kIndexed) {
    const auto value = object.attributes().find(type);
    if (!value) continue;
    const auto at = maps_.by_value.find(Pattern{type, *value});
    if (at == maps_.by_value.end()) continue;
    at->second.erase(handle);
    if (at->second.empty()) maps_.by_value.erase(at);
  }
}

void ObjectIndex::erase(std::map<CK_OBJECT_HANDLE, Entry>::iterator entry) noexcept {
  unindex(entry->first, *entry->second.object);
  maps_.by_id.erase(entry->second.object->id());
  if (const auto own = maps_.by_session.find(entry->second.session);
      own != maps_.by_session.end()) {
    own->second.erase(entry->first);
    if (own->second.empty()) maps_.by_session.erase(own);
  }
  maps_.entries.erase(entry);
}

// The next snapshot of the object that has the handle.
void ObjectIndex::replace(CK_OBJECT_HANDLE handle, Place& place) noexcept {
  auto& entry = maps_.entries.find(handle)->second;
  unindex(handle, *entry.object);
  splice(place.maps_.by_value, maps_.by_value, handle);
  entry.object = std::move(place.maps_.entries.begin()->second.object);
}

CK_OBJECT_HANDLE ObjectIndex::put(Place place) noexcept {
  auto& own = place.maps_;
  const auto& [id, new_handle] = *own.by_id.begin();
  const WriteLock lock(mutex_);
  if (const auto known = maps_.by_id.find(id); known != maps_.by_id.end()) {
    const auto handle = known->second;
    if (maps_.entries.find(handle)->second.object->generation() < place.object().generation()) {
      replace(handle, place);
    }
    return handle;
  }
  const auto handle = new_handle;
  splice(own.by_value, maps_.by_value, handle);
  splice(own.by_session, maps_.by_session, handle);
  maps_.by_id.merge(own.by_id);
  maps_.entries.merge(own.entries);
  return handle;
}

bool ObjectIndex::exchange(const Object& old, ObjectPtr next) {
  auto place = make_place(std::move(next));
  const WriteLock lock(mutex_);
  const auto known = maps_.by_id.find(old.id());
  const auto* const handle = known == maps_.by_id.end() ? nullptr : &known->second;
  if (handle == nullptr) return false;
  if (maps_.entries.find(*handle)->second.object->generation() != old.generation()) return false;
  replace(*handle, place);
  return true;
}

bool ObjectIndex::remove(const ObjectId& id) noexcept {
  const WriteLock lock(mutex_);
  const auto known = maps_.by_id.find(id);
  if (known == maps_.by_id.end()) return false;
  erase(maps_.entries.find(known->second));
  return true;
}

void ObjectIndex::remove_session(CK_SESSION_HANDLE session) noexcept {
  const WriteLock lock(mutex_);
  const auto own = maps_.by_session.extract(session);
  if (own.empty()) return;
  for (const auto handle : own.mapped()) erase(maps_.entries.find(handle));
}

void ObjectIndex::end_login() noexcept {
  const WriteLock lock(mutex_);
  Maps staying;
  for (auto at = maps_.entries.begin(); at != maps_.entries.end();) {
    const auto here = at++;
    const auto& object = here->second.object;
    if (!object->is_private()) continue;
    if (!object->immutable()) {
      erase(here);
      continue;
    }
    // The same nodes under a new handle.
    const auto old_handle = here->first;
    const auto handle = handles_->next();
    maps_.by_id.find(object->id())->second = handle;
    for (const auto type : kIndexed) {
      const auto value = object->attributes().find(type);
      if (!value) continue;
      auto& handles = maps_.by_value.find(Pattern{type, *value})->second;
      auto one = handles.extract(old_handle);
      one.value() = handle;
      handles.insert(std::move(one));
    }
    auto entry = maps_.entries.extract(here);
    entry.key() = handle;
    staying.entries.insert(std::move(entry));
  }
  maps_.entries.merge(staying.entries);
}

void ObjectIndex::keep_token_objects(const std::set<ObjectId>& keep) noexcept {
  const WriteLock lock(mutex_);
  for (auto at = maps_.entries.begin(); at != maps_.entries.end();) {
    const auto here = at++;
    if (here->second.session == 0 && !keep.contains(here->second.object->id())) erase(here);
  }
}

ObjectPtr ObjectIndex::get(CK_OBJECT_HANDLE handle) const {
  const ReadLock lock(mutex_);
  const auto at = maps_.entries.find(handle);
  return at == maps_.entries.end() ? nullptr : at->second.object;
}

ObjectIndex::Found ObjectIndex::get(const ObjectId& id) const {
  const ReadLock lock(mutex_);
  const auto known = maps_.by_id.find(id);
  if (known == maps_.by_id.end()) return {};
  return {known->second, maps_.entries.find(known->second)->second.object};
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
      const auto at = maps_.by_value.find(wanted);
      if (at == maps_.by_value.end()) return {};
      if (shortest == nullptr || at->second.size() < shortest->size()) shortest = &at->second;
    }
    if (shortest != nullptr) {
      candidates.reserve(shortest->size());
      for (const auto handle : *shortest) {
        candidates.push_back({handle, maps_.entries.find(handle)->second.object});
      }
    } else {
      candidates.reserve(maps_.entries.size());
      for (const auto& [handle, entry] : maps_.entries)
        candidates.push_back({handle, entry.object});
    }
  }
  std::erase_if(candidates, [&](const Found& one) { return !matches(*one.object, pattern); });
  return candidates;
}

}  // namespace tallystick::token
