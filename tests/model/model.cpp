#include "tests/model/model.h"

#include <algorithm>

namespace tallystick::model {

void Verdict::merge(const Verdict& other) {
  faults_.insert(other.faults_.begin(), other.faults_.end());
  perhaps_.insert(other.perhaps_.begin(), other.perhaps_.end());
}

bool Verdict::allows(CK_RV rv) const {
  if (perhaps_.contains(rv)) return true;
  return faults_.empty() ? rv == CKR_OK : faults_.contains(rv);
}

std::string Verdict::text() const {
  std::string out = faults_.empty() ? "OK" : "";
  for (const auto rv : faults_) out += (out.empty() ? "" : " or ") + rv_text(rv);
  for (const auto rv : perhaps_) out += " or " + rv_text(rv);
  return out;
}

CK_ULONG Object::number(CK_ATTRIBUTE_TYPE type) const {
  const auto at = attributes.find(type);
  if (at == attributes.end()) return CK_UNAVAILABLE_INFORMATION;
  return number_in(at->second).value_or(CK_UNAVAILABLE_INFORMATION);
}

bool Object::flag(CK_ATTRIBUTE_TYPE type) const {
  const auto at = attributes.find(type);
  return at != attributes.end() && at->second == bytes_of(true);
}

bool Object::hides_value() const {
  return managed != Managed::kNo || flag(CKA_SENSITIVE) || !flag(CKA_EXTRACTABLE);
}

Session* Model::session(Ref ref) {
  const auto at = sessions.find(ref);
  return at == sessions.end() ? nullptr : &at->second;
}

bool Model::visible(const Object& object) const {
  return !object.flag(CKA_PRIVATE) || !on(Rule::kPrivateNeedsUser) ||
         tokens.at(object.slot).login == Login::kUser;
}

Object* Model::object(const Session& from, Ref ref) {
  const auto at = objects.find(ref);
  if (at == objects.end() || at->second.slot != from.slot || !visible(at->second)) return nullptr;
  return &at->second;
}

CK_OBJECT_HANDLE Model::handle(Ref ref) const {
  if (const auto at = objects.find(ref); at != objects.end() && at->second.handle != 0) {
    return at->second.handle;
  }
  if (const auto at = gone.find(ref); at != gone.end()) return at->second;
  // Never given out: handles are small numbers.
  return ref == 0 ? CK_INVALID_HANDLE : 0x40000000UL + ref;
}

int Model::new_value(std::size_t size, const std::optional<Bytes>& bytes) {
  values.push_back({bytes, false, size, -1});
  return static_cast<int>(values.size()) - 1;
}

int Model::value_named(const std::string& name, std::size_t size,
                       const std::optional<Bytes>& bytes) {
  const auto at = named_.find(name);
  if (at != named_.end()) return at->second;
  const int made = new_value(size, bytes);
  values.back().shown = bytes && is_known(*bytes);
  return named_[name] = made;
}

int Model::encoded(const Object& key) {
  if (key.object_class() != CKO_PRIVATE_KEY) return key.value;
  const auto own = static_cast<std::size_t>(key.value);
  if (values[own].encoded < 0) {
    const int made = new_value(0);
    values[own].encoded = made;
  }
  return values[own].encoded;
}

void Model::show(int value, const Bytes& bytes) {
  auto& shown = values.at(static_cast<std::size_t>(value));
  shown.shown = true;
  if (!shown.bytes) shown.bytes = bytes;
}

void Model::keep(Ref ref, CK_OBJECT_HANDLE handle, Object object) {
  object.ref = ref;
  object.handle = handle;
  const auto object_class = object.object_class();
  if (object.value >= 0 && !object.hides_value() &&
      (object_class == CKO_SECRET_KEY || object_class == CKO_PRIVATE_KEY)) {
    values.at(static_cast<std::size_t>(encoded(object))).shown = true;
  }
  objects[ref] = std::move(object);
}

void Model::forget(Ref ref) {
  const auto at = objects.find(ref);
  if (at == objects.end()) return;
  if (at->second.handle != 0) gone[ref] = at->second.handle;
  objects.erase(at);
}

void reading_faults(const Template& attributes, const Rules& rules, Verdict& verdict) {
  std::set<CK_ATTRIBUTE_TYPE> known;
  for (const auto& one : attributes) {
    verdict.add_if(one.no_pointer, CKR_ATTRIBUTE_VALUE_INVALID);
    const bool twice = !known.insert(one.type).second;
    verdict.add_if(twice && rules.on(Rule::kTwice), CKR_TEMPLATE_INCONSISTENT);
    for (const auto& inner : one.inner) {
      const Row* row = row_of(inner.type, CKO_SECRET_KEY, CKK_AES);
      if (row == nullptr) row = row_of(inner.type, CKO_PRIVATE_KEY, CKK_RSA);
      const bool fits = row != nullptr && !row->is_secret && row->kind != Kind::kArray &&
                        well_formed(*row, inner.value);
      verdict.add_if(!fits, CKR_ATTRIBUTE_VALUE_INVALID);
    }
  }
}

}  // namespace tallystick::model
