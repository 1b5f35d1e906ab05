// The small JSON files that go with shares: which share set it is (shares.json), the OEM's consent
// to one regeneration, the OEM's grant for one job. No secrets in any of them.
#pragma once

#include "core/ts1/share_blob.h"
#include "tools/cli/failure.h"

namespace tallystick::cli {

Outcome<core::Context> read_share_file(const std::string& path);
std::string share_file_text(const core::Context& context);
Done write_share_file(const std::string& path, const core::Context& context);

struct Consent {
  // Whom it is for, and the token's nonce at that time.
  core::DeviceId device_id{};
  core::ByteArray<32> nonce{};
  core::ByteArray<96> oem_public_key{};
  core::ByteArray<96> signature{};
};
Outcome<Consent> read_consent_file(const std::string& path);
Done write_consent_file(const std::string& path, const Consent& consent);

struct Grant {
  core::ShareId share_id{};
  core::JobId job_id{};
  std::uint64_t limit = 0;
  core::ByteArray<96> oem_public_key{};
  core::ByteArray<96> signature{};
};
Outcome<Grant> read_grant_file(const std::string& path);
Done write_grant_file(const std::string& path, const Grant& grant);

}  // namespace tallystick::cli
