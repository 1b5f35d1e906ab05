#include "core/sb3/layout.h"

#include <algorithm>

#include "core/base/little_endian.h"

namespace tallystick::core::sb3 {

using little_endian::append16;
using little_endian::append32;
using little_endian::append64;
using little_endian::load16;
using little_endian::load32;
using little_endian::load64;

namespace {

constexpr std::string_view kMagic = "sbv3";
constexpr std::uint16_t kMinor = 1;
constexpr std::uint16_t kMajor = 3;
constexpr std::uint32_t kOemImage = 6;
constexpr std::uint32_t kMakerImage = 7;

constexpr std::string_view kCertificateMagic = "chdr";
constexpr std::uint16_t kCertificateMinor = 1;
constexpr std::uint16_t kCertificateMajor = 2;
// The signer is its own root; one certificate; the low bits name the curve.
constexpr std::uint32_t kSelfSigned = 0x80000010;

std::uint32_t curve_flag(Curve curve) { return curve == Curve::kP256 ? 1 : 2; }

void append(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

Error malformed(const char* what) { return {ErrorCode::kMalformed, what, 1}; }

}  // namespace

Bytes encode_header(const Header& header) {
  Bytes out;
  append(out, bytes_of(kMagic));
  append16(out, kMinor);
  append16(out, kMajor);
  append32(out, header.flags);
  append32(out, header.block_count);
  append32(out, static_cast<std::uint32_t>(header.variant.block_size()));
  append64(out, header.timestamp);
  append32(out, header.firmware_version);
  append32(out, header.block0_length);
  append32(out, header.image_type);
  append32(out, static_cast<std::uint32_t>(header.variant.certificate_offset()));
  append(out, header.description);
  return out;
}

Result<Header> parse_header(ByteView bytes) {
  if (bytes.size() != kHeaderSize || text_of(bytes.first(4)) != kMagic ||
      load16(bytes.subspan(4)) != kMinor || load16(bytes.subspan(6)) != kMajor) {
    return malformed("not an SB3.1 container");
  }
  Header out;
  out.flags = load32(bytes.subspan(8));
  out.block_count = load32(bytes.subspan(12));
  const auto block_size = load32(bytes.subspan(16));
  out.timestamp = load64(bytes.subspan(20));
  out.firmware_version = load32(bytes.subspan(28));
  out.block0_length = load32(bytes.subspan(32));
  out.image_type = load32(bytes.subspan(36));
  const auto certificate_offset = load32(bytes.subspan(40));
  out.description = array_of<16>(bytes.subspan(44));
  if (block_size == Variant{Curve::kP384}.block_size()) out.variant.curve = Curve::kP384;
  if (block_size != out.variant.block_size() ||
      certificate_offset != out.variant.certificate_offset()) {
    return malformed("the SB3.1 container has blocks of another form");
  }
  if (out.image_type != kOemImage && out.image_type != kMakerImage) {
    return malformed("the SB3.1 container is of no known image type");
  }
  const auto end = std::ranges::find(out.description, std::uint8_t{0});
  if (!std::all_of(end, out.description.end(), [](auto byte) { return byte == 0; })) {
    return malformed("the SB3.1 container's description is not zero padded");
  }
  return out;
}

Bytes encode_certificate(const Variant& variant, const Certificate& certificate) {
  Bytes out;
  append(out, bytes_of(kCertificateMagic));
  append16(out, kCertificateMinor);
  append16(out, kCertificateMajor);
  append32(out, static_cast<std::uint32_t>(variant.certificate_size()));
  append32(out, kSelfSigned | curve_flag(variant.curve));
  append(out, certificate.signer);
  append(out, certificate.enc_oem_share);
  return out;
}

Result<Certificate> parse_certificate(const Variant& variant, ByteView bytes) {
  if (bytes.size() != variant.certificate_size() || text_of(bytes.first(4)) != kCertificateMagic ||
      load16(bytes.subspan(4)) != kCertificateMinor ||
      load16(bytes.subspan(6)) != kCertificateMajor || load32(bytes.subspan(8)) != bytes.size() ||
      load32(bytes.subspan(12)) != (kSelfSigned | curve_flag(variant.curve))) {
    return malformed("the certificate block is not that of a Device-HSM file");
  }
  const auto signer = bytes.subspan(16, 2 * field_size(variant.curve));
  Certificate out;
  out.signer.assign(signer.begin(), signer.end());
  out.enc_oem_share = array_of<kEncShareSize>(bytes.last(kEncShareSize));
  return out;
}

std::uint64_t file_size(const Header& header) {
  return header.block0_length + std::uint64_t{header.block_count} * header.variant.block_size();
}

}  // namespace tallystick::core::sb3
