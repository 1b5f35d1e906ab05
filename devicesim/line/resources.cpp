// Who a part is, its proof, and its lock: what a station on the line needs beside the memories.
#include "devicesim/line/part_target.h"
#include "devicesim/mboot/resource.h"

namespace tallystick::device {

using mboot::Reply;
using mboot::StatusCode;
using mboot::Tag;

namespace {

core::Bytes identity_of(const Part& part) {
  const auto info = part.info();
  mboot::Identity identity;
  identity.life_cycle = static_cast<std::uint8_t>(info.life_cycle);
  if (info.certified) identity.flags |= mboot::Identity::kCertified;
  if (info.family_id) identity.flags |= mboot::Identity::kHasFamily;
  if (info.package) identity.flags |= mboot::Identity::kInstalled;
  if (info.software) identity.software_version = info.software->version;
  identity.minimum_software_version = info.minimum_software_version;
  identity.part_id = info.id;
  if (info.family_id) identity.family_id = *info.family_id;
  identity.family_flags = info.family_flags;
  identity.product = info.manufacture.product;
  return mboot::encode_identity(identity);
}

}  // namespace

Reply PartTarget::flash_read_resource(const Parameters& in) {
  const auto address = in[0];
  const auto most = in[1];
  const auto refuse = [](StatusCode status) {
    return Reply{mboot::response(Tag::kFlashReadResourceResponse, status, {0})};
  };
  const auto wanted = static_cast<mboot::Resource>(in[2]);
  const bool proof = wanted == mboot::Resource::kProof;
  if (!proof && address != 0) return refuse(StatusCode::kInvalidArgument);
  if (proof && !Ram::contains(address, mboot::kChallengeBytes)) {
    return refuse(StatusCode::kMemoryRange);
  }
  auto* const on = part();
  if (on == nullptr) return refuse(unavailable_);
  core::Bytes bytes;
  switch (wanted) {
    case mboot::Resource::kIdentity:
      bytes = identity_of(*on);
      break;
    case mboot::Resource::kCertificate:
      bytes.assign(on->certificate().begin(), on->certificate().end());
      break;
    case mboot::Resource::kProof: {
      core::ByteArray<mboot::kChallengeBytes> challenge{};
      ram_.read(address, challenge);
      auto made = on->prove(challenge);
      if (!made) return refuse(status_of(core::Status(made.error())));
      bytes = *std::move(made);
      break;
    }
    default:
      return refuse(StatusCode::kInvalidArgument);
  }
  // A piece of a certificate or a proof is of no use.
  if (bytes.size() > most) return refuse(StatusCode::kInvalidArgument);
  const auto size = bytes.size();
  return give(Tag::kFlashReadResourceResponse, device::give(std::move(bytes)), size);
}

// The states are those of the profile. Software and packages make the others.
Reply PartTarget::update_life_cycle(const Parameters& in) {
  if (in[0] != static_cast<std::uint32_t>(LifeCycle::kLocked)) {
    return answer(StatusCode::kInvalidArgument);
  }
  auto* const on = part();
  if (on == nullptr) return answer(unavailable_);
  return answer(on->lock());
}

}  // namespace tallystick::device
