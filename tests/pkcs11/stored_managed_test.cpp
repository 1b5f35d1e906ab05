// Managed keys as they are stored: each decodes to what it was made from, and nothing else decodes.
// Their rows are sealed, so that no C_* function and no edit of a file reaches these checks; they
// stand behind that.
#include <gtest/gtest.h>

#include "pkcs11/engine/mechanisms/ts_payload.h"
#include "tallystick/pkcs11_tallystick.h"
#include "tests/pkcs11/support/outcome.h"
#include "tests/support/oem_desk.h"
#include "tests/support/world.h"

namespace tallystick::test {
namespace {

using core::kSecretSize;
using token::Draft;
using token::Object;
using token::Outcome;

// The object as it comes from its row: without what its maker had decoded already.
token::ObjectPtr stored(Draft draft) {
  draft.payload = nullptr;
  return Object::make({}, 1, std::move(draft));
}
void set_value(Draft& draft, const core::Bytes& value) {
  draft.value = token::share(core::Secret::copy_of(value));
}
core::Bytes value_of(const Draft& draft) {
  const auto view = draft.value->view();
  return {view.begin(), view.end()};
}
core::Bytes with_first(core::Bytes value, std::size_t at, std::uint8_t byte) {
  value.at(at) = byte;
  return value;
}

class StoredManagedKeys : public ::testing::Test {
 protected:
  [[nodiscard]] Draft family() const { return token::family_draft(world_.family().clone()); }
  [[nodiscard]] Draft share() const { return token::share_draft(desk_.share().clone()); }
  [[nodiscard]] core::MasterKey master() const {
    return {desk_.context(), core::HolderRole::kOem,
            core::Secret::copy_of(core::Bytes(kSecretSize, 1))};
  }
  [[nodiscard]] Draft master_key() const { return token::master_key_draft(master()); }
  [[nodiscard]] Draft asset_key() const {
    return token::asset_key_draft({desk_.context(), core::HolderRole::kOem, core::Suite::kGcm,
                                   "TS1/ENCD", core::Secret::copy_of(core::Bytes(kSecretSize, 2))});
  }
  [[nodiscard]] static Draft device_key() {
    Draft draft;
    draft.managed = true;
    draft.attributes.set_number(CKA_CLASS, CKO_PRIVATE_KEY).set_number(CKA_KEY_TYPE, CKK_EC);
    draft.attributes.set(CKA_TS_DEVICE_ID, core::Bytes(32, 3));
    set_value(draft, core::Bytes(32, 4));
    return draft;
  }
  // What the object with one attribute changed decodes to.
  template <typename Decode>
  static CK_RV with(Draft draft, CK_ATTRIBUTE_TYPE type, const core::Bytes& value,
                    const Decode& decode) {
    draft.attributes.set(type, value);
    return rv_of(decode(*stored(std::move(draft))));
  }
  template <typename Decode>
  static CK_RV with_number(Draft draft, CK_ATTRIBUTE_TYPE type, CK_ULONG value,
                           const Decode& decode) {
    draft.attributes.set_number(type, value);
    return rv_of(decode(*stored(std::move(draft))));
  }
  template <typename Decode>
  static CK_RV with_value(Draft draft, const core::Bytes& value, const Decode& decode) {
    set_value(draft, value);
    return rv_of(decode(*stored(std::move(draft))));
  }
  // What says whose key it is has its size and its range; `make` gives a good one.
  template <typename Make, typename Decode>
  static void expect_a_checked_context(const Make& make, const Decode& decode) {
    for (const CK_ATTRIBUTE_TYPE type : {CKA_TS_FAMILY_ID, CKA_TS_OEM_ID, CKA_TS_SHARE_ID}) {
      const std::size_t size = type == CKA_TS_OEM_ID ? 32 : 16;
      EXPECT_EQ(with(make(), type, core::Bytes(size, 1), decode), CKR_OK);
      EXPECT_EQ(with(make(), type, core::Bytes(size - 1, 1), decode), CKR_DEVICE_ERROR);
      EXPECT_EQ(with(make(), type, core::Bytes(size + 1, 1), decode), CKR_DEVICE_ERROR);
      EXPECT_EQ(with(make(), type, {}, decode), CKR_DEVICE_ERROR);
    }
    EXPECT_EQ(with_number(make(), CKA_TS_SW_FLOOR, UINT32_MAX, decode), CKR_OK);
    EXPECT_EQ(with_number(make(), CKA_TS_SW_FLOOR, UINT32_MAX + 1UL, decode), CKR_DEVICE_ERROR);
    EXPECT_EQ(with(make(), CKA_TS_SW_FLOOR, {}, decode), CKR_DEVICE_ERROR);
    EXPECT_EQ(with_number(make(), CKA_TS_ROLE, CK_TS_ROLE_TARGET, decode), CKR_OK);
    EXPECT_EQ(with_number(make(), CKA_TS_ROLE, CK_TS_ROLE_PART, decode), CKR_DEVICE_ERROR);
    EXPECT_EQ(with_number(make(), CKA_TS_ROLE, CK_TS_ROLE_TARGET + 1, decode), CKR_DEVICE_ERROR);
  }

