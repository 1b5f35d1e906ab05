#include "tests/pkcs11/support/symmetric.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace tallystick::test {
namespace {

constexpr std::uint8_t kCanary = 0xEE;

// One direction of a cipher, as function pointers of the list.
struct Direction {
  CK_RV (*init)(CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE);
  CK_RV (*once)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*);
  CK_RV (*update)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*);
  CK_RV (*finish)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG*);
};

class Manners {
 public:
  Manners(const TestToken& token, CK_OBJECT_HANDLE key, CK_MECHANISM* mechanism,
          const Direction& direction, core::Bytes in, core::Bytes out)
      : session_(token.handle()),
        key_(key),
        mechanism_(mechanism),
        c_(direction),
        in_(std::move(in)),
        expected_(std::move(out)) {}

  void check() {
    lengths_in_one_call();
    for (const std::size_t step : {1UL, 7UL, 15UL, 16UL, 17UL, 33UL}) in_parts(step, false);
    for (const std::size_t step : {5UL, 16UL, 24UL}) in_parts(step, true);
    for (const int shift : {0, 1, -1, 15, -15, 16, -16, 17, -17}) overlapping(shift);
  }

 private:
  void begin() { must(c_.init(session_, mechanism_, key_)); }

  void lengths_in_one_call() {
    begin();
    CK_ULONG needed = 0;
    for (int i = 0; i < 2; ++i) {
      ASSERT_THAT(c_.once(session_, pointer(in_), in_.size(), nullptr, &needed), IsOk());
      ASSERT_GE(needed, expected_.size());
    }
    core::Bytes out(needed + 8, kCanary);
    if (needed > 0) {
      CK_ULONG room = needed - 1;
      ASSERT_THAT(c_.once(session_, pointer(in_), in_.size(), out.data(), &room),
                  ReturnsRv(CKR_BUFFER_TOO_SMALL));
      EXPECT_EQ(room, needed);
      EXPECT_EQ(std::ranges::count(out, kCanary), static_cast<std::ptrdiff_t>(out.size()));
    }
    CK_ULONG room = needed;
    ASSERT_THAT(c_.once(session_, pointer(in_), in_.size(), out.data(), &room), IsOk());
    ASSERT_EQ(room, expected_.size());
    EXPECT_TRUE(std::equal(expected_.begin(), expected_.end(), out.begin()));
    EXPECT_EQ(std::count(out.begin() + static_cast<std::ptrdiff_t>(needed), out.end(), kCanary), 8);
    // It has ended.
    EXPECT_THAT(c_.once(session_, pointer(in_), in_.size(), out.data(), &room),
                ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  }

  // One part into a buffer of exactly the length that it needs. With `in_place` the part lies in
  // that buffer.
  void part(core::Bytes piece, bool in_place, core::Bytes& got) {
    const auto size = piece.size();
    core::Bytes buffer(size + 64, kCanary);
    std::ranges::copy(piece, buffer.begin());
    auto* const in = in_place ? buffer.data() : pointer(piece);
    CK_ULONG room = 0;
    const auto rv = c_.update(session_, in, size, buffer.data(), &room);
    if (rv == CKR_OK) {
      EXPECT_EQ(room, 0U);
      return;
    }
    ASSERT_THAT(rv, ReturnsRv(CKR_BUFFER_TOO_SMALL));
    const auto needed = room;
    ASSERT_GT(needed, 0U);
    ASSERT_LE(needed, size + 32);
    ASSERT_THAT(c_.update(session_, in, size, nullptr, &room), IsOk());
    EXPECT_EQ(room, needed);
    const auto untouched = buffer;
    room = needed - 1;
    ASSERT_THAT(c_.update(session_, in, size, buffer.data(), &room),
                ReturnsRv(CKR_BUFFER_TOO_SMALL));
    EXPECT_EQ(buffer, untouched);
    room = needed;
    ASSERT_THAT(c_.update(session_, in, size, buffer.data(), &room), IsOk());
    ASSERT_LE(room, needed);
    const auto end = static_cast<std::ptrdiff_t>(needed);
    EXPECT_TRUE(std::equal(buffer.begin() + end, buffer.end(), untouched.begin() + end));
    got.insert(got.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(room));
  }

  void in_parts(std::size_t step, bool in_place) {
    SCOPED_TRACE("step " + std::to_string(step));
    begin();
    core::Bytes got;
    for (std::size_t at = 0; at < in_.size(); at += step) {
      const auto first = in_.begin() + static_cast<std::ptrdiff_t>(at);
      const auto size = static_cast<std::ptrdiff_t>(std::min(step, in_.size() - at));
      part({first, first + size}, in_place, got);
      if (::testing::Test::HasFatalFailure()) return;
    }
    CK_ULONG needed = 0;
    ASSERT_THAT(c_.finish(session_, nullptr, &needed), IsOk());
    if (needed > 0) {
      core::Bytes last(needed, kCanary);
      CK_ULONG room = needed - 1;
      ASSERT_THAT(c_.finish(session_, last.data(), &room), ReturnsRv(CKR_BUFFER_TOO_SMALL));
      room = needed;
      ASSERT_THAT(c_.finish(session_, last.data(), &room), IsOk());
      got.insert(got.end(), last.begin(), last.begin() + static_cast<std::ptrdiff_t>(room));
    }
    EXPECT_EQ(got, expected_);
  }

  void overlapping(int shift) {
    SCOPED_TRACE("shift " + std::to_string(shift));
    constexpr std::ptrdiff_t kMargin = 32;
    core::Bytes memory(2 * kMargin + in_.size() + expected_.size() + 64, kCanary);
    auto* const in = memory.data() + kMargin;
    auto* const out = in + shift;
    std::ranges::copy(in_, in);
    begin();
    CK_ULONG room = in_.size() + 32;
    ASSERT_THAT(c_.once(session_, in, in_.size(), out, &room), IsOk());
    ASSERT_EQ(room, expected_.size());
    EXPECT_TRUE(std::equal(expected_.begin(), expected_.end(), out));
  }

  CK_SESSION_HANDLE session_;
  CK_OBJECT_HANDLE key_;
  CK_MECHANISM* mechanism_;
  Direction c_;
  core::Bytes in_;
  core::Bytes expected_;
};

}  // namespace

