#include "core/ts1/application.h"

#include "core/base/reader.h"

namespace tallystick::core {
namespace {

constexpr std::uint64_t kMostPayload = (1ULL << 40U) - 1;

Error refuse(std::uint8_t check, ErrorCode code, const char* message) {
  return {code, message, check};
}

}  // namespace

Result<Bytes> application_header(const ApplicationHeader& header) {
  auto name = field_from_name(header.name);
  if (!name) return std::move(name).error();
  if (header.floor > header.version) {
    return Error{ErrorCode::kInvalidArgument,
                 "an application's floor is not above its own version"};
  }
  if (header.payload_length == 0 || header.payload_length > kMostPayload) {
    return Error{ErrorCode::kInvalidArgument, "an application has 1 to 2^40 - 1 bytes"};
  }
  Writer out;
  out.text(kApplicationMagic).u16(1).u16(0).u32(header.version).u32(header.floor);
  out.u64(header.payload_length).zeros(8).bytes(header.payload_digest).bytes(*name).zeros(16);
  return out.take();
}

Result<ApplicationHeader> check_application_head(const Crypto& crypto, ByteView head,
                                                 std::uint64_t length, ByteView oem_public_key) {
  constexpr auto kMalformed = ErrorCode::kMalformed;
  if (head.size() != kApplicationPrefix || length <= kApplicationPrefix ||
      text_of(head.first(kApplicationMagic.size())) != kApplicationMagic) {
    return refuse(1, kMalformed, "not an application image");
  }
  const auto raw = head.first(kApplicationHeaderSize);
  Reader in(raw.subspan(kApplicationMagic.size()));
  const auto format = in.u16();
  const auto filler = in.u16();
  ApplicationHeader header;
  header.version = in.u32();
  header.floor = in.u32();
  header.payload_length = in.u64();
  const auto reserved = in.take(8);
  header.payload_digest = in.array<48>();
  const auto name_field = in.take(kNameSize);
  if (header.payload_length != length - kApplicationPrefix) {
    return refuse(1, kMalformed, "the application image is cut or too long");
  }
  const auto key = EcPublicKey::from_xy(crypto, Curve::kP384, oem_public_key);
  if (!key || !key->verify(crypto, {raw}, head.subspan(kApplicationHeaderSize))) {
    return refuse(2, ErrorCode::kBadSignature,
                  "the owner's signature of the application does not verify");
  }
  auto name = name_from_field(name_field);
  if (format != 1 || filler != 0 || !all_zero(reserved) || !all_zero(in.rest()) || !name ||
      header.floor > header.version) {
    return refuse(3, kMalformed, "the application's header is not of format 1");
  }
  header.name = *std::move(name);
  return header;
}

}  // namespace tallystick::core
