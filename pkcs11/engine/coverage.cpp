#include "pkcs11/engine/coverage.h"

#include <algorithm>
#include <cstring>

namespace tallystick::token {
namespace {

const ObjectIndex::Pattern* wanted(std::span<const ObjectIndex::Pattern> pattern,
                                   CK_ATTRIBUTE_TYPE type) {
  const auto at = std::ranges::find(pattern, type, &ObjectIndex::Pattern::type);
  return at == pattern.end() ? nullptr : &*at;
}

const CK_OBJECT_CLASS* class_of(const ObjectIndex::Pattern* wanted, CK_OBJECT_CLASS& out) {
  if (wanted == nullptr || wanted->value.size() != sizeof out) return nullptr;
  std::memcpy(&out, wanted->value.data(), sizeof out);
  return &out;
}

}  // namespace

StoreQuery StoreQuery::narrowest(std::span<const ObjectIndex::Pattern> pattern) {
  StoreQuery query;
  for (std::size_t tag = 0; tag < kTagCount; ++tag) {
    // Objects without the attribute have no tag of it.
    const auto* const one = wanted(pattern, kTagged[tag]);
    if (one == nullptr || one->value.empty()) continue;
    query.by = By::kTag;
    query.tag = tag;
    query.value.assign(one->value.begin(), one->value.end());
    return query;
  }
  if (class_of(wanted(pattern, CKA_CLASS), query.object_class) != nullptr) query.by = By::kClass;
  return query;
}

void Coverage::begin(std::uint64_t login_epoch) {
  const WriteLock lock(mutex_);
  epoch_ = login_epoch;
  all_ = false;
  classes_.clear();
  for (auto& values : values_) values.clear();
}

bool Coverage::covers(std::span<const ObjectIndex::Pattern> pattern) const {
  const ReadLock lock(mutex_);
  if (all_) return true;
  CK_OBJECT_CLASS object_class = 0;
  if (class_of(wanted(pattern, CKA_CLASS), object_class) != nullptr &&
      classes_.contains(object_class)) {
    return true;
  }
  for (std::size_t tag = 0; tag < kTagCount; ++tag) {
    const auto* const one = wanted(pattern, kTagged[tag]);
    if (one != nullptr && values_[tag].contains(std::string(core::text_of(one->value)))) {
      return true;
    }
  }
  return false;
}

void Coverage::add(const StoreQuery& query, std::uint64_t login_epoch) {
  const WriteLock lock(mutex_);
  if (login_epoch != epoch_) return;
  switch (query.by) {
    case StoreQuery::By::kTag:
      values_[query.tag].emplace(core::text_of(query.value));
      return;
    case StoreQuery::By::kClass:
      classes_.insert(query.object_class);
      return;
    case StoreQuery::By::kAll:
      all_ = true;
      return;
  }
}

bool Coverage::full() const {
  const ReadLock lock(mutex_);
  return std::ranges::any_of(values_,
                             [](const auto& values) { return values.size() >= kMostValues; });
}

}  // namespace tallystick::token
