// What stands in the certificates that are made here, and what X.509 tools make of them.
#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "core/certificate/device_certificate.h"
#include "tests/core/support/vectors.h"
#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

class MadeCertificates : public ::testing::Test {
 protected:
  Signer icm_ = make_signer();
  Signer device_ = make_signer(Curve::kP256);

  [[nodiscard]] static X509Ptr parsed(const Bytes& certificate) {
    const auto* cursor = certificate.data();
    return X509Ptr(d2i_X509(nullptr, &cursor, static_cast<long>(certificate.size())));
  }
  // A part's certificate of this life.
  [[nodiscard]] Bytes made_with(Validity validity) const {
    const auto front =
        must(device_certificate_to_sign(crypto(), DeviceKind::kPart, device_.key.public_xy(),
                                        icm_.key.public_xy(), "ICM", validity));
    return must(assemble_certificate(front, icm_.sign({front})));
  }
  using Names = std::vector<std::pair<int, std::string>>;
  [[nodiscard]] static Names names(const X509_NAME* name) {
    Names out;
    for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
      const auto* const entry = X509_NAME_get_entry(name, i);
      const auto* const text = X509_NAME_ENTRY_get_data(entry);
      out.emplace_back(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)),
                       std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                   static_cast<std::size_t>(ASN1_STRING_length(text))));
    }
    return out;
  }
  // What libcrypto's chain check says at a moment, in Unix seconds.
  [[nodiscard]] static int chain_verdict(const X509Ptr& root, const X509Ptr& leaf,
                                         std::int64_t now) {
    using StorePtr = std::unique_ptr<X509_STORE, HandleDeleter<X509_STORE_free>>;
    using StoreCtxPtr = std::unique_ptr<X509_STORE_CTX, HandleDeleter<X509_STORE_CTX_free>>;
    const StorePtr store(X509_STORE_new());
    const StoreCtxPtr context(X509_STORE_CTX_new());
    if (X509_STORE_add_cert(store.get(), root.get()) != 1 ||
        X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr) != 1) {
      return X509_V_ERR_UNSPECIFIED;
    }
    X509_STORE_CTX_set_time(context.get(), 0, now);
    X509_verify_cert(context.get());
    return X509_STORE_CTX_get_error(context.get());
  }
};

