// The policy by itself. Mechanisms and importers keep most of this from ever being asked; the
// policy does not rest on that.
#include "pkcs11/engine/policy.h"

#include <gtest/gtest.h>

#include "tests/pkcs11/support/attributes.h"

namespace tallystick::test {
namespace {

using token::Action;
using token::Draft;
using token::ObjectPtr;
using token::Request;
using token::Use;

constexpr CK_MECHANISM_TYPE kType = CKM_AES_KEY_WRAP_KWP;

class Policies : public ::testing::Test {
 protected:
  Policies() {
    mechanism_.type = kType;
    mechanism_.key_types = {CKK_AES};
    mechanism_.authenticated = true;
    mechanism_.for_managed = true;
    request_.caller = {.user = true, .so = false, .read_write = true};
    request_.mechanism = &mechanism_;
  }
  // A key with every use.
  static Draft key(CK_OBJECT_CLASS object_class = CKO_SECRET_KEY) {
    Draft draft;
    draft.attributes.set_number(CKA_CLASS, object_class).set_number(CKA_KEY_TYPE, CKK_AES);
    for (const CK_ATTRIBUTE_TYPE use :
         {CKA_WRAP, CKA_UNWRAP, CKA_DERIVE, CKA_DECAPSULATE, CKA_SENSITIVE, CKA_PRIVATE,
          CKA_EXTRACTABLE, CKA_MODIFIABLE, CKA_DESTROYABLE}) {
      draft.attributes.set_flag(use, true);
    }
    draft.value = token::share(core::Secret::copy_of(core::Bytes(16, 1)));
    return draft;
  }
  static ObjectPtr object(Draft draft) { return token::Object::make({}, 1, std::move(draft)); }

  CK_RV verdict() {
    const auto decided = token::Policy(token::Hooks{}).decide(request_);
    return decided ? CKR_OK : decided.error().rv;
  }
  CK_RV make(Action action, const Draft& made, Attributes wanted = {}) {
    const auto caller = token::Template::read(wanted.data(), wanted.size());
    if (!caller) return caller.error().rv;
    request_.action = action;
    request_.made = &made;
    request_.wanted = &*caller;
    return verdict();
  }
  CK_RV use(Use use, const ObjectPtr& with) {
    request_.action = Action::kUse;
    request_.use = use;
    request_.object = with.get();
    return verdict();
  }