Ccm::Ccm(std::size_t size, core::Bytes nonce, core::Bytes aad, CK_ULONG mac_size)
    : Mechanism(CKM_AES_CCM), nonce_(std::move(nonce)), aad_(std::move(aad)) {
  params_.ulDataLen = size;
  params_.pNonce = nonce_.data();
  params_.ulNonceLen = nonce_.size();
  params_.pAAD = aad_.empty() ? nullptr : aad_.data();
  params_.ulAADLen = aad_.size();
  params_.ulMACLen = mac_size;
  point(&params_, sizeof params_);
}

Mechanism ctr(const core::Bytes& block, CK_ULONG bits) {
  CK_AES_CTR_PARAMS params{};
  params.ulCounterBits = bits;
  std::ranges::copy(block, params.cb);
  core::Bytes parameter(sizeof params);
  std::memcpy(parameter.data(), &params, sizeof params);
  return {CKM_AES_CTR, parameter};
}

Mechanism with_number(CK_MECHANISM_TYPE type, CK_ULONG number) {
  core::Bytes parameter(sizeof number);
  std::memcpy(parameter.data(), &number, sizeof number);
  return {type, parameter};
}

void expect_cipher_manners(TestToken& token, CK_OBJECT_HANDLE key, const CipherOf& mechanism,
                           const std::vector<std::size_t>& sizes) {
  auto* const c = token.functions();
  for (const auto size : sizes) {
    SCOPED_TRACE("size " + std::to_string(size));
    const auto text = some_bytes(size);
    const auto tested = mechanism(size);
    const auto sealed = must(token.session().encrypt(*tested, key, text));
    Manners(token, key, tested->get(),
            {c->C_EncryptInit, c->C_Encrypt, c->C_EncryptUpdate, c->C_EncryptFinal}, text, sealed)
        .check();
    Manners(token, key, tested->get(),
            {c->C_DecryptInit, c->C_Decrypt, c->C_DecryptUpdate, c->C_DecryptFinal}, sealed, text)
        .check();
  }
}

core::Bytes some_bytes(std::size_t size) {
  core::Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 7 + i / 256 + 1);
  return out;
}

}  // namespace tallystick::test
