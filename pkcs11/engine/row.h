// Rows as they lie in the database, and how they are sealed: AES-256-GCM with everything that names
// the row as associated data (A70, A71).
#pragma once

#include <array>

#include "core/crypto/kdf.h"
#include "pkcs11/engine/object.h"

namespace tallystick::token {

using TokenId = core::ByteArray<16>;

// The attributes that applications search by have a tag in each row: a keyed hash, so that a search
// reads the rows it may find and no others. What a row really holds is compared when it is open.
constexpr std::array<CK_ATTRIBUTE_TYPE, 2> kTagged = {CKA_ID, CKA_LABEL};
constexpr std::size_t kTagCount = kTagged.size();
// Tags of rows from before there were any. No attribute has it.
constexpr std::uint64_t kNoTag = 0;

struct ObjectRow {
  ObjectId id{};
  CK_OBJECT_CLASS object_class = 0;
  Tier tier = Tier::kPublic;
  std::uint64_t generation = 0;
  std::uint64_t policy = 0;
  // Reserved: the group an object belongs to, its epoch and its job. Bound like the rest.
  core::Bytes group;
  std::uint64_t epoch = 0;
  core::Bytes job;
  core::Bytes sealed;
  std::array<std::uint64_t, kTagCount> tags{};
};

enum class PinRole : std::uint8_t { kSo = 0, kUser = 1 };

struct PinRow {
  PinRole role = PinRole::kSo;
  core::Bytes salt;
  core::ScryptCost cost;
  core::Bytes sealed;
  unsigned tries = 0;
};

struct TokenRecord {
  TokenId token_id{};
  // Derived from the root key: tells a database that stands beside another token's root key.
  core::Bytes root_check;
  core::Bytes label;
  // Rises whenever the user's private objects begin a new life: C_InitPIN, C_InitToken.
  std::uint64_t pin_epoch = 0;
};

// nonce ‖ ciphertext ‖ tag under a 32-byte key.
Outcome<core::Bytes> seal_bytes(const core::Crypto& crypto, core::ByteView key, core::ByteView aad,
                                core::ByteView plaintext);
// `refused` is the answer for whatever does not open.
Outcome<core::Secret> open_bytes(const core::Crypto& crypto, core::ByteView key, core::ByteView aad,
                                 core::ByteView sealed, CK_RV refused);

// Seals and opens the rows of one or two tiers of one token.
class RowSealer {
 public:
  RowSealer(std::shared_ptr<const core::Crypto> crypto, const TokenId& token_id)
      : crypto_(std::move(crypto)), token_id_(token_id) {}
  Outcome<void> key(Tier tier, core::Secret key);

  [[nodiscard]] Outcome<ObjectRow> seal(const Object& object) const;
  // CKR_DEVICE_ERROR for a row that was changed, moved or damaged.
  [[nodiscard]] Outcome<ObjectPtr> open(const ObjectRow& row) const;
  // The tag that a value of the attribute kTagged[tag] has in rows of this tier; kNoTag without the
  // tier's key.
  [[nodiscard]] Outcome<std::uint64_t> tag(Tier tier, std::size_t tag, core::ByteView value) const;

 private:
  std::shared_ptr<const core::Crypto> crypto_;
  TokenId token_id_;
  std::array<core::Secret, 3> keys_;
  std::array<core::Secret, 3> tag_keys_;
};

}  // namespace tallystick::token
