#include "core/ts1/package.h"

#include <algorithm>
#include <set>

#include "core/base/reader.h"
#include "core/crypto/ec.h"
#include "core/crypto/hash.h"
#include "core/ts1/derive.h"

namespace tallystick::core {
namespace {

constexpr std::string_view kMagic = "TSPK";
constexpr std::string_view kAssetLabel = "TS1/ASSET";
constexpr std::size_t kEntryBound = 64;  // entry[0..64) is sealed into the context
constexpr std::size_t kEntryTail = 112;  // and entry[112..128)
constexpr std::size_t kDigestAt = 64;
constexpr std::size_t kPublicKeySize = 96;
constexpr std::size_t kSignatureSize = 96;
constexpr std::size_t kTagSize = 16;

constexpr std::uint8_t kUses = kAssetSign | kAssetDecrypt | kAssetDerive | kAssetUnwrap;
constexpr std::uint8_t kKnownFlags = kAssetGenerated | kAssetWriteOnly | kUses;

Error malformed(const char* what) { return {ErrorCode::kMalformed, what, 1}; }
Error inconsistent(const char* what) { return {ErrorCode::kInconsistent, what, 8}; }

bool known_kind(std::uint8_t kind) {
  switch (static_cast<AssetKind>(kind)) {
    case AssetKind::kData:
    case AssetKind::kConfiguration:
    case AssetKind::kCertificate:
    case AssetKind::kSecretKey:
    case AssetKind::kPrivateKey:
    case AssetKind::kFurther:
      return true;
  }
  return false;
}

Bytes encode_header(const PackageHeader& header, ByteView product_field) {
  Writer out;
  out.text(kMagic).u16(1).u8(static_cast<std::uint8_t>(header.suite)).u8(header.asset_count);
  out.u32(header.package_version).u32(header.context.sw_floor).bytes(header.context.family_id);
  out.bytes(header.context.oem_id).bytes(header.context.share_id).u64(header.created);
  out.u64(header.body_length).bytes(product_field);
  return out.take();
}

Bytes encode_entry(const PackageEntry& entry, ByteView name_field) {
  Writer out;
  out.u16(entry.asset_id).u8(static_cast<std::uint8_t>(entry.kind)).u8(entry.flags);
  out.u32(entry.slot).u64(entry.address).u64(entry.plaintext_length).u64(entry.sealed_length);
  out.bytes(name_field).bytes(entry.digest).u32(entry.asset_version).zeros(12);
  return out.take();
}

// The numbers of a header; the product field stays for check 8.
Result<PackageHeader> parse_header(ByteView bytes) {
  Reader in(bytes);
  const auto magic = in.take(kMagic.size());
  const auto format = in.u16();
  const auto suite = suite_from(in.u8());
  PackageHeader out;
  out.asset_count = in.u8();
  out.package_version = in.u32();
  out.context.sw_floor = in.u32();
  out.context.family_id = in.array<16>();
  out.context.oem_id = in.array<32>();
  out.context.share_id = in.array<16>();
  out.created = in.u64();
  out.body_length = in.u64();
  if (!in.ok() || text_of(magic) != kMagic || format != 1 || !suite || out.asset_count == 0 ||
      out.asset_count > kMostAssets) {
    return malformed("not a package of format 1");
  }
  out.suite = *suite;
  return out;
}

// The numbers of an entry; kind is not yet known to be one, the name field stays for check 8.
PackageEntry parse_entry(ByteView bytes) {
  Reader in(bytes);
  PackageEntry out;
  out.asset_id = in.u16();
  out.kind = static_cast<AssetKind>(in.u8());
  out.flags = in.u8();
  out.slot = in.u32();
  out.address = in.u64();
  out.plaintext_length = in.u64();
  out.sealed_length = in.u64();
  (void)in.take(kNameSize);
  out.digest = in.array<48>();
  out.asset_version = in.u32();
  return out;
}

// Check 8 for what one entry says alone.
Status check_entry(const PackageEntry& entry, ByteView raw) {
  const auto name = name_from_field(raw.subspan(32, kNameSize));
  if (!known_kind(static_cast<std::uint8_t>(entry.kind))) {
    return inconsistent("an asset of unknown kind");
  }
  if ((entry.flags & ~kKnownFlags) != 0 || (!entry.is_key() && (entry.flags & kUses) != 0) ||
      ((entry.flags & kAssetDecrypt) != 0 && (entry.flags & kAssetUnwrap) != 0)) {
    return inconsistent("an asset's flags do not fit its kind");
  }
  if (!all_zero(raw.subspan(116))) return inconsistent("a reserved field is not zero");
  if (!name) return inconsistent("an asset's name is not zero-padded UTF-8");
  if (entry.kind == AssetKind::kFurther && !valid_further_name(*name)) {
    return inconsistent("the name of a further data type is not a label");
  }
  if (entry.is_key() && entry.address != 0) return inconsistent("a key has no address");
  // address + length may be 2^64 itself, so that the last byte is what must exist.
  if (!entry.is_key() && entry.plaintext_length > 0 &&
      entry.address > UINT64_MAX - (entry.plaintext_length - 1)) {
    return inconsistent("an asset's range passes the end of memory");
  }
  return {};
}

bool overlap(const PackageEntry& a, const PackageEntry& b) {
  if (a.is_key() || b.is_key() || a.plaintext_length == 0 || b.plaintext_length == 0) return false;
  // Compared by the last byte, which exists even where the end is 2^64.
  return a.address <= b.address + (b.plaintext_length - 1) &&
         b.address <= a.address + (a.plaintext_length - 1);
}

Status check_lengths(const PackageEntry& entry) {
  const auto expected = sealed_length(entry.plaintext_length);
  if (!expected || *expected != entry.sealed_length) {
    return malformed("an asset's lengths do not fit each other");
  }
  return {};
}

}  // namespace

std::string label_for(AssetKind kind, std::string_view name) {
  if (kind == AssetKind::kFurther) {
    return std::string(kLabelFurtherPrefix) + std::string(name);
  }
  const bool key = kind == AssetKind::kSecretKey || kind == AssetKind::kPrivateKey;
  return std::string(key ? kLabelEncKey : kLabelEncData);
}

ByteView PackageHead::header_bytes() const { return ByteView(raw).first(kPackageHeaderSize); }

ByteView PackageHead::entry_bytes(std::size_t i) const {
  return ByteView(raw).subspan(kPackageHeaderSize + i * kPackageEntrySize, kPackageEntrySize);
}

ByteView PackageHead::oem_public_key() const {
  return ByteView(raw).last(kPackageTrailerSize).first(kPublicKeySize);
}

ByteView PackageHead::signature() const {
  return ByteView(raw).last(kPackageTrailerSize).subspan(kPublicKeySize, kSignatureSize);
}

ByteView PackageHead::tag() const { return ByteView(raw).last(kTagSize); }

ByteView PackageHead::signed_bytes() const {
  return ByteView(raw).first(raw.size() - kSignatureSize - kTagSize);
}

ByteView PackageHead::tagged_bytes() const { return ByteView(raw).first(raw.size() - kTagSize); }

Bytes PackageHead::asset_context(std::size_t i) const {
  const auto entry = entry_bytes(i);
  Writer out;
  out.text(kAssetLabel).u8(0).bytes(header_bytes()).bytes(entry.first(kEntryBound));
  out.bytes(entry.subspan(kEntryTail));
  return out.take();
}

Result<std::size_t> package_head_size_of(ByteView header) {
  const auto parsed = parse_header(header);
  if (!parsed || header.size() < kPackageHeaderSize) {
    return malformed("not a package of format 1");
  }
  return package_head_size(parsed->asset_count);
}

Result<PackageHead> parse_package_head(ByteView head, std::uint64_t total_length) {
  const auto size = package_head_size_of(head);
  if (!size) return size.error();
  if (head.size() != *size) return malformed("the package is cut");
  PackageHead out;
  out.raw.assign(head.begin(), head.end());
  out.header = *parse_header(head);
  std::uint64_t body = 0;
  for (std::size_t i = 0; i < out.header.asset_count; ++i) {
    auto entry = parse_entry(out.entry_bytes(i));
    if (auto checked = check_lengths(entry); !checked) return std::move(checked).error();
    body += entry.sealed_length;  // at most 64 × (2^40 + 2^31): no overflow
    out.entries.push_back(std::move(entry));
  }
  if (body != out.header.body_length || total_length != *size + body) {
    return malformed("the package's body is not as long as its entries say");
  }
  // Names are read here so that they are at hand, and judged in check 8.
  if (auto product = name_from_field(out.header_bytes().last(kNameSize))) {
    out.header.product = *std::move(product);
  }
  for (std::size_t i = 0; i < out.entries.size(); ++i) {
    if (auto name = name_from_field(out.entry_bytes(i).subspan(32, kNameSize))) {
      out.entries[i].name = *std::move(name);
    }
  }
  return out;
}

Status check_package_entries(const PackageHead& head) {
  std::set<std::uint16_t> ids;
  std::set<std::uint32_t> slots;
  for (std::size_t i = 0; i < head.entries.size(); ++i) {
    const auto& entry = head.entries[i];
    if (auto checked = check_entry(entry, head.entry_bytes(i)); !checked) return checked;
    if (!ids.insert(entry.asset_id).second) return inconsistent("two assets have one id");
    if (!slots.insert(entry.slot).second) return inconsistent("two assets are for one slot");
    for (std::size_t j = 0; j < i; ++j) {
      if (overlap(entry, head.entries[j])) return inconsistent("the ranges of two assets overlap");
    }
  }
  if (!name_from_field(head.header_bytes().last(kNameSize))) {
    return inconsistent("the product is not zero-padded UTF-8");
  }
  return {};
}

Status check_package_signature(const Crypto& crypto, const PackageHead& head) {
  const auto id = sha256(crypto, {head.oem_public_key()});
  if (!id) return id.error();
  if (!equal_in_constant_time(*id, head.header.context.oem_id)) {
    return Error{ErrorCode::kWrongOwner, "the package's key is not the OEM's", 6};
  }
  const auto key = EcPublicKey::from_xy(crypto, Curve::kP384, head.oem_public_key());
  if (!key || !key->verify(crypto, {head.signed_bytes()}, head.signature())) {
    return Error{ErrorCode::kBadSignature, "the OEM's signature of the package does not verify", 7};
  }
  return {};
}

Result<AssetContext> parse_asset_context(ByteView context) {
  const auto refused = malformed("not the context of an asset");
  Reader in(context);
  const auto label = in.take(kAssetLabel.size());
  const auto separator = in.u8();
  const auto header_bytes = in.take(kPackageHeaderSize);
  const auto bound = in.take(kEntryBound);
  const auto tail = in.take(kPackageEntrySize - kEntryTail);
  if (!in.done() || text_of(label) != kAssetLabel || separator != 0) return refused;
  auto header = parse_header(header_bytes);
  auto product = name_from_field(header_bytes.last(kNameSize));
  if (!header || !product) return refused;
  header->product = *std::move(product);

  Writer raw;  // the entry as it stands in the package, its digest not yet known
  raw.bytes(bound).zeros(kEntryTail - kEntryBound).bytes(tail);
  auto entry = parse_entry(raw.view());
  if (!check_entry(entry, raw.view()) || !check_lengths(entry)) return refused;
  entry.name = *name_from_field(raw.view().subspan(32, kNameSize));
  return AssetContext{*std::move(header), std::move(entry)};
}

Result<PackageBuilder> PackageBuilder::create(PackageHeader header,
                                              std::vector<PackageEntry> entries) {
  if (entries.empty() || entries.size() > kMostAssets) {
    return Error{ErrorCode::kInvalidArgument, "a package has 1 to 64 assets", 0};
  }
  auto product = field_from_name(header.product);
  if (!product) return std::move(product).error();
  header.asset_count = static_cast<std::uint8_t>(entries.size());
  header.body_length = 0;
  Writer rows;
  for (auto& entry : entries) {
    auto name = field_from_name(entry.name);
    auto length = sealed_length(entry.plaintext_length);
    if (!name) return std::move(name).error();
    if (!length) return std::move(length).error();
    entry.sealed_length = *length;
    entry.digest = {};
    header.body_length += *length;
    rows.bytes(encode_entry(entry, *name));
  }
  PackageHead head;
  Writer raw;
  raw.bytes(encode_header(header, *product)).bytes(rows.view()).zeros(kPackageTrailerSize);
  head.raw = raw.take();
  head.header = std::move(header);
  head.entries = std::move(entries);
  if (auto checked = check_package_entries(head); !checked) {
    return Error{ErrorCode::kInvalidArgument, checked.error().message, 0};
  }
  return PackageBuilder(std::move(head));
}

void PackageBuilder::set_digest(std::size_t i, const ByteArray<48>& sealed_digest) {
  head_.entries[i].digest = sealed_digest;
  const auto at = kPackageHeaderSize + i * kPackageEntrySize + kDigestAt;
  std::copy(sealed_digest.begin(), sealed_digest.end(),
            head_.raw.begin() + static_cast<std::ptrdiff_t>(at));
}

void PackageBuilder::set_oem_public_key(ByteView xy) {
  std::copy_n(xy.begin(), kPublicKeySize, head_.raw.end() - kPackageTrailerSize);
}

void PackageBuilder::set_signature(ByteView signature) {
  std::copy_n(signature.begin(), kSignatureSize, head_.raw.end() - kSignatureSize - kTagSize);
}

void PackageBuilder::set_tag(ByteView tag) {
  std::copy_n(tag.begin(), kTagSize, head_.raw.end() - kTagSize);
}

}  // namespace tallystick::core
