#include "devicesim/part_file.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/reader.h"
#include "core/crypto/hash.h"
#include "devicesim/puf/sealed_state.h"

namespace tallystick::device {
namespace {

using core::ByteView;
using core::Error;
using core::ErrorCode;
using core::Result;
using core::Status;

constexpr std::string_view kStateMagic = "TSSTATE2";
constexpr std::size_t kPlaceSize = 64UL * 1024;
constexpr std::size_t kRecordFields = 44;  // magic, digest before, length
constexpr std::size_t kRecordPrefix = kRecordFields + 32;
static_assert(kRecordPrefix + kMostState <= kPlaceSize);
constexpr std::uint64_t kBanksStart = kHeaderSize + 2 * kPlaceSize;
constexpr std::size_t kWipeBlock = 64UL * 1024;

constexpr std::uint64_t place_start(unsigned place) { return kHeaderSize + place * kPlaceSize; }

struct Record {
  StateDigest before{};
  StateDigest digest{};
  core::Secret bytes;  // as they stand in the place
  [[nodiscard]] ByteView payload() const { return bytes.view().subspan(kRecordPrefix); }
};
using Places = std::array<std::optional<Record>, 2>;

Result<Record> make_record(const core::Crypto& crypto, const StateDigest& before,
                           ByteView payload) {
  core::Writer fields;
  fields.text(kStateMagic).bytes(before).u32(static_cast<std::uint32_t>(payload.size()));
  auto digest = core::sha256(crypto, {fields.view(), payload});
  if (!digest) return std::move(digest).error();
  Record record{before, *digest, core::Secret(kRecordPrefix + payload.size())};
  auto at = std::copy(fields.view().begin(), fields.view().end(), record.bytes.span().begin());
  at = std::copy(digest->begin(), digest->end(), at);
  std::copy(payload.begin(), payload.end(), at);
  return record;
}

// Zeros behind a record of that length, durably.
Status erase_remains(Storage& storage, unsigned place, std::size_t length) {
  const auto start = place_start(place) + length;
  core::Secret remains(kPlaceSize - length);
  if (auto read = storage.read(start, remains.span()); read && core::all_zero(remains.view())) {
    return {};
  }
  if (auto wrote = storage.write(start, core::Bytes(remains.size())); !wrote) return wrote;
  return storage.sync();
}

// What is erased is erased before the record is there: a place that holds it has no remains of
// another, whatever a cut leaves undone.
Status write_record(Storage& storage, unsigned place, const Record& record, Remains remains) {
  if (remains == Remains::kErased) {
    if (auto erased = erase_remains(storage, place, record.bytes.size()); !erased) return erased;
  }
  if (auto wrote = storage.write(place_start(place), record.bytes.view()); !wrote) return wrote;
  return storage.sync();
}

// Nothing when the place holds no whole record; an error when it cannot be read.
Result<std::optional<Record>> read_record(const core::Crypto& crypto, Storage& storage,
                                          unsigned place) {
  core::ByteArray<kRecordPrefix> prefix{};
  if (auto read = storage.read(place_start(place), prefix); !read) return read.error();
  core::Reader in(prefix);
  const auto magic = in.take(kStateMagic.size());
  Record record;
  record.before = in.array<32>();
  const auto length = in.u32();
  record.digest = in.array<32>();
  if (core::text_of(magic) != kStateMagic || length > kMostState) return std::optional<Record>{};
  record.bytes = core::Secret(kRecordPrefix + length);
  if (auto read = storage.read(place_start(place), record.bytes.span()); !read) {
    return read.error();
  }
  auto computed =
      core::sha256(crypto, {record.bytes.view().first(kRecordFields), record.payload()});
  if (!computed) return std::move(computed).error();
  if (!core::equal_in_constant_time(*computed, record.digest)) return std::optional<Record>{};
  return std::optional<Record>(std::move(record));
}

// The place whose state is in force, of two of which at least one is whole.
Result<unsigned> place_in_force(const Places& places) {
  const auto& [first, second] = places;
  if (!first || !second) return first ? 0U : 1U;
  // The same, or the power went between the two.
  if (first->digest == second->digest || first->before == second->digest) return 0U;
  return Error{ErrorCode::kStorage,
               "the part's state is damaged: its two copies are not of one history"};
}

}  // namespace

std::uint64_t PartFile::storage_size(const MemoryMap& map) {
  return kBanksStart + 2 * bank_size(map);
}

Status PartFile::format(const core::Crypto& crypto, Storage& storage, const PartState& state) {
  const auto& manufacture = state.immutable.manufacture();
  const bool puf = manufacture.key == KeySource::kPuf;
  PartHeader header{manufacture.memory.flash_size, std::nullopt};
  if (puf) {
    header.silicon = puf::Silicon{{}, manufacture.sram};
    if (auto filled = crypto.random(header.silicon->seed); !filled) return filled;
  }
  if (auto wrote = write_header(crypto, storage, header); !wrote) return wrote;
  auto payload = puf ? puf::seal_state(crypto, nullptr, state) : encode_state(state);
  if (!payload) return std::move(payload).error();
  auto record = make_record(crypto, {}, payload->view());
  if (!record) return std::move(record).error();
  for (unsigned place = 0; place < 2; ++place) {
    auto wrote = storage.write(place_start(place), record->bytes.view());
    if (!wrote) return wrote;
  }
  return storage.sync();
}

Result<PartFile> PartFile::open(const core::Crypto& crypto, std::unique_ptr<Storage> storage,
                                const puf::NoiseSource& noise) {
  const Error not_a_part{ErrorCode::kStorage, "this is not the file of a part, or it is damaged"};
  if (storage->size() < kBanksStart) return not_a_part;
  const auto header = read_header(crypto, *storage);
  if (!header) return header.error();
  if (!*header) return not_a_part;
  MemoryMap map;
  map.flash_size = (*header)->flash_size;
  if (!check_memory_map(map) || storage->size() != storage_size(map)) return not_a_part;

  PartFile file(crypto, std::move(storage));
  file.bank_size_ = bank_size(map);
  if ((*header)->silicon) {
    if (auto read = file.read_cells(*(*header)->silicon, noise); !read) return read.error();
  }
  Places places;
  Error none_whole{ErrorCode::kStorage, "the part's state is damaged: no whole copy"};
  for (unsigned place = 0; place < 2; ++place) {
    auto record = read_record(crypto, *file.storage_, place);
    // A place on a bad sector is as lost as one of the wrong contents, and made good like it.
    if (record) {
      places[place] = *std::move(record);
    } else {
      none_whole = std::move(record).error();
    }
  }
  if (!places[0] && !places[1]) return none_whole;
  const auto in_force = place_in_force(places);
  if (!in_force) return in_force.error();
  const auto& newest = *places[*in_force];
  const auto& other = places[1 - *in_force];
  file.digest_ = newest.digest;
  auto state = file.decode(newest.payload());
  if (!state) return std::move(state).error();
  if (state->immutable.manufacture().memory.flash_size != map.flash_size) return not_a_part;
  if (!other || other->digest != newest.digest) {
    auto wrote = write_record(*file.storage_, 1 - *in_force, newest, Remains::kErased);
    if (!wrote) return wrote.error();
  }
  file.state_ = *std::move(state);
  return file;
}

Status PartFile::read_cells(const puf::Silicon& silicon, const puf::NoiseSource& noise) {
  auto sram = puf::Sram::create(*crypto_, silicon);
  if (!sram) return std::move(sram).error();
  const auto system = [this](core::MutableByteView out) { return crypto_->random(out); };
  auto values = sram->power_on(noise ? noise : system);
  if (!values) return std::move(values).error();
  start_up_ = *std::move(values);
  sram_ = silicon.model;
  return {};
}

Result<core::Secret> PartFile::encode(const PartState& state) const {
  if (!sram_) return encode_state(state);
  return puf::seal_state(*crypto_, state.device_key ? &*identity_ : nullptr, state);
}

Result<PartState> PartFile::decode(ByteView payload) {
  if (!sram_) return decode_state(*crypto_, payload);
  const auto helper = puf::helper_data_in(payload);
  if (!helper) return helper.error();
  if (!helper->empty()) {
    auto same = puf::same_identity(*crypto_, *helper, start_up_.view());
    start_up_ = core::Secret();
    if (!same) return std::move(same).error();
    identity_ = *std::move(same);
  }
  auto state = puf::open_state(*crypto_, identity_ ? &*identity_ : nullptr, payload);
  if (!state) return state;
  auto manufacture = state->immutable.manufacture();
  manufacture.key = KeySource::kPuf;
  manufacture.sram = *sram_;
  state->immutable = ImmutableMemory(std::move(manufacture), state->immutable.family());
  return state;
}

Result<std::shared_ptr<const core::EcPrivateKey>> PartFile::enrol() {
  auto made = puf::new_identity(*crypto_, start_up_.view());
  start_up_ = core::Secret();
  if (!made) return std::move(made).error();
  identity_ = *std::move(made);
  return identity_->device_key;
}

Status PartFile::usable() const {
  if (fault_.empty()) return {};
  return Error{ErrorCode::kStorage,
               "the part must be power-cycled after a failed write: " + fault_};
}

std::uint64_t PartFile::bank_start(unsigned bank) const { return kBanksStart + bank * bank_size_; }

Status PartFile::commit(const PartState& state, Remains remains) {
  if (auto ready = usable(); !ready) return ready;
  const auto fail = [this](const Error& error) -> Status {
    fault_ = error.message;
    return error;
  };
  auto payload = encode(state);
  if (!payload) return fail(payload.error());
  auto record = make_record(*crypto_, digest_, payload->view());
  if (!record) return fail(record.error());
  if (staged_) {
    if (auto synced = storage_->sync(); !synced) return fail(synced.error());
    staged_ = false;
  }
  for (unsigned place = 0; place < 2; ++place) {
    if (auto wrote = write_record(*storage_, place, *record, remains); !wrote) {
      return fail(wrote.error());
    }
  }
  digest_ = record->digest;
  return {};
}

Status PartFile::read_bank(unsigned bank, std::uint64_t offset, core::MutableByteView out) {
  if (offset > bank_size_ || out.size() > bank_size_ - offset) {
    return Error{ErrorCode::kInvalidArgument, "outside the bank"};
  }
  return storage_->read(bank_start(bank) + offset, out);
}

Status PartFile::write_bank(unsigned bank, std::uint64_t offset, ByteView data) {
  if (auto ready = usable(); !ready) return ready;
  if (offset > bank_size_ || data.size() > bank_size_ - offset) {
    return Error{ErrorCode::kInvalidArgument, "outside the bank"};
  }
  staged_ = true;
  return storage_->write(bank_start(bank) + offset, data);
}

Status PartFile::copy_bank(unsigned from, unsigned to, std::uint64_t length) {
  core::Bytes block(kWipeBlock);
  const auto start = bank_start(from);
  for (std::uint64_t at = 0; at < length;) {
    auto next = storage_->next_data(start + at, start + length);
    if (!next) return std::move(next).error();
    at = *next - start;
    if (at >= length) break;
    const auto view = core::MutableByteView(block).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(kWipeBlock, length - at)));
    if (auto read = read_bank(from, at, view); !read) return read;
    if (!core::all_zero(view)) {
      if (auto wrote = write_bank(to, at, view); !wrote) return wrote;
    }
    at += view.size();
  }
  return {};
}

