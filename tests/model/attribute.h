// Attributes as the model sees them: a table of its own, written from the standard and from
// docs/pkcs11.md, that shares nothing with the engine's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <p11-kit/pkcs11.h>

#include "tallystick/pkcs11_tallystick.h"
#include "tallystick/pkcs11_v3.h"

namespace tallystick::model {

using Bytes = std::vector<std::uint8_t>;

struct Attribute {
  CK_ATTRIBUTE_TYPE type = 0;
  Bytes value;
  bool no_pointer = false;         // a length, and NULL where the value should be
  std::vector<Attribute> inner{};  // of an array of attributes
};
using Template = std::vector<Attribute>;

Bytes bytes_of(CK_ULONG number);
Bytes bytes_of(bool flag);
std::optional<CK_ULONG> number_in(const Bytes& value);
const Attribute* find(const Template& attributes, CK_ATTRIBUTE_TYPE type);

// Ways in which a caller's template reaches an object.
enum Way : unsigned { kCreate = 1, kGenerate = 2, kUnwrap = 4, kDerive = 8, kCopy = 16, kSet = 32 };

enum class Kind { kFlag, kNumber, kNumbers, kBytes, kDate, kArray };
// What a flag may become later.
enum class Moves { kFreely, kUp, kDown };

// What a class of objects has, as bits.
enum ClassSet : unsigned { kData = 1, kPublic = 2, kPrivate = 4, kSecret = 8 };
unsigned class_set(CK_OBJECT_CLASS object_class);

struct Row {
  CK_ATTRIBUTE_TYPE type;
  const char* name;
  Kind kind;
  unsigned classes;
  unsigned ways;
  Moves moves = Moves::kFreely;
  bool is_use = false;
  bool is_secret = false;
};
const std::vector<Row>& rows();
// None where objects of the class, or keys of the type, have no such attribute.
const Row* row_of(CK_ATTRIBUTE_TYPE type, CK_OBJECT_CLASS object_class, CK_KEY_TYPE key_type);
bool well_formed(const Row& row, const Bytes& value);

std::string attribute_name(CK_ATTRIBUTE_TYPE type);
std::string to_text(const Template& attributes);
std::string hex(const Bytes& bytes);

}  // namespace tallystick::model
