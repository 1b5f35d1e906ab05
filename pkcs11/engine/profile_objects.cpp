#include "pkcs11/engine/profile_objects.h"

namespace tallystick::token {
namespace {

struct Profile {
  CK_ULONG id;
  const char* name;
};

constexpr auto kProfiles = std::to_array<Profile>({
    {CKP_BASELINE_PROVIDER, "Baseline Provider"},
    {CKP_EXTENDED_PROVIDER, "Extended Provider"},
    {CKP_AUTHENTICATION_TOKEN, "Authentication Token"},
    {CKP_HKDF_TLS_TOKEN, "HKDF TLS Token"},
});

ObjectPtr profile_object(const Profile& profile) {
  Draft draft;
  draft.managed = true;
  draft.immutable = true;
  draft.attributes.set_number(CKA_CLASS, CKO_PROFILE)
      .set_number(CKA_PROFILE_ID, profile.id)
      .set_text(CKA_LABEL, profile.name)
      .set_flag(CKA_TOKEN, true);
  for (const auto no : {CKA_PRIVATE, CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE}) {
    draft.attributes.set_flag(no, false);
  }
  // Random ids of 16 bytes never begin with 15 zeros.
  ObjectId id{};
  id.back() = static_cast<std::uint8_t>(profile.id);
  return Object::make(id, 1, std::move(draft));
}

}  // namespace

std::vector<ObjectPtr> profile_objects() {
  std::vector<ObjectPtr> objects;
  objects.reserve(kProfiles.size());
  for (const auto& profile : kProfiles) objects.push_back(profile_object(profile));
  return objects;
}

}  // namespace tallystick::token