TEST_F(MadeCertificates, D11_AreMadeOfTheseFieldsAndNoOthers) {
  for (const auto kind : {DeviceKind::kPart, DeviceKind::kToken}) {
    // Names that a looser writer would take apart.
    for (const std::string name :
         {"ICM", "ICM/OU=token", "ICM, OU=part", "ICM+serialNumber=00", "CN=CN", "\\,\n"}) {
      const auto front = must(device_certificate_to_sign(
          crypto(), kind, device_.key.public_xy(), icm_.key.public_xy(), name, {1'700'000'000, 0}));
      const auto x509 = parsed(must(assemble_certificate(front, icm_.sign({front}))));
      ASSERT_NE(x509, nullptr);
      EXPECT_EQ(X509_get_version(x509.get()), X509_VERSION_3);
      const auto* const serial = X509_get0_serialNumber(x509.get());
      EXPECT_EQ(ASN1_STRING_length(serial), 20);
      EXPECT_EQ(ASN1_STRING_type(serial), V_ASN1_INTEGER) << "positive";
      EXPECT_EQ(X509_get_signature_nid(x509.get()), NID_ecdsa_with_SHA384);
      const Names issuer = {{NID_commonName, name}};
      EXPECT_EQ(names(X509_get_issuer_name(x509.get())), issuer);
      const Names subject = {
          {NID_organizationalUnitName, kind == DeviceKind::kPart ? "part" : "token"},
          {NID_serialNumber, to_hex(device_.id)}};
      EXPECT_EQ(names(X509_get_subject_name(x509.get())), subject);
      const auto key =
          must(EcPublicKey::from_pkey(crypto(), Curve::kP256, X509_get0_pubkey(x509.get())));
      EXPECT_EQ(to_hex(key.xy()), to_hex(device_.key.public_xy()));
      const ASN1_BIT_STRING* issuer_uid = nullptr;
      const ASN1_BIT_STRING* subject_uid = nullptr;
      X509_get0_uids(x509.get(), &issuer_uid, &subject_uid);
      EXPECT_EQ(issuer_uid, nullptr);
      EXPECT_EQ(subject_uid, nullptr);
      ASSERT_EQ(X509_get_ext_count(x509.get()), 2);
      for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(X509_EXTENSION_get_critical(X509_get_ext(x509.get(), i)), 1);
      }
      EXPECT_EQ(X509_check_ca(x509.get()), 0);
      EXPECT_EQ(X509_get_pathlen(x509.get()), -1);
      EXPECT_EQ(X509_get_key_usage(x509.get()),
                static_cast<std::uint32_t>(KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT));
      EXPECT_EQ(X509_get_extended_key_usage(x509.get()), UINT32_MAX) << "there is none";
    }
  }
}

TEST_F(MadeCertificates, D12_HaveTheDatesThatTheyWereGiven) {
  constexpr std::int64_t k2050 = 2'524'608'000;
  constexpr std::int64_t kLast = 253'402'300'799;  // 99991231235959Z
  const struct {
    Validity given;
    std::int64_t not_after;
    int type;  // of not_after: two digits for the year up to 2049
  } cases[] = {{{1'700'000'000, 1'700'000'000}, 1'700'000'000, V_ASN1_UTCTIME},
               {{0, k2050 - 1}, k2050 - 1, V_ASN1_UTCTIME},
               {{0, k2050}, k2050, V_ASN1_GENERALIZEDTIME},
               {{k2050, kLast}, kLast, V_ASN1_GENERALIZEDTIME},
               {{1'700'000'000, 0}, kLast, V_ASN1_GENERALIZEDTIME}};
  for (const auto& [given, not_after, type] : cases) {
    const auto x509 = parsed(made_with(given));
    ASSERT_NE(x509, nullptr);
    EXPECT_EQ(ASN1_TIME_cmp_time_t(X509_get0_notBefore(x509.get()), given.not_before), 0);
    EXPECT_EQ(ASN1_TIME_cmp_time_t(X509_get0_notAfter(x509.get()), not_after), 0) << not_after;
    EXPECT_EQ(ASN1_STRING_type(X509_get0_notAfter(x509.get())), type) << not_after;
  }
  for (const Validity backwards : {Validity{2, 1}, Validity{k2050, 1'700'000'000},
                                   Validity{kLast + 1, 0}, Validity{0, kLast + 1}}) {
    EXPECT_TRUE(
        fails_with(device_certificate_to_sign(crypto(), DeviceKind::kPart, device_.key.public_xy(),
                                              icm_.key.public_xy(), "ICM", backwards),
                   ErrorCode::kInvalidArgument))
        << backwards.not_before << " to " << backwards.not_after;
    EXPECT_TRUE(
        fails_with(icm_certificate_to_sign(crypto(), icm_.key.public_xy(), "ICM", backwards),
                   ErrorCode::kInvalidArgument));
  }
}

TEST_F(MadeCertificates, D12_AreJudgedByWhoeverHasAClock) {
  const auto leaf = parsed(made_with({2'000'000, 3'000'000}));
  const auto front =
      must(icm_certificate_to_sign(crypto(), icm_.key.public_xy(), "ICM", {1'000'000, 4'000'000}));
  const auto root = parsed(must(assemble_certificate(front, icm_.sign({front}))));
  const std::pair<std::int64_t, int> moments[] = {{1'999'999, X509_V_ERR_CERT_NOT_YET_VALID},
                                                  {2'000'000, X509_V_OK},
                                                  {2'999'999, X509_V_OK},
                                                  {3'000'001, X509_V_ERR_CERT_HAS_EXPIRED},
                                                  {4'000'001, X509_V_ERR_CERT_HAS_EXPIRED}};
  for (const auto& [now, verdict] : moments) EXPECT_EQ(chain_verdict(root, leaf, now), verdict);
  const auto outlives = parsed(made_with({2'000'000, 0}));
  EXPECT_EQ(chain_verdict(root, outlives, 3'999'999), X509_V_OK);
  EXPECT_EQ(chain_verdict(root, outlives, 4'000'001), X509_V_ERR_CERT_HAS_EXPIRED)
      << "no certificate is good for longer than the one above it";
  // Parts have no clock: to them the signature is what counts.
  EXPECT_TRUE(is_ok(verify_device_certificate(crypto(), made_with({0, 1}), icm_.key.public_xy())));
}

TEST_F(MadeCertificates, ChainForX509Tools) {
  const auto front =
      must(icm_certificate_to_sign(crypto(), icm_.key.public_xy(), "ICM", {1'700'000'000, 0}));
  const auto root = parsed(must(assemble_certificate(front, icm_.sign({front}))));
  EXPECT_EQ(chain_verdict(root, parsed(made_with({1'700'000'000, 0})), 1'800'000'000), X509_V_OK);
}

}  // namespace
}  // namespace tallystick::core::testing