  token::Mechanism mechanism_;
  Request request_;
};

TEST_F(Policies, NothingIsMadeWithoutAClass) {
  Draft draft;
  EXPECT_EQ(make(Action::kGenerate, draft), CKR_TEMPLATE_INCOMPLETE);
}

TEST_F(Policies, A21_AManagedKeyIsMadePrivateAndSensitive) {
  auto made = key();
  made.managed = true;
  EXPECT_EQ(make(Action::kDerive, made), CKR_OK);
  made.attributes.set_flag(CKA_SENSITIVE, false);
  EXPECT_EQ(make(Action::kDerive, made), CKR_TEMPLATE_INCONSISTENT);
  made.attributes.set_flag(CKA_SENSITIVE, true).set_flag(CKA_PRIVATE, false);
  EXPECT_EQ(make(Action::kDerive, made), CKR_TEMPLATE_INCONSISTENT);
}

TEST_F(Policies, ALengthIsThatOfTheValueThatWasMade) {
  auto made = key();
  EXPECT_EQ(make(Action::kUnwrap, made, Attributes().number(CKA_VALUE_LEN, 16)), CKR_OK);
  EXPECT_EQ(make(Action::kUnwrap, made, Attributes().number(CKA_VALUE_LEN, 32)),
            CKR_TEMPLATE_INCONSISTENT);
  made.value = nullptr;
  EXPECT_EQ(make(Action::kUnwrap, made, Attributes().number(CKA_VALUE_LEN, 16)),
            CKR_TEMPLATE_INCONSISTENT);
}

TEST_F(Policies, A09_TheLengthOfAManagedKeyIsNobodysToState) {
  auto made = key();
  made.managed = true;
  EXPECT_EQ(make(Action::kUnwrap, made, Attributes().number(CKA_VALUE_LEN, 16)),
            CKR_TEMPLATE_INCONSISTENT);
}

TEST_F(Policies, A43_PrivateObjectsAreTheUsersToMake) {
  const auto made = key();
  EXPECT_EQ(make(Action::kGenerate, made), CKR_OK);
  request_.caller.user = false;
  EXPECT_EQ(make(Action::kGenerate, made), CKR_USER_NOT_LOGGED_IN);
}

TEST_F(Policies, A01_AKeyThatWrapsAndDecryptsDoesNotBecomeOneThatOnlyWraps) {
  auto draft = key();
  draft.attributes.set_flag(CKA_ENCRYPT, true).set_flag(CKA_DECRYPT, true);
  draft.attributes.set_flag(CKA_COPYABLE, true);
  const auto both = object(draft);
  const auto copied = [&](Attributes wanted) {
    const auto caller = token::Template::read(wanted.data(), wanted.size());
    request_.action = Action::kCopy;
    request_.object = both.get();
    request_.wanted = &*caller;
    return verdict();
  };
  EXPECT_EQ(copied({}), CKR_OK);
  EXPECT_EQ(copied(Attributes().flag(CKA_DECRYPT, false)), CKR_TEMPLATE_INCONSISTENT);
  EXPECT_EQ(copied(Attributes().flag(CKA_ENCRYPT, false)), CKR_TEMPLATE_INCONSISTENT);
  EXPECT_EQ(copied(Attributes().flag(CKA_DECRYPT, false).flag(CKA_WRAP, false)), CKR_OK);
}

TEST_F(Policies, A05_ManagedKeysAreNeitherCopiedNorChangedThoughTheySayTheyMayBe) {
  auto draft = key();
  draft.attributes.set_flag(CKA_COPYABLE, true);
  const token::Template nothing;
  request_.wanted = &nothing;
  for (const bool managed : {false, true}) {
    draft.managed = managed;
    const auto one = object(draft);
    request_.object = one.get();
    const CK_RV expected = managed ? CKR_ACTION_PROHIBITED : CKR_OK;
    request_.action = Action::kCopy;
    EXPECT_EQ(verdict(), expected);
    request_.action = Action::kSet;
    EXPECT_EQ(verdict(), expected);
  }
}

TEST_F(Policies, A21_OnlyWhatWasDecidedForAManagedKeyMayBeTightened) {
  auto made = key();
  made.managed = true;
  const auto tighter = Attributes().flag(CKA_EXTRACTABLE, false);
  EXPECT_EQ(make(Action::kUnwrap, made, tighter), CKR_OK);
  made.managed = false;
  EXPECT_EQ(make(Action::kUnwrap, made, tighter), CKR_TEMPLATE_INCONSISTENT);
}

TEST_F(Policies, WhatIsImmutableStaysThoughItSaysItMayChangeAndGo) {
  const token::Template nothing;
  request_.wanted = &nothing;
  auto draft = key();
  for (const bool immutable : {false, true}) {
    draft.immutable = immutable;
    const auto one = object(draft);
    request_.object = one.get();
    const CK_RV expected = immutable ? CKR_ACTION_PROHIBITED : CKR_OK;
    request_.action = Action::kSet;
    EXPECT_EQ(verdict(), expected);
    request_.action = Action::kDestroy;
    EXPECT_EQ(verdict(), expected);
  }
}

TEST_F(Policies, WhatIsNoKeyIsOfNoUse) {
  mechanism_.key_types = {};
  auto draft = key();
  EXPECT_EQ(use(Use::kDerive, object(draft)), CKR_OK);
  draft.attributes.set_number(CKA_CLASS, CKO_DATA);
  EXPECT_EQ(use(Use::kDerive, object(draft)), CKR_KEY_TYPE_INCONSISTENT);
}

TEST_F(Policies, A17_OnlySecretKeysThatMayBeReadAreDigested) {
  auto draft = key();
  draft.attributes.set_flag(CKA_SENSITIVE, false);
  EXPECT_EQ(use(Use::kDigest, object(draft)), CKR_OK);
  draft.attributes.set_number(CKA_CLASS, CKO_PUBLIC_KEY);
  EXPECT_EQ(use(Use::kDigest, object(draft)), CKR_KEY_INDIGESTIBLE);
  EXPECT_EQ(use(Use::kDigest, object(key())), CKR_KEY_INDIGESTIBLE);
}

TEST_F(Policies, AKeyOfAnotherTypeIsNamedByWhatItWasFor) {
  auto draft = key();
  draft.attributes.set_number(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
  const auto other = object(draft);
  EXPECT_EQ(use(Use::kWrap, other), CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
  EXPECT_EQ(use(Use::kUnwrap, other), CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
  EXPECT_EQ(use(Use::kDecapsulate, other), CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
  EXPECT_EQ(use(Use::kDerive, other), CKR_KEY_TYPE_INCONSISTENT);
}

TEST_F(Policies, A01_OnlyWhatHasAValueIsWrapped) {
  const auto wrapping = object(key());
  auto wrapped = key();
  wrapped.attributes.set_flag(CKA_SENSITIVE, false);
  wrapped.attributes.set_flag(CKA_WRAP, false).set_flag(CKA_UNWRAP, false);
  const auto secret = object(wrapped);
  request_.wrapped = secret.get();
  EXPECT_EQ(use(Use::kWrap, wrapping), CKR_OK);
  wrapped.attributes.set_number(CKA_CLASS, CKO_PUBLIC_KEY);
  const auto open = object(wrapped);
  request_.wrapped = open.get();
  EXPECT_EQ(use(Use::kWrap, wrapping), CKR_KEY_NOT_WRAPPABLE);
}

TEST_F(Policies, A40_AKeyThatWantsThePinEachTimeIsOfNoUseToWhatIsOneCall) {
  auto draft = key();
  for (const auto what : {Use::kUnwrap, Use::kDerive, Use::kDecapsulate}) {
    draft.attributes.set_flag(CKA_ALWAYS_AUTHENTICATE, false);
    EXPECT_EQ(use(what, object(draft)), CKR_OK);
    draft.attributes.set_flag(CKA_ALWAYS_AUTHENTICATE, true);
    EXPECT_EQ(use(what, object(draft)), CKR_USER_NOT_LOGGED_IN);
  }
}

TEST_F(Policies, A15_AManagedKeyServesOnlyMechanismsThatAreForManagedKeys) {
  auto draft = key();
  draft.managed = true;
  draft.attributes.set_numbers(CKA_ALLOWED_MECHANISMS, std::vector<CK_ULONG>{kType});
  const auto managed = object(draft);
  EXPECT_EQ(use(Use::kDerive, managed), CKR_OK);
  mechanism_.for_managed = false;
  EXPECT_EQ(use(Use::kDerive, managed), CKR_KEY_FUNCTION_NOT_PERMITTED);
}

TEST_F(Policies, A10_KeysComeInOnlyAuthenticated) {
  const auto unwrapping = object(key());
  EXPECT_EQ(use(Use::kUnwrap, unwrapping), CKR_OK);
  mechanism_.authenticated = false;
  EXPECT_EQ(use(Use::kUnwrap, unwrapping), CKR_MECHANISM_INVALID);
}

}  // namespace
}  // namespace tallystick::test
