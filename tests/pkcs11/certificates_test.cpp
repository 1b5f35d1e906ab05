// Certificates: what of them is taken in.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/support/world.h"

namespace tallystick::test {
namespace {

class Certificates : public ::testing::Test {
 protected:
  static Attributes x509() {
    return Attributes()
        .number(CKA_CLASS, CKO_CERTIFICATE)
        .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
        .bytes(CKA_SUBJECT, {});
  }
  CK_RV create(const Attributes& certificate) {
    const auto made = token_.session().create(certificate);
    EXPECT_EQ(token_.session().find(Attributes().number(CKA_CLASS, CKO_CERTIFICATE)).empty(),
              made.rv != CKR_OK);
    return made.rv;
  }
  TestToken token_;
  const core::Bytes der_ = World().icm_certificate();
};

TEST_F(Certificates, AreOfX509WhetherTheTemplateSaysSoOrNot) {
  for (const CK_ULONG type : {CKC_X_509_ATTR_CERT, CKC_WTLS, ~0UL}) {
    EXPECT_THAT(create(Attributes()
                           .number(CKA_CLASS, CKO_CERTIFICATE)
                           .number(CKA_CERTIFICATE_TYPE, type)
                           .bytes(CKA_VALUE, der_)),
                ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID))
        << type;
  }
  EXPECT_THAT(create(Attributes().number(CKA_CLASS, CKO_CERTIFICATE).bytes(CKA_VALUE, der_)),
              IsOk());
}

TEST_F(Certificates, WithoutAValueAreIncomplete) {
  EXPECT_THAT(create(x509()), ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  EXPECT_THAT(create(x509().bytes(CKA_VALUE, {})), ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
}

TEST_F(Certificates, AreOneInDerAndNothingElse) {
  const auto invalid = ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID);
  for (const std::size_t size : {std::size_t{1}, der_.size() / 2, der_.size() - 1}) {
    EXPECT_THAT(create(x509().bytes(CKA_VALUE, core::ByteView(der_).first(size))), invalid) << size;
  }
  auto longer = der_;
  longer.push_back(0);
  EXPECT_THAT(create(x509().bytes(CKA_VALUE, longer)), invalid);
  auto two = der_;
  two.insert(two.end(), der_.begin(), der_.end());
  EXPECT_THAT(create(x509().bytes(CKA_VALUE, two)), invalid);
  EXPECT_THAT(create(x509().bytes(CKA_VALUE, der_)), IsOk());
}

}  // namespace
}  // namespace tallystick::test
