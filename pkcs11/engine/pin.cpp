#include "pkcs11/engine/pin.h"

#include "core/base/reader.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kSaltSize = 32;
constexpr std::size_t kKeySize = 32;

core::Bytes associated_data(const TokenId& token_id, const PinRow& row) {
  core::Writer out;
  out.text("TSPN").u16(1).bytes(token_id).u8(static_cast<std::uint8_t>(row.role));
  out.lv(row.salt).u64(row.cost.n).u32(row.cost.r).u32(row.cost.p);
  return out.take();
}

// The root key takes part, so that guesses need root.key beside the database.
Outcome<core::Secret> pin_key(const core::Crypto& crypto, const RootKey& root,
                              const TokenId& token_id, const PinRow& row, core::ByteView pin) {
  auto stretched = core::scrypt(crypto, pin, row.salt, row.cost, kKeySize);
  if (!stretched) return from_core(stretched.error(), CKR_FUNCTION_FAILED);
  auto pepper = root.derive("pin", token_id);
  if (!pepper) return std::move(pepper).error();
  auto key = core::hkdf(crypto, core::Hash::kSha256, pepper->view(), stretched->view(),
                        core::bytes_of("Tallystick/pin"), kKeySize);
  if (!key) return from_core(key.error(), CKR_FUNCTION_FAILED);
  return *std::move(key);
}

}  // namespace

Outcome<void> check_pin_length(core::ByteView pin) {
  if (pin.size() < kMinPinLength || pin.size() > kMaxPinLength) {
    return fault(CKR_PIN_LEN_RANGE, "a PIN has 4 to 255 bytes");
  }
  return {};
}

Outcome<PinRow> seal_pin(const core::Crypto& crypto, const RootKey& root, const TokenId& token_id,
                         PinRole role, core::ByteView pin, const core::Secret& key) {
  PinRow row;
  row.role = role;
  row.salt.resize(kSaltSize);
  row.cost = kPinCost;
  if (auto filled = crypto.random(row.salt); !filled) {
    return from_core(filled.error(), CKR_FUNCTION_FAILED);
  }
  auto sealing_key = pin_key(crypto, root, token_id, row, pin);
  if (!sealing_key) return std::move(sealing_key).error();
  auto sealed = seal_bytes(crypto, sealing_key->view(), associated_data(token_id, row), key.view());
  if (!sealed) return std::move(sealed).error();
  row.sealed = *std::move(sealed);
  return row;
}

Outcome<core::Secret> open_pin(const core::Crypto& crypto, const RootKey& root,
                               const TokenId& token_id, const PinRow& row, core::ByteView pin) {
  auto key = pin_key(crypto, root, token_id, row, pin);
  if (!key) return std::move(key).error();
  auto opened = open_bytes(crypto, key->view(), associated_data(token_id, row), row.sealed,
                           CKR_PIN_INCORRECT);
  if (!opened && opened.error().rv == CKR_PIN_INCORRECT) {
    return fault(CKR_PIN_INCORRECT, "the PIN does not match");
  }
  return opened;
}

}  // namespace tallystick::token