Status PartFile::erase_in_bank(unsigned bank, std::uint64_t offset, std::uint64_t length) {
  if (auto ready = usable(); !ready) return ready;
  if (offset > bank_size_ || length > bank_size_ - offset) {
    return Error{ErrorCode::kInvalidArgument, "outside the bank"};
  }
  return overwrite(bank_start(bank) + offset, bank_start(bank) + offset + length);
}

Status PartFile::wipe_bank(unsigned bank) {
  if (auto ready = usable(); !ready) return ready;
  staged_ = false;
  auto wiped = overwrite(bank_start(bank), bank_start(bank) + bank_size_);
  // What could not be erased is erased at the next power-on, or the part does not start.
  if (!wiped) fault_ = wiped.error().message;
  return wiped;
}

Status PartFile::overwrite(std::uint64_t start, std::uint64_t end) {
  core::Secret block;
  core::Bytes zeros;
  bool found = false;
  for (std::uint64_t at = start; at < end;) {
    auto next = storage_->next_data(at, end);
    if (!next) return std::move(next).error();
    at = *next;
    if (at >= end) break;
    if (block.empty()) block = core::Secret(kWipeBlock);
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(kWipeBlock, end - at));
    const auto view = block.span().first(length);
    if (auto read = storage_->read(at, view); !read) return read;
    if (!core::all_zero(view)) {
      found = true;
      zeros.resize(kWipeBlock);
      auto wrote = storage_->write(at, ByteView(zeros).first(length));
      if (!wrote) return wrote;
    }
    at += length;
  }
  if (!found) return {};
  if (auto synced = storage_->sync(); !synced) return synced;
  storage_->release(start, end - start);
  return {};
}

}  // namespace tallystick::device
