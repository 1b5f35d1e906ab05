#include "pkcs11/engine/row_set.h"

#include <algorithm>
#include <functional>

#include "core/base/reader.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kBlock = 16;
constexpr std::size_t kKeySize = 32;

Fault not_as_sealed() {
  return fault(CKR_DEVICE_ERROR,
               "the token's database was changed by something else than a token: rows are missing "
               "or were put back; a copy of the whole folder helps");
}

// What the seal is bound to, and the seal that is there.
struct Record {
  core::Bytes bound;
  core::Bytes seal;
};

Outcome<Record> read_record(const Database& database) {
  auto token = Statement::prepare(
      database,
      "SELECT token_id, root_check, label, pin_epoch, sequence, trimmed, set_seal FROM token "
      "WHERE one = 1");
  if (!token) return std::move(token).error();
  auto there = token->step();
  if (!there) return std::move(there).error();
  if (!*there) return not_as_sealed();
  core::Writer bound;
  bound.text("TSRS").u16(1);
  for (const int column : {0, 1, 2}) bound.lv(token->blob(column));
  for (const int column : {3, 4, 5}) bound.u64(token->number(column));
  Record record;
  record.seal.assign(token->blob(6).begin(), token->blob(6).end());

  auto pins = Statement::prepare(
      database, "SELECT salt, sealed, role, cost_n, cost_r, cost_p, tries FROM pin ORDER BY role");
  if (!pins) return std::move(pins).error();
  while (true) {
    auto more = pins->step();
    if (!more) return std::move(more).error();
    if (!*more) break;
    for (const int column : {0, 1}) bound.lv(pins->blob(column));
    for (const int column : {2, 3, 4, 5, 6}) bound.u64(pins->number(column));
  }
  record.bound = bound.take();
  return record;
}

void mix(core::MutableByteView into, core::ByteView what) {
  std::ranges::transform(into, what, into.begin(), std::bit_xor<>());
}

}  // namespace

Outcome<std::unique_ptr<const RowSet>> RowSet::create(std::shared_ptr<const core::Crypto> crypto,
                                                      const RootKey& root,
                                                      const TokenId& token_id) {
  auto seal_key = root.derive("row set", token_id);
  if (!seal_key) return std::move(seal_key).error();
  auto mark_key = root.derive("row set members", token_id);
  if (!mark_key) return std::move(mark_key).error();
  core::CipherCtxPtr marks(EVP_CIPHER_CTX_new());
  if (!marks) return fault(CKR_HOST_MEMORY, "no memory for the set's cipher");
  const auto* const cipher = crypto->aes(core::AesMode::kEcb, kKeySize);
  if (EVP_EncryptInit_ex2(marks.get(), cipher, mark_key->view().data(), nullptr, nullptr) != 1 ||
      EVP_CIPHER_CTX_set_padding(marks.get(), 0) != 1) {
    return fault(CKR_FUNCTION_FAILED, "libcrypto makes no cipher for the set");
  }
  return std::unique_ptr<const RowSet>(
      new RowSet(std::move(crypto), *std::move(seal_key), std::move(marks)));
}

// CBC-MAC with all first blocks in one call and all second blocks in another: messages of one fixed
// length, for which it is a pseudo-random function.
Outcome<void> RowSet::State::toggle(std::span<const Member> members) {
  if (members.empty()) return {};
  core::Bytes blocks;
  blocks.reserve(members.size() * kBlock);
  for (const auto& member : members) {
    blocks.insert(blocks.end(), member.id.begin(), member.id.end());
  }
  const core::CipherCtxPtr cipher(EVP_CIPHER_CTX_new());
  if (!cipher || EVP_CIPHER_CTX_copy(cipher.get(), set_->marks_.get()) != 1) {
    return fault(CKR_HOST_MEMORY, "no memory for the set's cipher");
  }
  const core::MutableByteView all(blocks);
  const auto encrypt = [&] {
    int size = 0;
    return EVP_EncryptUpdate(cipher.get(), blocks.data(), &size, blocks.data(),
                             static_cast<int>(blocks.size())) == 1;
  };
  bool good = encrypt();
  for (std::size_t i = 0; i < members.size(); ++i) {
    mix(all.subspan(i * kBlock, sizeof(std::uint64_t)), core::be64(members[i].generation));
  }
  good = good && encrypt();
  if (!good) return fault(CKR_FUNCTION_FAILED, "libcrypto does not encrypt");
  for (std::size_t i = 0; i < members.size(); ++i) mix(sum_, all.subspan(i * kBlock, kBlock));
  return {};
}

Outcome<void> RowSet::State::add(const Member& member) {
  ++count_;
  return toggle({&member, 1});
}

Outcome<void> RowSet::State::remove(const Member& member) {
  --count_;
  return toggle({&member, 1});
}

Outcome<void> RowSet::State::seal() const {
  auto record = read_record(*database_);
  if (!record) return std::move(record).error();
  core::Writer content;
  content.bytes(sum_).u64(count_);
  auto sealed = seal_bytes(*set_->crypto_, set_->seal_key_.view(), record->bound, content.view());
  if (!sealed) return std::move(sealed).error();
  auto write = Statement::prepare(*database_, "UPDATE token SET set_seal = ?1 WHERE one = 1");
  if (!write) return std::move(write).error();
  return write->bind(1, *sealed).run();
}

Outcome<RowSet::State> RowSet::open(const Database& database) const {
  auto record = read_record(database);
  if (!record) return std::move(record).error();
  auto content =
      open_bytes(*crypto_, seal_key_.view(), record->bound, record->seal, CKR_DEVICE_ERROR);
  if (!content) return not_as_sealed();
  core::Reader reader(content->view());
  State state(*this, database);
  std::ranges::copy(reader.take(state.sum_.size()), state.sum_.begin());
  state.count_ = reader.u64();
  if (!reader.done()) return not_as_sealed();
  return state;
}

Outcome<RowSet::State> RowSet::count(const Database& database) const {
  auto rows = Statement::prepare(database, "SELECT id, generation FROM object ORDER BY id");
  if (!rows) return std::move(rows).error();
  std::vector<Member> members;
  while (true) {
    auto more = rows->step();
    if (!more) return std::move(more).error();
    if (!*more) break;
    if (rows->blob(0).size() != sizeof(ObjectId)) return not_as_sealed();
    members.push_back({core::array_of<16>(rows->blob(0)), rows->number(1)});
  }
  State state(*this, database);
  state.count_ = members.size();
  if (auto done = state.toggle(members); !done) return std::move(done).error();
  return state;
}

Outcome<void> RowSet::check(const Database& database) const {
  auto sealed = open(database);
  if (!sealed) return std::move(sealed).error();
  auto there = count(database);
  if (!there) return std::move(there).error();
  if (there->count_ != sealed->count_ || !core::equal_in_constant_time(there->sum_, sealed->sum_)) {
    return not_as_sealed();
  }
  return {};
}

Outcome<void> RowSet::adopt(const Database& database) const {
  auto state = count(database);
  if (!state) return std::move(state).error();
  return state->seal();
}

}  // namespace tallystick::token
