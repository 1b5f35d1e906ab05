#include "devicesim/line/trust_provisioning.h"

#include <algorithm>
#include <array>

#include "core/base/reader.h"
#include "core/crypto/kdf.h"

namespace tallystick::device {

using core::DeviceHsm;
using core::Error;
using core::ErrorCode;
using core::Status;
using mboot::StatusCode;

namespace {

Error invalid(const char* why) { return {ErrorCode::kInvalidArgument, why}; }

// An output buffer may be larger than what goes into it, as hosts hand over whole slots.
Status takes(const RamBuffer& buffer, std::size_t size) {
  if (buffer.size < size) return invalid("the buffer for the result is too small");
  return {};
}

}  // namespace

struct TrustProvisioning::Operation {
  std::uint32_t number;
  const char* name;
  std::size_t parameters;             // behind the number
  std::array<std::uint8_t, 4> pairs;  // where buffers begin among them; kNone: no more
  std::size_t values;
  bool needs_share;
  Status (TrustProvisioning::*run)(Work&);

  static constexpr std::uint8_t kNone = 0xFF;
};

const TrustProvisioning::Operation* TrustProvisioning::find(std::uint32_t number) {
  constexpr auto kNone = Operation::kNone;
  using Self = TrustProvisioning;
  static constexpr std::array kOperations = {
      Operation{0, "oem_gen_master_share", 8, {0, 2, 4, 6}, 3, false, &Self::generate_master_share},
      Operation{
          1, "oem_set_master_share", 4, {0, 2, kNone, kNone}, 0, false, &Self::set_master_share},
      Operation{2, "oem_get_cust_dice_puk", 4, {0, 2, kNone, kNone}, 1, false, &Self::get_dice_key},
      Operation{3, "hsm_gen_key", 6, {2, 4, kNone, kNone}, 2, true, &Self::generate_key},
      Operation{4, "hsm_store_key", 6, {2, 4, kNone, kNone}, 2, true, &Self::store_key},
      Operation{5, "hsm_enc_blk", 8, {0, 3, 6, kNone}, 0, true, &Self::encrypt_block},
      Operation{6, "hsm_enc_sign", 6, {0, 2, 4, kNone}, 1, true, &Self::sign},
  };
  const auto* const found = std::ranges::find(kOperations, number, &Operation::number);
  return found == kOperations.end() ? nullptr : found;
}

TrustProvisioning::Outcome TrustProvisioning::execute(const Part& part, Ram& ram,
                                                      Parameters parameters) {
  const auto* const operation = find(parameters.front());
  const auto refuse = [&](Status why, std::optional<StatusCode> word = std::nullopt) {
    const auto values = operation == nullptr ? 1 : std::max<std::size_t>(operation->values, 1);
    return Outcome{std::move(why), word, std::vector<std::uint32_t>(values)};
  };
  if (operation == nullptr) {
    return refuse(invalid("no such operation"), StatusCode::kUnknownCommand);
  }
  Work work{part, ram, parameters.subspan(1), {}, {}};
  if (work.in.size() != operation->parameters) {
    return refuse(invalid("parameters are not those of the operation"));
  }
  for (const auto at : operation->pairs) {
    if (at != Operation::kNone && !buffer_at(work.in, at).in_ram()) {
      return refuse(invalid("a buffer is not in the RAM"), StatusCode::kMemoryRange);
    }
  }
  if (auto permitted = part.check_nxp_commands(operation->name); !permitted) {
    return refuse(std::move(permitted));
  }
  if (operation->needs_share && !hsm_) {
    return refuse(invalid("there is no OEM share yet: generate or set a master share first"));
  }
  if (auto done = (this->*operation->run)(work); !done) return refuse(std::move(done));
  for (const auto& output : work.outputs) ram.write(output.buffer.address, output.bytes);
  return {{}, std::nullopt, std::move(work.values)};
}

Status TrustProvisioning::generate_master_share(Work& work) {
  const auto share = buffer_at(work.in, 2);
  const auto master = buffer_at(work.in, 4);
  const auto certificate = buffer_at(work.in, 6);
  if (share.overlaps(master) || share.overlaps(certificate) || master.overlaps(certificate)) {
    return invalid("two results would stand in one place");
  }
  auto fits = takes(share, core::sb3::kEncShareSize);
  if (fits) fits = takes(master, core::sb3::kEncMasterShareSize);
  if (fits) fits = takes(certificate, DeviceHsm::kPublicKeySize);
  if (!fits) return fits;
  if (hsm_) return Error{ErrorCode::kAlreadyPresent, "there is an OEM share: reset the part first"};
  const auto seed = buffer_at(work.in, 0).read(work.ram);
  auto hsm = DeviceHsm::make(work.part.crypto(), *work.part.running(), seed.view());
  if (!hsm) return std::move(hsm).error();
  const auto key = hsm->certificate_public_key();
  if (!key) return key.error();
  const auto put = [&](const RamBuffer& buffer, core::ByteView bytes) {
    work.outputs.push_back({buffer, core::Bytes(bytes.begin(), bytes.end())});
    work.values.push_back(static_cast<std::uint32_t>(bytes.size()));
  };
  put(share, hsm->enc_share());
  put(master, *hsm->enc_master_share());
  put(certificate, *key);
  hsm_ = *std::move(hsm);
  return {};
}

Status TrustProvisioning::set_master_share(Work& work) {
  if (hsm_) return Error{ErrorCode::kAlreadyPresent, "there is an OEM share: reset the part first"};
  const auto seed = buffer_at(work.in, 0).read(work.ram);
  const auto master = buffer_at(work.in, 2).read(work.ram);
  auto hsm =
      DeviceHsm::make_again(work.part.crypto(), *work.part.running(), seed.view(), master.view());
  if (!hsm) return std::move(hsm).error();
  hsm_ = *std::move(hsm);
  return {};
}

// The public half of a key that only this part has, for this root of trust.
Status TrustProvisioning::get_dice_key(Work& work) {
  const auto root = buffer_at(work.in, 0);
  const auto out = buffer_at(work.in, 2);
  if (root.size != 32 && root.size != 48) return invalid("a hash of root keys has 32 or 48 bytes");
  if (auto fits = takes(out, DeviceHsm::kPublicKeySize); !fits) return fits;
  const auto unique = work.part.derive_unique_key("TSDH/DICE");
  if (!unique) return unique.error();
  const auto& crypto = work.part.crypto();
  const auto value = core::counter_kdf(crypto, core::Hash::kSha256, unique->view(),
                                       core::bytes_of("TSDH/DICE"), root.read(work.ram).view(), 48);
  if (!value) return value.error();
  const auto scalar = core::ec_scalar_from(crypto, core::Curve::kP256, value->view());
  if (!scalar) return scalar.error();
  const auto key = core::EcPrivateKey::from_scalar(crypto, core::Curve::kP256, scalar->view());
  if (!key) return key.error();
  const auto xy = key->public_xy();
  work.outputs.push_back({out, core::Bytes(xy.begin(), xy.end())});
  work.values = {static_cast<std::uint32_t>(xy.size())};
  return {};
}

Status TrustProvisioning::generate_key(Work& work) {
  const auto blob = buffer_at(work.in, 2);
  const auto public_key = buffer_at(work.in, 4);
  if (work.in[1] != 0) return invalid("a reserved parameter is not zero");
  if (blob.overlaps(public_key)) return invalid("two results would stand in one place");
  auto fits = takes(blob, DeviceHsm::kKeyBlobSize);
  if (fits) fits = takes(public_key, DeviceHsm::kPublicKeySize);
  if (!fits) return fits;
  auto made = hsm_->make_key(static_cast<DeviceHsm::KeyType>(work.in[0]));
  if (!made) return std::move(made).error();
  work.values = {static_cast<std::uint32_t>(made->blob.size()),
                 static_cast<std::uint32_t>(made->public_key.size())};
  work.outputs.push_back({blob, std::move(made->blob)});
  work.outputs.push_back(
      {public_key, core::Bytes(made->public_key.begin(), made->public_key.end())});
  return {};
}

Status TrustProvisioning::store_key(Work& work) {
  constexpr std::uint32_t kLongKey = 1;
  constexpr std::uint32_t kProtection = 0xC0000000;
  const auto property = work.in[1];
  const auto in = buffer_at(work.in, 2);
  const auto out = buffer_at(work.in, 4);
  if ((property & ~(kLongKey | kProtection)) != 0) return invalid("unknown key properties");
  if (in.size != ((property & kLongKey) != 0 ? 32U : 16U)) {
    return invalid("the key has not the size that its property says");
  }
  const auto key = in.read(work.ram);
  auto wrapped =
      hsm_->wrap_stored_key(static_cast<DeviceHsm::StoredKeyType>(work.in[0]), key.view());
  if (!wrapped) return std::move(wrapped).error();
  if (auto fits = takes(out, wrapped->size()); !fits) return fits;
  // What stands before the key in the blob: its type, and its size in bytes.
  work.values = {work.in[0] << 8U | in.size, static_cast<std::uint32_t>(wrapped->size())};
  work.outputs.push_back({out, *std::move(wrapped)});
  return {};
}

Status TrustProvisioning::encrypt_block(Work& work) {
  const auto data = buffer_at(work.in, 6);
  if (work.in[2] != DeviceHsm::kInternalKek) return invalid("no such key-encryption key");
  const auto blob = buffer_at(work.in, 0).read(work.ram);
  const auto header = buffer_at(work.in, 3).read(work.ram);
  auto block = data.read(work.ram);
  auto sealed = hsm_->encrypt_block(blob.view(), header.view(), work.in[5], block.span());
  if (!sealed) return sealed;
  const auto bytes = block.view();
  work.outputs.push_back({data, core::Bytes(bytes.begin(), bytes.end())});
  return {};
}

Status TrustProvisioning::sign(Work& work) {
  const auto out = buffer_at(work.in, 4);
  if (auto fits = takes(out, DeviceHsm::kSignatureSize); !fits) return fits;
  const auto blob = buffer_at(work.in, 0).read(work.ram);
  const auto data = buffer_at(work.in, 2).read(work.ram);
  if (data.empty()) return invalid("there is nothing to sign");
  auto signature = hsm_->sign(blob.view(), data.view());
  if (!signature) return std::move(signature).error();
  work.values = {static_cast<std::uint32_t>(signature->size())};
  work.outputs.push_back({out, *std::move(signature)});
  return {};
}

}  // namespace tallystick::device
