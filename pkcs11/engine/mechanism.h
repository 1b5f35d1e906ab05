// The mechanism table: one entry per mechanism, with what it takes and the functions that make its
// operations. Adding a mechanism is one entry and, where it is a new family, one file in
// mechanisms/.
#pragma once

#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "pkcs11/engine/change_set.h"
#include "pkcs11/engine/operation.h"
#include "pkcs11/engine/template_view.h"

namespace tallystick::core {
class Crypto;
}

namespace tallystick::token {

class Token;

// A mechanism's parameter block, copied once (A65), into locked memory because some hold secret
// inputs. The blocks of the standard mechanisms hold pointers; whoever reads one takes a deep copy
// with copy_memory().
class Parameter {
 public:
  static constexpr CK_ULONG kMaxSize = 1UL << 20;

  Parameter() = default;
  static Outcome<Parameter> read(const CK_MECHANISM& mechanism);
  [[nodiscard]] core::ByteView bytes() const { return bytes_.view(); }
  // CKR_MECHANISM_PARAM_INVALID unless there is none.
  [[nodiscard]] Outcome<void> none() const;
  // The block as a C structure of exactly its size.
  template <typename T>
  [[nodiscard]] Outcome<T> as() const {
    T out;
    if (!copy_exactly(&out, sizeof out)) return bad_parameter("not the size of the parameter");
    return out;
  }

 private:
  bool copy_exactly(void* out, std::size_t size) const;
  core::Secret bytes_;
};

// The memory that a parameter or a pointer in one names; CKR_MECHANISM_PARAM_INVALID for a null
// pointer with a length, or a length above `cap`.
Outcome<core::ByteView> view_memory(const void* memory, CK_ULONG size, std::size_t cap);
// A deep copy of it.
Outcome<core::Bytes> copy_memory(const void* memory, CK_ULONG size, std::size_t cap);

// The elements of an array that one names, `most` of them at most.
template <typename T>
Outcome<std::vector<T>> copy_array(const T* array, CK_ULONG count, CK_ULONG most) {
  if (count > most) return bad_parameter("an array that is too long");
  auto memory = view_memory(array, count * sizeof(T), most * sizeof(T));
  if (!memory) return std::move(memory).error();
  std::vector<T> out(count);
  if (count > 0) std::memcpy(out.data(), memory->data(), memory->size());
  return out;
}

// What every factory gets.
struct Context {
  const core::Crypto& crypto;
  Token& token;
};

struct OperationInput {
  Context context;
  const Parameter& parameter;
  ObjectPtr key;
};
struct GenerateInput {
  Context context;
  const Parameter& parameter;
  const Template& wanted;
};
struct GeneratePairInput {
  Context context;
  const Parameter& parameter;
  const Template& wanted_public;
  const Template& wanted_private;
};
struct WrapInput {
  Context context;
  const Parameter& parameter;
  ObjectPtr wrapping_key;
  ObjectPtr key;
};
struct UnwrapInput {
  Context context;
  const Parameter& parameter;
  ObjectPtr unwrapping_key;
  core::ByteView blob;
  const Template& wanted;
};
// A key that C_DeriveKey makes besides the one it is called for.
struct FurtherKey {
  Template wanted;
  CK_OBJECT_HANDLE* handle = nullptr;  // the caller's

  void give(CK_OBJECT_HANDLE made) const { std::memcpy(handle, &made, sizeof made); }
  // The handle that is none names the template that was refused; nothing is made then.
  [[nodiscard]] Fault refused(Fault fault) const {
    give(CK_INVALID_HANDLE);
    return fault;
  }
};
struct DeriveInput {
  Context context;
  const Parameter& parameter;
  ObjectPtr base_key;
  const Template& wanted;
  ObjectPtr second_key = nullptr;
  std::span<const FurtherKey> further = {};
};
// C_WrapKeyAuthenticated and C_UnwrapKeyAuthenticated: what comes beside the blob.
struct AuthenticatedInput {
  const CallParameter& parameter;
  core::ByteView aad;
};
struct CreateInput {
  Context context;
  const Template& wanted;
};

// A new object, and changes to token objects that must become durable with it. When `replaces` is
// set, the new object is the next snapshot of that one and keeps its id and handle.
struct Produced {
  Draft object;
  ChangeSet also;
  ObjectPtr replaces;
  // As many as DeriveInput has further keys.
  std::vector<Draft> further = {};
};
struct ProducedPair {
  Draft public_key;
  Draft private_key;
};
struct Encapsulated {
  core::Bytes ciphertext;
  Produced key;
};

struct Mechanism {
  CK_MECHANISM_TYPE type = 0;
  // As in CK_MECHANISM_INFO; the CKF_ bits of the functions follow from the factories below.
  CK_ULONG min_key_size = 0;
  CK_ULONG max_key_size = 0;
  CK_FLAGS extra_flags = 0;
  // Key types it works with; empty: none is needed, or any.
  std::vector<CK_KEY_TYPE> key_types;
  // When set, the entry serves only the keys this says yes to, and comes before the entry of the
  // same type without: for managed keys on which a standard mechanism means more.
  bool (*only_for)(const Object& key) = nullptr;
  // Wrapping with it gives no ciphertext that could be altered unnoticed.
  bool authenticated = false;
  // Managed keys are accepted only where this is true.
  bool for_managed = false;
  // What generate() makes is known to whoever knows the parameter: its history is that of an
  // imported key.
  bool value_from_parameter = false;
  // Wraps managed keys, and knows itself which; no other mechanism does.
  bool carries_managed = false;