  World world_;
  OemDesk desk_{world_};
};

const auto kFamilyOf = [](const Object& object) { return token::family_of(object); };
const auto kShareOf = [](const Object& object) { return token::share_of(object); };
const auto kMasterKeyOf = [](const Object& object) { return token::master_key_of(object); };
const auto kAssetKeyOf = [](const Object& object) { return token::asset_key_of(object); };
const auto kDeviceKeyOf = [](const Object& object) {
  return token::device_key_of(*shared_crypto(), object);
};

TEST_F(StoredManagedKeys, DecodeToWhatTheyWereMadeFrom) {
  const auto family = token::family_of(*stored(this->family()));
  ASSERT_TRUE(family);
  EXPECT_EQ((*family)->family.id, world_.family().id);
  EXPECT_EQ((*family)->family.shares.size(), world_.family().shares.size());
  EXPECT_EQ((*family)->family.role, world_.family().role);
  const auto share = token::share_of(*stored(this->share()));
  ASSERT_TRUE(share);
  EXPECT_EQ((*share)->share.context, desk_.context());
  const auto master = token::master_key_of(*stored(master_key()));
  ASSERT_TRUE(master);
  EXPECT_EQ((*master)->key.context, desk_.context());
  const auto asset = token::asset_key_of(*stored(asset_key()));
  ASSERT_TRUE(asset);
  EXPECT_EQ((*asset)->key.label, "TS1/ENCD");
  EXPECT_EQ(rv_of(kDeviceKeyOf(*stored(device_key()))), CKR_OK);
}

TEST_F(StoredManagedKeys, A70_AFamilyOfAnotherFormDoesNotDecode) {
  const auto good = value_of(family());
  EXPECT_EQ(with(family(), CKA_TS_FAMILY_ID, core::Bytes(15, 1), kFamilyOf), CKR_DEVICE_ERROR);
  EXPECT_EQ(with(family(), CKA_TS_FAMILY_ID, core::Bytes(17, 1), kFamilyOf), CKR_DEVICE_ERROR);
  EXPECT_EQ(with(family(), CKA_TS_ICM_PUBLIC_KEY, core::Bytes(95, 1), kFamilyOf), CKR_DEVICE_ERROR);
  EXPECT_EQ(with(family(), CKA_TS_ICM_PUBLIC_KEY, core::Bytes(97, 1), kFamilyOf), CKR_DEVICE_ERROR);
  EXPECT_EQ(with_number(family(), CKA_TS_ROLE, CK_TS_ROLE_ICM - 1, kFamilyOf), CKR_DEVICE_ERROR);
  EXPECT_EQ(with_number(family(), CKA_TS_ROLE, CK_TS_ROLE_PART + 1, kFamilyOf), CKR_DEVICE_ERROR);
  EXPECT_EQ(with_value(family(), with_first(good, 0, 2), kFamilyOf), CKR_DEVICE_ERROR);
  auto cut = good;
  cut.pop_back();
  EXPECT_EQ(with_value(family(), cut, kFamilyOf), CKR_DEVICE_ERROR);
  auto longer = good;
  longer.push_back(0);
  EXPECT_EQ(with_value(family(), longer, kFamilyOf), CKR_DEVICE_ERROR);
  EXPECT_EQ(with_value(family(), {}, kFamilyOf), CKR_DEVICE_ERROR);
}

TEST_F(StoredManagedKeys, A70_AFamilyHasAsManySharesAsItMay) {
  // form ‖ shares ‖ has K_OEM_MASTER_SHARE ‖ the shares and K_OEM_SHARE
  const auto with_shares = [this](std::uint8_t count, std::uint8_t has_master) {
    core::Bytes value(3 + (count + 1U) * kSecretSize, 5);
    value[0] = 1;
    value[1] = count;
    value[2] = has_master;
    return with_value(family(), value, kFamilyOf);
  };
  EXPECT_EQ(with_shares(core::kMostShares, 0), CKR_OK);
  EXPECT_EQ(with_shares(core::kMostShares + 1, 0), CKR_DEVICE_ERROR);
  EXPECT_EQ(with_shares(2, 2), CKR_DEVICE_ERROR);
}

TEST_F(StoredManagedKeys, A70_AShareOfAnotherFormDoesNotDecode) {
  // form ‖ OEM_SHARE ‖ (RND_SHARE ‖ OEM_RND_INPUT)?
  const auto of_size = [this](std::size_t size, std::uint8_t form = 1) {
    return with_value(share(), with_first(core::Bytes(size, 6), 0, form), kShareOf);
  };
  constexpr auto kAlone = 1 + kSecretSize;
  constexpr auto kBoth = kAlone + kSecretSize;
  EXPECT_EQ(of_size(kAlone), CKR_OK);
  EXPECT_EQ(of_size(kAlone, 2), CKR_DEVICE_ERROR);
  EXPECT_EQ(of_size(kAlone - 1), CKR_DEVICE_ERROR);
  EXPECT_EQ(of_size(1), CKR_DEVICE_ERROR);
  // Part of a RND_SHARE, as long as an OEM_RND_INPUT may be.
  EXPECT_EQ(of_size(kAlone + core::kLeastRndInput), CKR_DEVICE_ERROR);
  EXPECT_EQ(of_size(kBoth + core::kLeastRndInput - 1), CKR_DEVICE_ERROR);
  EXPECT_EQ(of_size(kBoth + core::kLeastRndInput), CKR_OK);
  EXPECT_EQ(of_size(kBoth + core::kMostRndInput), CKR_OK);
  EXPECT_EQ(of_size(kBoth + core::kMostRndInput + 1), CKR_DEVICE_ERROR);
  expect_a_checked_context([this] { return share(); }, kShareOf);
}

TEST_F(StoredManagedKeys, A70_DerivedKeysOfAnotherFormDoNotDecode) {
  for (const std::size_t size : {std::size_t{0}, kSecretSize - 1, kSecretSize + 1}) {
    EXPECT_EQ(with_value(master_key(), core::Bytes(size), kMasterKeyOf), CKR_DEVICE_ERROR) << size;
    EXPECT_EQ(with_value(asset_key(), core::Bytes(size), kAssetKeyOf), CKR_DEVICE_ERROR) << size;
  }
  expect_a_checked_context([this] { return master_key(); }, kMasterKeyOf);
  expect_a_checked_context([this] { return asset_key(); }, kAssetKeyOf);
  EXPECT_EQ(with_number(asset_key(), CKA_TS_SUITE, 2, kAssetKeyOf), CKR_OK);
  EXPECT_EQ(with_number(asset_key(), CKA_TS_SUITE, 0, kAssetKeyOf), CKR_DEVICE_ERROR);
  EXPECT_EQ(with_number(asset_key(), CKA_TS_SUITE, 3, kAssetKeyOf), CKR_DEVICE_ERROR);
}

TEST_F(StoredManagedKeys, A70_ADeviceKeyIsAScalarOfItsCurve) {
  EXPECT_EQ(with_value(device_key(), core::Bytes(32, 0), kDeviceKeyOf), CKR_DEVICE_ERROR);
  EXPECT_EQ(with_value(device_key(), core::Bytes(32, 0xFF), kDeviceKeyOf), CKR_DEVICE_ERROR);
  EXPECT_EQ(with_value(device_key(), core::Bytes(31, 1), kDeviceKeyOf), CKR_DEVICE_ERROR);
}

// An ordinary key with a managed one's attributes and value is still none.
TEST_F(StoredManagedKeys, A03_A10_OrdinaryKeysAreNoneWhateverTheySay) {
  const auto ordinary = [](Draft draft) {
    draft.managed = false;
    return stored(std::move(draft));
  };
  EXPECT_EQ(rv_of(kFamilyOf(*ordinary(family()))), CKR_KEY_TYPE_INCONSISTENT);
  EXPECT_EQ(rv_of(kShareOf(*ordinary(share()))), CKR_KEY_TYPE_INCONSISTENT);
  EXPECT_EQ(rv_of(kMasterKeyOf(*ordinary(master_key()))), CKR_KEY_TYPE_INCONSISTENT);
  EXPECT_EQ(rv_of(kAssetKeyOf(*ordinary(asset_key()))), CKR_KEY_TYPE_INCONSISTENT);
  EXPECT_EQ(rv_of(kDeviceKeyOf(*ordinary(device_key()))), CKR_KEY_TYPE_INCONSISTENT);
}

TEST_F(StoredManagedKeys, AreEachOfTheirOwnKind) {
  const auto no_kind = CKR_KEY_TYPE_INCONSISTENT;
  EXPECT_EQ(with_number(family(), CKA_KEY_TYPE, CKK_TS_OEM_SHARE, kFamilyOf), no_kind);
  EXPECT_EQ(with_number(share(), CKA_KEY_TYPE, CKK_TS_FAMILY, kShareOf), no_kind);
  EXPECT_EQ(with_number(master_key(), CKA_KEY_TYPE, CKK_TS_ASSET_KEY, kMasterKeyOf), no_kind);
  EXPECT_EQ(with(asset_key(), CKA_TS_LABEL, {'x'}, kAssetKeyOf), no_kind);
  EXPECT_EQ(with_number(device_key(), CKA_CLASS, CKO_PUBLIC_KEY, kDeviceKeyOf), no_kind);
  auto other = device_key();
  other.attributes.remove(CKA_TS_DEVICE_ID);
  EXPECT_EQ(rv_of(kDeviceKeyOf(*stored(std::move(other)))), no_kind);
}

}  // namespace
}  // namespace tallystick::test
