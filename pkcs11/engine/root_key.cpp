#include "pkcs11/engine/root_key.h"

#include "core/base/reader.h"
#include "core/crypto/kdf.h"
#include "pkcs11/engine/files.h"

namespace tallystick::token {
namespace {

// "TSRK" ‖ u16(1) ‖ secret(32)
constexpr std::string_view kMagic = "TSRK";
constexpr std::size_t kSecretSize = 32;
constexpr std::size_t kHeaderSize = 6;

class KeyFile final : public RootKey {
 public:
  KeyFile(std::shared_ptr<const core::Crypto> crypto, core::Secret secret)
      : crypto_(std::move(crypto)), secret_(std::move(secret)) {}

  Outcome<core::Secret> derive(std::string_view purpose, core::ByteView context) const override {
    core::Writer info;
    info.text("Tallystick/").text(purpose).u8(0).bytes(context);
    auto key = core::hkdf(*crypto_, core::Hash::kSha256, core::bytes_of("Tallystick/root"),
                          secret_.view(), info.view(), kSecretSize);
    if (!key) return from_core(key.error(), CKR_FUNCTION_FAILED);
    return *std::move(key);
  }

 private:
  std::shared_ptr<const core::Crypto> crypto_;
  core::Secret secret_;
};

}  // namespace

Outcome<void> create_key_file(const core::Crypto& crypto, const std::string& path) {
  core::Secret file(kHeaderSize + kSecretSize);
  core::Writer header;
  header.text(kMagic).u16(1);
  std::ranges::copy(header.view(), file.span().begin());
  if (auto filled = crypto.random(file.span().subspan(kHeaderSize)); !filled) {
    return from_core(filled.error(), CKR_FUNCTION_FAILED);
  }
  return write_new_file(path, file.view());
}

Outcome<std::unique_ptr<RootKey>> open_key_file(std::shared_ptr<const core::Crypto> crypto,
                                                const std::string& path) {
  auto file = read_small_file(path, 4096);
  if (!file) return std::move(file).error();
  core::Reader reader(file->view());
  const bool known = core::text_of(reader.take(kMagic.size())) == kMagic && reader.u16() == 1;
  const auto secret = reader.take(kSecretSize);
  if (!known || !reader.done()) {
    return fault(CKR_TOKEN_NOT_RECOGNIZED, "root.key is not a root key file");
  }
  return std::unique_ptr<RootKey>(
      std::make_unique<KeyFile>(std::move(crypto), core::Secret::copy_of(secret)));
}

}  // namespace tallystick::token
