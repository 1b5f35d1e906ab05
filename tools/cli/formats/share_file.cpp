#include "tools/cli/formats/share_file.h"

#include <limits>

#include "tools/cli/file_io.h"
#include "tools/cli/formats/json_file.h"

namespace tallystick::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kShareFormat = "tallystick-shares-1";
constexpr std::string_view kConsentFormat = "tallystick-consent-1";
constexpr std::string_view kGrantFormat = "tallystick-grant-1";

std::string text_of(const Json& document) { return document.dump(2) + "\n"; }

Done write_json(const std::string& path, const Json& document) {
  return write_text(path, text_of(document));
}

}  // namespace

Outcome<core::Context> read_share_file(const std::string& path) {
  auto document = read_json_file(path, kShareFormat);
  if (!document) return std::move(document).error();
  const auto family = hex_member<16>(*document, "family_id");
  const auto oem = hex_member<32>(*document, "oem_id");
  const auto share = hex_member<16>(*document, "share_id");
  const auto floor = number_member(*document, "sw_floor", kMost32);
  if (!family || !oem || !share || !floor) {
    return file_failure(path, "family_id, oem_id, share_id or sw_floor is missing or wrong");
  }
  return core::Context{*family, *oem, *share, static_cast<std::uint32_t>(*floor)};
}

std::string share_file_text(const core::Context& context) {
  return text_of({{"format", kShareFormat},
                  {"family_id", core::to_hex(context.family_id)},
                  {"oem_id", core::to_hex(context.oem_id)},
                  {"share_id", core::to_hex(context.share_id)},
                  {"sw_floor", context.sw_floor}});
}

Done write_share_file(const std::string& path, const core::Context& context) {
  return write_text(path, share_file_text(context));
}

Outcome<Consent> read_consent_file(const std::string& path) {
  auto document = read_json_file(path, kConsentFormat);
  if (!document) return std::move(document).error();
  const auto device = hex_member<32>(*document, "device_id");
  const auto nonce = hex_member<32>(*document, "nonce");
  const auto key = hex_member<96>(*document, "oem_public_key");
  const auto signature = hex_member<96>(*document, "signature");
  if (!device || !nonce || !key || !signature) {
    return file_failure(path, "device_id, nonce, oem_public_key or signature is missing or wrong");
  }
  return Consent{*device, *nonce, *key, *signature};
}

Done write_consent_file(const std::string& path, const Consent& consent) {
  return write_json(path, {{"format", kConsentFormat},
                           {"device_id", core::to_hex(consent.device_id)},
                           {"nonce", core::to_hex(consent.nonce)},
                           {"oem_public_key", core::to_hex(consent.oem_public_key)},
                           {"signature", core::to_hex(consent.signature)}});
}

Outcome<Grant> read_grant_file(const std::string& path) {
  auto document = read_json_file(path, kGrantFormat);
  if (!document) return std::move(document).error();
  const auto share = hex_member<16>(*document, "share_id");
  const auto job = hex_member<16>(*document, "job_id");
  const auto limit = number_member(*document, "limit", std::numeric_limits<std::uint64_t>::max());
  const auto key = hex_member<96>(*document, "oem_public_key");
  const auto signature = hex_member<96>(*document, "signature");
  if (!share || !job || !limit || !key || !signature) {
    return file_failure(path, "a member of the grant is missing or wrong");
  }
  return Grant{*share, *job, *limit, *key, *signature};
}

Done write_grant_file(const std::string& path, const Grant& grant) {
  return write_json(path, {{"format", kGrantFormat},
                           {"share_id", core::to_hex(grant.share_id)},
                           {"job_id", core::to_hex(grant.job_id)},
                           {"limit", grant.limit},
                           {"oem_public_key", core::to_hex(grant.oem_public_key)},
                           {"signature", core::to_hex(grant.signature)}});
}

}  // namespace tallystick::cli
