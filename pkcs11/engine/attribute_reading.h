// C_GetAttributeValue: one attribute of an object into the caller's structure.
#pragma once

#include "pkcs11/engine/object.h"

namespace tallystick::token {

// Writes value and length, or CK_UNAVAILABLE_INFORMATION for the length and says why:
// CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID, CKR_BUFFER_TOO_SMALL. The value of a
// template attribute is an array whose elements the caller has prepared in the same way.
Outcome<void> fill_attribute(const Object& object, CK_ATTRIBUTE& attribute);

}  // namespace tallystick::token
