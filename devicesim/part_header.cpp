#include "devicesim/part_header.h"

#include "core/base/reader.h"
#include "core/crypto/hash.h"

namespace tallystick::device {
namespace {

constexpr std::string_view kStoredKey = "TSPART-2";
constexpr std::string_view kPuf = "TSPART-3";
constexpr std::size_t kCommonSize = 16;  // magic, flash size
constexpr std::size_t kSiliconSize = 32 + 3 * 4;
constexpr std::size_t kDigestSize = 32;

}  // namespace

core::Status write_header(const core::Crypto& crypto, Storage& storage, const PartHeader& header) {
  core::WipedWriter out;
  out.text(header.silicon ? kPuf : kStoredKey).u64(header.flash_size);
  if (header.silicon) {
    const auto& model = header.silicon->model;
    out.bytes(header.silicon->seed).u32(model.error_rate);
    out.u32(static_cast<std::uint32_t>(model.skew)).u32(model.skew_spread);
  }
  auto digest = core::sha256(crypto, {out.view()});
  if (!digest) return std::move(digest).error();
  out.bytes(*digest);
  return storage.write(0, out.view());
}

core::Result<std::optional<PartHeader>> read_header(const core::Crypto& crypto, Storage& storage) {
  const std::optional<PartHeader> none;
  core::WipedBytes bytes(kCommonSize + kSiliconSize + kDigestSize);
  if (auto read = storage.read(0, bytes); !read) return read.error();
  core::Reader in(bytes);
  const auto magic = core::text_of(in.take(kStoredKey.size()));
  if (magic != kStoredKey && magic != kPuf) {
    if (!magic.starts_with(kPartFileKind)) return none;
    return core::Error{core::ErrorCode::kStorage,
                       "the part's file is of another version of the simulator"};
  }
  PartHeader header;
  header.flash_size = in.u64();
  std::size_t fields = kCommonSize;
  if (magic == kPuf) {
    fields += kSiliconSize;
    auto& silicon = header.silicon.emplace();
    silicon.seed = in.array<32>();
    silicon.model.error_rate = in.u32();
    silicon.model.skew = static_cast<std::int32_t>(in.u32());
    silicon.model.skew_spread = in.u32();
  }
  auto digest = core::sha256(crypto, {core::ByteView(bytes).first(fields)});
  if (!digest) return std::move(digest).error();
  if (!core::equal_in_constant_time(*digest, in.take(kDigestSize))) return none;
  return std::optional<PartHeader>(header);
}

}  // namespace tallystick::device
