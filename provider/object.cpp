#include "provider/object.h"

#include <cstdlib>

#include "provider/epoch.h"

namespace tallystick::provider {

std::string TokenObject::name() const {
  const auto& by = mark_.label.empty() ? mark_.id : mark_.label;
  return token_->name() + ", key " +
         (mark_.label.empty() ? core::to_hex(by) : std::string(core::text_of(by)));
}

std::string uri_of(const CK_TOKEN_INFO& token, const Mark& mark) {
  struct Free {
    void operator()(P11KitUri* uri) const { p11_kit_uri_free(uri); }
    void operator()(char* text) const { std::free(text); }
  };
  const std::unique_ptr<P11KitUri, Free> uri(p11_kit_uri_new());
  if (!uri) return "";
  *p11_kit_uri_get_token_info(uri.get()) = token;
  CK_OBJECT_CLASS object_class = mark.object_class;
  core::Bytes id = mark.id;
  core::Bytes label = mark.label;
  const auto set = [&uri](CK_ATTRIBUTE_TYPE type, void* value, std::size_t size) {
    const CK_ATTRIBUTE attribute{type, value, static_cast<CK_ULONG>(size)};
    if (size != 0) p11_kit_uri_set_attribute(uri.get(), const_cast<CK_ATTRIBUTE*>(&attribute));
  };
  set(CKA_CLASS, &object_class, sizeof object_class);
  set(CKA_ID, id.data(), id.size());
  set(CKA_LABEL, label.data(), label.size());
  char* text = nullptr;
  if (p11_kit_uri_format(uri.get(), P11_KIT_URI_FOR_OBJECT_ON_TOKEN, &text) != P11_KIT_URI_OK) {
    return "";
  }
  const std::unique_ptr<char, Free> owned(text);
  return text;
}

Outcome<ObjectHandle> TokenObject::handle(Session& session) {
  const std::uint64_t generation = session.life().generation;
  {
    const std::lock_guard lock(lists_lock());
    if (generation_ == generation) return handle_;
  }
  Template wanted;
  wanted.number(CKA_CLASS, mark_.object_class);
  if (!mark_.id.empty()) wanted.bytes(CKA_ID, mark_.id);
  if (!mark_.label.empty()) wanted.bytes(CKA_LABEL, mark_.label);
  auto found = session.find(wanted);
  if (!found) return std::move(found).error();
  if (found->empty()) return from_rv(Reason::kObject, name(), CKR_OBJECT_HANDLE_INVALID);
  // Another one of the same name and id came meanwhile.
  if (found->size() > 1) return fail(Reason::kAmbiguous, name() + ": the token has two of it now");
  const std::lock_guard lock(lists_lock());
  handle_ = found->front();
  generation_ = generation;
  return handle_;
}

bool TokenObject::begins_anew(const Session& session, CK_RV rv) {
  if (!token_->begins_anew(session.life(), rv)) return false;
  const std::lock_guard lock(lists_lock());
  generation_ = 0;
  return true;
}

}  // namespace tallystick::provider
