// What a part answers to generate-key-blob, key-provisioning and trust-provisioning.
#include "devicesim/line/part_target.h"

namespace tallystick::device {

using core::Status;
using mboot::Reply;
using mboot::StatusCode;
using mboot::Tag;

namespace {

enum class StoreOperation : std::uint32_t {
  kEnroll = 0,
  kSetUserKey = 1,
  kSetKey = 2,
  kWriteNonVolatile = 3,
  kReadNonVolatile = 4,
  kWriteKeyStore = 5,
  kReadKeyStore = 6,
};

}  // namespace

Reply PartTarget::take_or_refuse(core::Result<TransferPtr> transfer, std::uint32_t length) {
  if (!transfer) return answer(Status(transfer.error()));
  return take(*std::move(transfer), length);
}

Reply PartTarget::give_or_refuse(Tag tag, core::Result<core::Bytes> bytes) {
  if (!bytes) return {mboot::response(tag, status_of(Status(bytes.error())), {0})};
  const auto length = bytes->size();
  return give(tag, device::give(*std::move(bytes)), length);
}

Reply PartTarget::generate_key_blob(const Parameters& in) {
  const bool from_host = in[2] == 0;
  if (from_host != data_announced_ || in[2] > 1) return answer(StatusCode::kInvalidArgument);
  const auto refuse = [](StatusCode status) {
    return Reply{mboot::response(Tag::kGenerateKeyBlobResponse, status, {0})};
  };
  auto* const on = part();
  if (on == nullptr) return from_host ? answer(unavailable_) : refuse(unavailable_);
  if (from_host) {
    if (in[1] == 0 || in[1] > KeyProvisioning::kMostData) {
      return answer(StatusCode::kInvalidArgument);
    }
    return take_or_refuse(keys_.take_data_key(*on, in[0]), in[1]);
  }
  auto blob = keys_.give_key_blob(*on, in[0]);
  // The host says how much it takes; it gets what there is.
  if (blob && blob->size() > in[1]) return refuse(StatusCode::kInvalidArgument);
  return give_or_refuse(Tag::kGenerateKeyBlobResponse, std::move(blob));
}

Reply PartTarget::key_provisioning(const Parameters& in) {
  const auto operation = static_cast<StoreOperation>(in[0]);
  const bool from_host =
      operation == StoreOperation::kSetUserKey || operation == StoreOperation::kWriteKeyStore;
  std::size_t count = 1;
  if (from_host || operation == StoreOperation::kSetKey) count = 3;
  if (operation == StoreOperation::kWriteNonVolatile ||
      operation == StoreOperation::kReadNonVolatile) {
    count = 2;
  }
  if (in[0] > static_cast<std::uint32_t>(StoreOperation::kReadKeyStore) || in.size() != count ||
      from_host != data_announced_) {
    return answer(StatusCode::kInvalidArgument);
  }
  auto* const on = part();
  if (on == nullptr) {
    return operation == StoreOperation::kReadKeyStore
               ? Reply{mboot::response(Tag::kKeyProvisioningResponse, unavailable_, {0})}
               : answer(unavailable_);
  }
  if (from_host && (in[2] == 0 || in[2] > KeyProvisioning::kMostData)) {
    return answer(StatusCode::kInvalidArgument);
  }
  // One memory keeps a key store: the part itself.
  if (count == 2 && in[1] != 0) return answer(StatusCode::kInvalidArgument);
  switch (operation) {
    case StoreOperation::kEnroll:
      return answer(keys_.enroll(*on));
    case StoreOperation::kSetUserKey:
      return take_or_refuse(keys_.set_user_key(*on, in[1]), in[2]);
    case StoreOperation::kSetKey:
      return answer(keys_.make_key(*on, in[1], in[2]));
    case StoreOperation::kWriteNonVolatile:
      return answer(keys_.write(*on));
    case StoreOperation::kReadNonVolatile:
      return answer(keys_.read(*on));
    case StoreOperation::kWriteKeyStore:
      if (in[1] != 0) return answer(StatusCode::kInvalidArgument);
      return take_or_refuse(keys_.take_sealed(*on), in[2]);
    case StoreOperation::kReadKeyStore:
      break;
  }
  return give_or_refuse(Tag::kKeyProvisioningResponse, keys_.give_sealed(*on));
}

Reply PartTarget::trust_provisioning(const Parameters& in) {
  auto* const on = part();
  if (on == nullptr) {
    return {mboot::response(Tag::kTrustProvisioningResponse, unavailable_, {0})};
  }
  auto outcome = trust_.execute(*on, ram_, in);
  auto status = StatusCode::kSuccess;
  if (!outcome.status) {
    status = outcome.word ? *outcome.word : status_of(outcome.status);
    if (outcome.word) note(status, outcome.status.error().message);
  }
  auto packet = mboot::response(Tag::kTrustProvisioningResponse, status);
  packet.parameters.insert(packet.parameters.end(), outcome.values.begin(), outcome.values.end());
  return {std::move(packet)};
}

}  // namespace tallystick::device