  using CipherFactory = Outcome<std::unique_ptr<CipherOperation>> (*)(const OperationInput&);
  using SignFactory = Outcome<std::unique_ptr<SignOperation>> (*)(const OperationInput&);
  using VerifyFactory = Outcome<std::unique_ptr<VerifyOperation>> (*)(const OperationInput&);
  using MessageFactory = Outcome<std::unique_ptr<MessageOperation>> (*)(const OperationInput&);
  CipherFactory encrypt = nullptr;
  CipherFactory decrypt = nullptr;
  MessageFactory message_encrypt = nullptr;
  MessageFactory message_decrypt = nullptr;
  SignFactory sign = nullptr;
  VerifyFactory verify = nullptr;
  Outcome<std::unique_ptr<DigestOperation>> (*digest)(const Context&, const Parameter&) = nullptr;
  Outcome<Produced> (*generate)(const GenerateInput&) = nullptr;
  Outcome<ProducedPair> (*generate_pair)(const GeneratePairInput&) = nullptr;
  // Length of what wrap() will give; no state changes.
  Outcome<std::size_t> (*wrapped_size)(const WrapInput&) = nullptr;
  Outcome<core::Bytes> (*wrap)(const WrapInput&) = nullptr;
  Outcome<Produced> (*unwrap)(const UnwrapInput&) = nullptr;
  // With associated data and a tag of its own (3.2); the blob is as long as the key's encoding.
  Outcome<core::Bytes> (*wrap_authenticated)(const WrapInput&, const AuthenticatedInput&) = nullptr;
  Outcome<Produced> (*unwrap_authenticated)(const UnwrapInput&,
                                            const AuthenticatedInput&) = nullptr;
  Outcome<Produced> (*derive)(const DeriveInput&) = nullptr;
  // The handle of a further key that a derivation's parameter names, if it names one. That key must
  // be one that derives as the base key does, and what it demands of keys that come of it holds.
  Outcome<std::optional<CK_OBJECT_HANDLE>> (*second_key)(const Parameter&) = nullptr;
  // The further keys that a derivation's parameter asks for.
  Outcome<std::vector<FurtherKey>> (*further_keys)(const Parameter&) = nullptr;
  // Length of the ciphertext that encapsulate() will give.
  Outcome<std::size_t> (*ciphertext_size)(const DeriveInput&) = nullptr;
  Outcome<Encapsulated> (*encapsulate)(const DeriveInput&) = nullptr;
  Outcome<Produced> (*decapsulate)(const UnwrapInput&) = nullptr;

  [[nodiscard]] CK_FLAGS flags() const;
  // Whether what it signs or verifies in one operation it does message after message too. Special
  // entries do not: what they look at is one thing at a time.
  [[nodiscard]] bool signs_messages() const { return only_for == nullptr; }
  [[nodiscard]] bool takes(CK_KEY_TYPE key_type) const;
};

// Takes over C_CreateObject for a class and key type: what comes in is not an attribute list but an
// encoding that must be checked.
struct Creator {
  CK_OBJECT_CLASS object_class = 0;
  // CK_UNAVAILABLE_INFORMATION: the class alone decides.
  CK_KEY_TYPE key_type = CK_UNAVAILABLE_INFORMATION;
  Outcome<Produced> (*create)(const CreateInput&) = nullptr;
};

class MechanismTable {
 public:
  MechanismTable() = default;
  void add(Mechanism mechanism);
  void add(Creator creator) { creators_.push_back(creator); }

  // The entry of a type without regard to a key; nullptr when there is none.
  [[nodiscard]] const Mechanism* find(CK_MECHANISM_TYPE type) const;
  // The entry that serves this key.
  [[nodiscard]] const Mechanism* find(CK_MECHANISM_TYPE type, const Object& key) const;
  [[nodiscard]] const Creator* find_creator(CK_OBJECT_CLASS object_class,
                                            CK_KEY_TYPE key_type) const;
  // Each type once, ascending.
  [[nodiscard]] std::vector<CK_MECHANISM_TYPE> types() const;

 private:
  // By type, those of one type in the order in which they were added. Entries are large and stay
  // where they are.
  std::multimap<CK_MECHANISM_TYPE, Mechanism> mechanisms_;
  std::vector<Creator> creators_;
};

}  // namespace tallystick::token
