#include "core/provisioning/package_reader.h"

#include <algorithm>

namespace tallystick::core {
namespace {

constexpr std::uint8_t kOpening = 10;

Error refuse(std::uint8_t check, ErrorCode code, const char* what) { return {code, what, check}; }

// Errors of the gate say what; the package's check says where.
Error at_check(Error error, std::uint8_t check) {
  error.check = check;
  return error;
}

// Check 3: section 2's floor, and what the running software permits.
Status check_software(const ProvisioningSoftware& running, const PackageHead& head) {
  if (auto admitted = running.admits(head.header.context); !admitted) {
    return at_check(std::move(admitted).error(), 3);
  }
  const auto& permissions = running.permissions();
  const bool further = std::any_of(head.entries.begin(), head.entries.end(), [](const auto& entry) {
    return entry.kind == AssetKind::kFurther;
  });
  if (!permissions.allows(Operation::kInstall) || !permissions.opens(head.header.suite) ||
      (further && !permissions.allows(Operation::kFurtherTypes))) {
    return refuse(3, ErrorCode::kNotPermitted,
                  "the provisioning software does not permit installing this package");
  }
  return {};
}

// Check 4: the share blob, alone and against the package.
Result<OemShare> check_share(const ProvisioningSoftware& running, const PackageHead& head,
                             ByteView blob, const EcPrivateKey* device_key) {
  auto share = running.take_share(blob, device_key);
  if (!share) return at_check(std::move(share).error(), 4);
  if (share->context != head.header.context) {
    return refuse(4, ErrorCode::kShareRefused, "the share blob is not the package's");
  }
  return share;
}

// Check 8, where it needs the part.
Status check_places(const PackageTarget& target, const PackageHead& head) {
  if (auto checked = check_package_entries(head); !checked) return checked;
  for (const auto& entry : head.entries) {
    if (!target.range_permitted(entry)) {
      return refuse(8, ErrorCode::kInconsistent,
                    "an asset's place is not in the part's memory map");
    }
  }
  if (const auto product = target.product(); !product.empty() && product != head.header.product) {
    return refuse(8, ErrorCode::kWrongProduct, "the package is for another product");
  }
  return {};
}

Status check_versions(const PackageTarget& target, const PackageHead& head) {
  if (head.header.package_version < target.minimum_package_version()) {
    return refuse(9, ErrorCode::kRollback, "the package is older than one installed before");
  }
  for (const auto& entry : head.entries) {
    if (entry.asset_version < target.minimum_asset_version(entry.asset_id)) {
      return refuse(9, ErrorCode::kRollback, "an asset is older than one installed before");
    }
  }
  return {};
}

}  // namespace

PackageReader::PackageReader(const Crypto& crypto, std::uint64_t total_length,
                             PackageTarget& target)
    : crypto_(&crypto), target_(&target), total_length_(total_length) {}

PackageReader::~PackageReader() {
  // A stream that simply stops leaves nothing behind either.
  if (staging_) target_->abandon();
}

Status PackageReader::fail(Error error) {
  failed_ = true;
  opener_.reset();
  if (staging_) {
    staging_ = false;
    target_->abandon();
  }
  return error;
}

Status PackageReader::update(ByteView data) {
  if (failed_) return Error{ErrorCode::kInvalidArgument, "the package was refused before", 0};
  if (data.size() > total_length_ - received_) {
    return fail(refuse(1, ErrorCode::kMalformed, "there is more than the package's length"));
  }
  received_ += data.size();
  if (!head_) {
    if (auto collected = collect_head(data); !collected) return collected;
  }
  if (data.empty()) return {};
  return take_body(data);
}

// Takes what belongs to the head off the front of `data`; checks it once it is complete.
Status PackageReader::collect_head(ByteView& data) {
  const auto take = [this, &data](std::size_t wanted) {
    const auto count = std::min(wanted - collected_.size(), data.size());
    collected_.insert(collected_.end(), data.begin(),
                      data.begin() + static_cast<std::ptrdiff_t>(count));
    data = data.subspan(count);
    return collected_.size() == wanted;
  };
  if (head_size_ == 0) {
    if (!take(kPackageHeaderSize)) return {};
    const auto size = package_head_size_of(collected_);
    if (!size) return fail(size.error());
    head_size_ = *size;
  }
  if (!take(head_size_)) return {};
  if (auto checked = check_head(collected_); !checked) {
    return fail(std::move(checked).error());
  }
  collected_ = Bytes();
  return begin_next_asset();
}

// Checks 1 to 9. Nothing is written before the last of them has passed.
Status PackageReader::check_head(ByteView bytes) {
  auto head = parse_package_head(bytes, total_length_);
  if (!head) return std::move(head).error();
  const auto& running = target_->running();
  if (head->header.context.family_id != running.family().id) {
    return refuse(2, ErrorCode::kWrongFamily, "the package is for another family");
  }
  if (auto checked = check_software(running, *head); !checked) return checked;
  const auto share = check_share(running, *head, target_->share_blob(), target_->device_key());
  if (!share) return share.error();

  auto master_key = running.derive_master_key(*share);
  if (!master_key) return std::move(master_key).error();
  const auto suite = head->header.suite;
  const auto k_auth = running.derive_asset_key(*master_key, suite, kLabelAuth);
  if (!k_auth) return k_auth.error();
  if (auto tagged = running.check_package_tag(*k_auth, head->tagged_bytes(), head->tag());
      !tagged) {
    return tagged;
  }
  const auto signature = check_package_signature(*crypto_, *head);
  if (!signature && signature.error().check != 7) return signature.error();
  if (const auto owner = target_->owner();
      owner && !equal_in_constant_time(*owner, head->header.context.oem_id)) {
    return refuse(6, ErrorCode::kWrongOwner, "the part belongs to another OEM");
  }
  if (!signature) return signature.error();
  if (auto checked = check_places(*target_, *head); !checked) return checked;
  if (auto checked = check_versions(*target_, *head); !checked) return checked;

  if (running.permissions().allows(Operation::kProve)) {
    auto proof_key = running.derive_proof_key(*master_key, suite);
    if (!proof_key) return std::move(proof_key).error();
    proof_key_ = *std::move(proof_key);
  }
  head_.emplace(*std::move(head));
  master_key_.emplace(*std::move(master_key));
  return {};
}

Status PackageReader::begin_next_asset() {
  const auto& entry = head_->entries[current_];
  const auto& running = target_->running();
  const auto key = running.derive_asset_key(*master_key_, head_->header.suite,
                                            label_for(entry.kind, entry.name));
  if (!key) return fail(at_check(key.error(), kOpening));
  auto opener = running.open_asset(*key, head_->asset_context(current_));
  if (!opener) return fail(at_check(std::move(opener).error(), kOpening));
  auto hasher = Hasher::create(*crypto_, Hash::kSha384);
  if (!hasher) return fail(std::move(hasher).error());
  opener_.emplace(std::move(opener->stream));
  hasher_.emplace(*std::move(hasher));
  left_in_asset_ = entry.sealed_length;
  staging_ = true;
  if (auto begun = target_->begin_asset(*head_, current_); !begun) {
    return fail(std::move(begun).error());
  }
  return {};
}

Status PackageReader::end_current_asset() {
  const ByteSink sink = [this](ByteView plaintext) { return target_->write_asset(plaintext); };
  if (auto ended = opener_->finish(sink); !ended) {
    return fail(at_check(std::move(ended).error(), kOpening));
  }
  ByteArray<48> digest{};
  if (auto done = hasher_->finish(digest); !done) return fail(std::move(done).error());
  if (!equal_in_constant_time(digest, head_->entries[current_].digest)) {
    return fail(refuse(kOpening, ErrorCode::kOpenFailed, "an asset is not the signed one"));
  }
  if (auto ended = target_->end_asset(); !ended) return fail(std::move(ended).error());
  ++current_;
  return {};
}

Status PackageReader::take_body(ByteView data) {
  const ByteSink sink = [this](ByteView plaintext) { return target_->write_asset(plaintext); };
  while (!data.empty()) {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(left_in_asset_, data.size()));
    const auto piece = data.first(count);
    data = data.subspan(count);
    if (auto hashed = hasher_->update(piece); !hashed) return fail(std::move(hashed).error());
    if (auto opened = opener_->update(piece, sink); !opened) {
      return fail(at_check(std::move(opened).error(), kOpening));
    }
    left_in_asset_ -= count;
    if (left_in_asset_ > 0) continue;
    if (auto ended = end_current_asset(); !ended) return ended;
    if (current_ < head_->entries.size()) {
      if (auto begun = begin_next_asset(); !begun) return begun;
    }
  }
  return {};
}

Result<VerifiedPackage> PackageReader::finish() {
  if (failed_) return Error{ErrorCode::kInvalidArgument, "the package was refused before", 0};
  if (!head_ || received_ != total_length_ || current_ != head_->entries.size()) {
    return std::move(fail(refuse(1, ErrorCode::kMalformed, "the package is cut"))).error();
  }
  staging_ = false;
  failed_ = true;  // spent
  const auto owner = head_->header.context.oem_id;
  return VerifiedPackage{*std::move(head_), owner, std::move(proof_key_)};
}

}  // namespace tallystick::core
