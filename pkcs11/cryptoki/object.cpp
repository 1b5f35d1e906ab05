// Objects (PKCS#11 section 5.7).
#include "pkcs11/cryptoki/enter.h"

using namespace tallystick;            // NOLINT(google-build-using-namespace): C_* have none
using namespace tallystick::cryptoki;  // NOLINT(google-build-using-namespace): C_* have none

CK_RV C_CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE* templ, CK_ULONG count,
                     CK_OBJECT_HANDLE* object) {
  return enter_session("C_CreateObject", session, [&](Session& on) -> Outcome<void> {
    if (object == nullptr) return bad_arguments("null pointer");
    return with_template(templ, count,
                         [&](Template& wanted) { return give(on.create(wanted), object); });
  });
}

CK_RV C_CopyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* templ,
                   CK_ULONG count, CK_OBJECT_HANDLE* new_object) {
  return enter_session("C_CopyObject", session, [&](Session& on) -> Outcome<void> {
    if (new_object == nullptr) return bad_arguments("null pointer");
    return with_template(
        templ, count, [&](Template& wanted) { return give(on.copy(object, wanted), new_object); });
  });
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  return enter_session("C_DestroyObject", session, [&](Session& on) { return on.destroy(object); });
}

CK_RV C_GetObjectSize(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG* size) {
  return enter_session("C_GetObjectSize", session, [&](Session& on) -> Outcome<void> {
    if (size == nullptr) return bad_arguments("null pointer");
    return give(on.object_size(object), size);
  });
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* templ,
                          CK_ULONG count) {
  return enter_session("C_GetAttributeValue", session, [&](Session& on) -> Outcome<void> {
    if (templ == nullptr || count > Template::kMaxAttributes) return bad_arguments("the template");
    return on.get_attributes(object, {templ, count});
  });
}

CK_RV C_SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* templ,
                          CK_ULONG count) {
  return enter_session("C_SetAttributeValue", session, [&](Session& on) -> Outcome<void> {
    if (templ == nullptr) return bad_arguments("null pointer");
    return with_template(templ, count,
                         [&](Template& wanted) { return on.set_attributes(object, wanted); });
  });
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE* templ, CK_ULONG count) {
  return enter_session("C_FindObjectsInit", session, [&](Session& on) {
    return with_template(templ, count, [&](Template& wanted) { return on.find_start(wanted); });
  });
}

CK_RV C_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* object, CK_ULONG max_count,
                    CK_ULONG* count) {
  return enter_session("C_FindObjects", session, [&](Session& on) -> Outcome<void> {
    if (count == nullptr || (object == nullptr && max_count != 0)) {
      return bad_arguments("null pointer");
    }
    // More than any token holds; the caller's array is as long as it says or it has lied.
    constexpr CK_ULONG kMost = 1UL << 24;
    return give(on.find_next({object, std::min(max_count, kMost)}), count);
  });
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE session) {
  return enter_session("C_FindObjectsFinal", session, [](Session& on) { return on.find_end(); });
}
