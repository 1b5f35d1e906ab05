#include "core/certificate/device_certificate.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <functional>

#include "tests/core/support/vectors.h"
#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, HandleDeleter<X509_EXTENSION_free>>;

// A DER object of definite length.
Bytes der(std::uint8_t tag, ByteView content) {
  Bytes out = {tag};
  if (content.size() < 128) {
    out.push_back(static_cast<std::uint8_t>(content.size()));
  } else if (content.size() < 256) {
    out.push_back(0x81);
    out.push_back(static_cast<std::uint8_t>(content.size()));
  } else {
    out.push_back(0x82);
    out.push_back(static_cast<std::uint8_t>(content.size() >> 8U));
    out.push_back(static_cast<std::uint8_t>(content.size()));
  }
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

const Bytes kAlgorithm = from_hex("300a06082a8648ce3d040303");  // ecdsa-with-SHA384

class DeviceCertificates : public ::testing::Test {
 protected:
  Signer icm_ = make_signer();
  Signer device_ = make_signer(Curve::kP256);
  Bytes to_sign_ =
      must(device_certificate_to_sign(crypto(), DeviceKind::kPart, device_.key.public_xy(),
                                      icm_.key.public_xy(), "ICM", {1'700'000'000, 0}));
  Bytes good_ = must(assemble_certificate(to_sign_, icm_.sign({to_sign_})));
  // The BIT STRING at the end of the certificate.
  Bytes bits_ = to_bytes(ByteView(good_).subspan(4 + to_sign_.size() + kAlgorithm.size()));

  [[nodiscard]] Result<DeviceCertificate> verified(ByteView certificate) const {
    return verify_device_certificate(crypto(), certificate, icm_.key.public_xy());
  }
  [[nodiscard]] static Bytes encoded(X509* x509) {
    Bytes out(static_cast<std::size_t>(i2d_X509(x509, nullptr)));
    auto* cursor = out.data();
    i2d_X509(x509, &cursor);
    return out;
  }
  // The good certificate, changed and signed again by `signer`.
  [[nodiscard]] Bytes changed(const std::function<void(X509*)>& change,
                              const Signer* signer = nullptr, Hash hash = Hash::kSha384) const {
    X509* made = X509_new_ex(crypto().lib(), nullptr);
    const auto* cursor = good_.data();
    const X509Ptr x509(d2i_X509(&made, &cursor, static_cast<long>(good_.size())));
    change(x509.get());
    const auto& key = (signer != nullptr ? *signer : icm_).key;
    EXPECT_GT(X509_sign(x509.get(), key.public_key().pkey(), crypto().md(hash)), 0);
    return encoded(x509.get());
  }
  static void remove_extension(X509* x509, int nid) {
    const int at = X509_get_ext_by_NID(x509, nid, -1);
    ASSERT_GE(at, 0);
    X509_EXTENSION_free(X509_delete_ext(x509, at));
  }
  static void add_extension(X509* x509, int nid, const char* value) {
    const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
    ASSERT_NE(extension, nullptr);
    ASSERT_EQ(X509_add_ext(x509, extension.get(), -1), 1);
  }
  static void add_name(X509* x509, const char* field, std::string_view text) {
    ASSERT_EQ(X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), field, MBSTRING_UTF8,
                                         reinterpret_cast<const unsigned char*>(text.data()),
                                         static_cast<int>(text.size()), -1, 0),
              1);
  }
  static void clear_name(X509* x509) {
    auto* const name = X509_get_subject_name(x509);
    while (X509_NAME_entry_count(name) > 0) X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, 0));
  }
};

TEST_F(DeviceCertificates, NameTheDeviceAndItsKind) {
  const auto part = must(verified(good_));
  EXPECT_EQ(part.kind, DeviceKind::kPart);
  EXPECT_EQ(part.id, device_.id);
  EXPECT_EQ(to_hex(part.key.xy()), to_hex(device_.key.public_xy()));
  const auto front =
      must(device_certificate_to_sign(crypto(), DeviceKind::kToken, device_.key.public_xy(),
                                      icm_.key.public_xy(), "ICM", {0, 2'000'000'000}));
  const auto token = must(verified(must(assemble_certificate(front, icm_.sign({front})))));
  EXPECT_EQ(token.kind, DeviceKind::kToken);
}

TEST_F(DeviceCertificates, HaveSerialNumbersThatDiffer) {
  EXPECT_NE(to_sign_,
            must(device_certificate_to_sign(crypto(), DeviceKind::kPart, device_.key.public_xy(),
                                            icm_.key.public_xy(), "ICM", {1'700'000'000, 0})));
}

TEST_F(DeviceCertificates, P04_RefuseEveryFlippedByte) {
  for (std::size_t at = 0; at < good_.size(); ++at) {
    for (const std::uint8_t bit : {std::uint8_t{1}, std::uint8_t{0x80}}) {
      auto bad = good_;
      bad[at] ^= bit;
      const auto result = verified(bad);
      ASSERT_FALSE(result.ok()) << at;
      ASSERT_TRUE(result.error().code == ErrorCode::kMalformed ||
                  result.error().code == ErrorCode::kBadSignature)
          << at;
    }
  }
}

TEST_F(DeviceCertificates, P01_P03_RefuseEveryOtherLengthAndTrailingBytes) {
  for (std::size_t size = 0; size < good_.size(); ++size) {
    ASSERT_TRUE(fails_with(verified(ByteView(good_).first(size)), ErrorCode::kMalformed));
  }
  EXPECT_TRUE(fails_with(verified(concatenated({good_, Bytes(1)})), ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(verified(Bytes(kMostCertificateBytes + 1, 0x30)), ErrorCode::kMalformed));
  const auto giant = changed([](X509* x509) {
    add_extension(x509, NID_netscape_comment, std::string(4200, 'c').c_str());
  });
  EXPECT_TRUE(fails_with(verified(giant), ErrorCode::kMalformed));
}

TEST_F(DeviceCertificates, RefuseAnotherIssuer) {
  const auto stranger = make_signer();
  EXPECT_TRUE(fails_with(verified(changed([](X509*) {}, &stranger)), ErrorCode::kBadSignature));
  EXPECT_TRUE(fails_with(verify_device_certificate(crypto(), good_, stranger.key.public_xy()),
                         ErrorCode::kBadSignature));
  EXPECT_TRUE(
      fails_with(verified(changed([](X509*) {}, nullptr, Hash::kSha256)), ErrorCode::kMalformed));
  EXPECT_TRUE(
      fails_with(verify_device_certificate(crypto(), good_, Bytes(96)), ErrorCode::kMalformed));
  EXPECT_TRUE(is_ok(verified(changed([](X509*) {}))));
}

TEST_F(DeviceCertificates, P04_RefuseTricksThatTheIcmSigned) {
  const auto p384 = make_signer();
  const struct {
    const char* what;
    std::function<void(X509*)> change;
  } tricks[] = {
      {"CA true",
       [](X509* x) {
         remove_extension(x, NID_basic_constraints);
         add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
       }},
      {"usage without signatures",
       [](X509* x) {
         remove_extension(x, NID_key_usage);
         add_extension(x, NID_key_usage, "critical,keyAgreement");
       }},
      {"no usage", [](X509* x) { remove_extension(x, NID_key_usage); }},
      {"an unknown critical extension",
       [](X509* x) { add_extension(x, NID_netscape_comment, "critical,DER:16026869"); }},
      {"one extension twice",
       [](X509* x) { add_extension(x, NID_basic_constraints, "critical,CA:FALSE"); }},
      {"a key on P-384", [&p384](X509* x) { X509_set_pubkey(x, p384.key.public_key().pkey()); }},
      {"version 1", [](X509* x) { X509_set_version(x, X509_VERSION_1); }}};
  for (const auto& trick : tricks) {
    EXPECT_TRUE(fails_with(verified(changed(trick.change)), ErrorCode::kMalformed)) << trick.what;
  }
  const auto harmless = changed([](X509* x) { add_extension(x, NID_netscape_comment, "hello"); });
  EXPECT_TRUE(is_ok(verified(harmless))) << "an unknown extension that is not critical";
}

TEST_F(DeviceCertificates, D11_RefuseMoreRightsThanADeviceHas) {
  const auto with_usage = [](const char* usage) {
    return [usage](X509* x509) {
      remove_extension(x509, NID_key_usage);
      add_extension(x509, NID_key_usage, usage);
    };
  };
  const auto with_constraints = [](const char* constraints) {
    return [constraints](X509* x509) {
      remove_extension(x509, NID_basic_constraints);
      add_extension(x509, NID_basic_constraints, constraints);
    };
  };
  const std::pair<const char*, std::function<void(X509*)>> rights[] = {
      {"CA", with_constraints("critical,CA:TRUE,pathlen:0")},
      {"CA, not critical", with_constraints("CA:TRUE")},
      {"signs certificates", with_usage("critical,digitalSignature,keyAgreement,keyCertSign")},
      {"signs certificates, not critical", with_usage("digitalSignature,keyCertSign")},
      {"signs revocation lists", with_usage("critical,digitalSignature,keyAgreement,cRLSign")}};
  for (const auto& [what, change] : rights) {
    EXPECT_TRUE(fails_with(verified(changed(change)), ErrorCode::kMalformed)) << what;
  }
  EXPECT_TRUE(is_ok(verified(changed(with_usage("critical,digitalSignature")))));
}

TEST_F(DeviceCertificates, P04_RefuseExplicitCurveParameters) {
  const auto certificate = changed([this](X509* x509) {
    const PkeyPtr key(EVP_PKEY_dup(device_.key.public_key().pkey()));
    EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_ENCODING,
                                   OSSL_PKEY_EC_ENCODING_EXPLICIT);
    X509_set_pubkey(x509, key.get());
  });
  ASSERT_GT(certificate.size(), good_.size() + 150) << "the parameters stand in it";
  EXPECT_TRUE(fails_with(verified(certificate), ErrorCode::kMalformed));
}

TEST_F(DeviceCertificates, P04_RefuseSubjectsThatAreNotTheirKeys) {
  const auto id = to_hex(device_.id);
  const struct {
    const char* what;
    std::vector<std::pair<const char*, std::string>> name;
  } subjects[] = {
      {"another unit", {{"OU", "gateway"}, {"serialNumber", id}}},
      {"no unit", {{"serialNumber", id}}},
      {"two units", {{"OU", "part"}, {"OU", "token"}, {"serialNumber", id}}},
      {"NUL in the unit", {{"OU", std::string("part\0x", 6)}, {"serialNumber", id}}},
      {"no serial number", {{"OU", "part"}}},
      {"two serial numbers", {{"OU", "part"}, {"serialNumber", id}, {"serialNumber", id}}},
      {"another device's id",
       {{"OU", "part"}, {"serialNumber", to_hex(make_signer(Curve::kP256).id)}}}};
  for (const auto& subject : subjects) {
    const auto certificate = changed([&subject](X509* x509) {
      clear_name(x509);
      for (const auto& [field, text] : subject.name) add_name(x509, field, text);
    });
    EXPECT_TRUE(fails_with(verified(certificate), ErrorCode::kInconsistent)) << subject.what;
  }
}

TEST_F(DeviceCertificates, P02_RefuseTwinsMadeWithoutAKey) {
  ASSERT_EQ(der(0x30, concatenated({to_sign_, kAlgorithm, bits_})), good_);
  // Parameters beside the outer algorithm, which no signature covers.
  const auto with_null = from_hex("300c06082a8648ce3d0403030500");
  EXPECT_FALSE(verified(der(0x30, concatenated({to_sign_, with_null, bits_}))).ok());
  // Bytes after the signature, inside its BIT STRING.
  const auto content = ByteView(bits_).subspan(bits_.size() > 130 ? 3 : 2);
  const auto tailed = der(0x03, concatenated({content, Bytes(1)}));
  EXPECT_FALSE(verified(der(0x30, concatenated({to_sign_, kAlgorithm, tailed}))).ok());
  // Unused bits in the BIT STRING, where the last bits happen to be zero.
  for (int i = 0; i < 64; ++i) {
    const auto certificate = must(assemble_certificate(to_sign_, icm_.sign({to_sign_})));
    if ((certificate.back() & 1U) != 0) continue;
    auto twin = certificate;
    const auto start = 4 + to_sign_.size() + kAlgorithm.size();
    const auto unused_at = start + (twin[start + 1] == 0x81 ? 3U : 2U);
    ASSERT_EQ(twin[unused_at], 0);
    twin[unused_at] = 1;
    EXPECT_FALSE(verified(twin).ok());
    EXPECT_TRUE(is_ok(verified(certificate)));
    return;
  }
  FAIL() << "no signature ended in a zero bit";
}

TEST_F(DeviceCertificates, P04_RefuseBer) {
  // The outer length in a longer form than needed.
  auto outer = good_;
  outer.insert(outer.begin() + 2, 0);
  outer[1] = 0x83;
  EXPECT_TRUE(fails_with(verified(outer), ErrorCode::kMalformed));
  // The unit's SET in the subject, signed by the ICM in that form: a long-form length.
  const auto set = from_hex("310d300b060355040b0c0470617274");
  const auto found = std::search(to_sign_.begin(), to_sign_.end(), set.begin(), set.end());
  ASSERT_NE(found, to_sign_.end());
  auto body = to_sign_;
  const auto at = static_cast<std::size_t>(found - to_sign_.begin());
  body.insert(body.begin() + static_cast<std::ptrdiff_t>(at) + 1, 0x81);
  // The subject's SEQUENCE and the whole grow by one byte; both have lengths to adjust.
  ASSERT_EQ(body[at - 2], 0x30);
  body[at - 1] = static_cast<std::uint8_t>(body[at - 1] + 1);
  ASSERT_EQ(body[1], 0x82);
  body[3] = static_cast<std::uint8_t>(body[3] + 1);
  EXPECT_FALSE(verified(must(assemble_certificate(body, icm_.sign({body})))).ok());
  // The issuer's name likewise, which stands between the algorithm and the validity.
  const auto issuer = from_hex("310c300a06035504030c0349434d");
  const auto name = std::search(to_sign_.begin(), to_sign_.end(), issuer.begin(), issuer.end());
  ASSERT_NE(name, to_sign_.end());
  body = to_sign_;
  const auto start = static_cast<std::size_t>(name - to_sign_.begin());
  body.insert(body.begin() + static_cast<std::ptrdiff_t>(start) + 1, 0x81);
  ASSERT_EQ(body[start - 2], 0x30);
  body[start - 1] = static_cast<std::uint8_t>(body[start - 1] + 1);
  body[3] = static_cast<std::uint8_t>(body[3] + 1);
  EXPECT_TRUE(fails_with(verified(must(assemble_certificate(body, icm_.sign({body})))),
                         ErrorCode::kMalformed));
}

TEST_F(DeviceCertificates, AreNotMadeForKeysOffTheirCurves) {
  const auto make = [](ByteView device, ByteView icm, std::string_view issuer) {
    return device_certificate_to_sign(crypto(), DeviceKind::kPart, device, icm, issuer, {});
  };
  EXPECT_TRUE(fails_with(make(Bytes(64), icm_.key.public_xy(), "I"), ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(make(device_.key.public_xy(), Bytes(96), "I"), ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(make(device_.key.public_xy(), icm_.key.public_xy(), ""),
                         ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(make(device_.key.public_xy(), icm_.key.public_xy(), std::string(65, 'i')),
                         ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(assemble_certificate(to_sign_, Bytes(95)), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(
      fails_with(assemble_certificate(Bytes{1, 2, 3}, Bytes(96, 1)), ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(assemble_certificate({}, Bytes(96, 1)), ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(assemble_certificate(concatenated({to_sign_, Bytes(1)}), Bytes(96, 1)),
                         ErrorCode::kMalformed));
}

TEST_F(DeviceCertificates, TheIcmsOwnIsSelfSignedAndNoDevices) {
  const auto front =
      must(icm_certificate_to_sign(crypto(), icm_.key.public_xy(), "ICM", {1'700'000'000, 0}));
  const auto own = must(assemble_certificate(front, icm_.sign({front})));
  EXPECT_EQ(to_hex(must(icm_public_key_of(crypto(), own))), to_hex(icm_.key.public_xy()));
  EXPECT_TRUE(fails_with(verified(own), ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(icm_public_key_of(crypto(), good_), ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(icm_public_key_of(crypto(), Bytes{1}), ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(icm_public_key_of(crypto(), {}), ErrorCode::kMalformed));
  // The ICM's own key that is no CA's; and a CA whose key is on a device's curve.
  const auto no_ca =
      changed([this](X509* x509) { X509_set_pubkey(x509, icm_.key.public_key().pkey()); });
  EXPECT_TRUE(fails_with(icm_public_key_of(crypto(), no_ca), ErrorCode::kMalformed));
  const auto small_ca = changed([](X509* x509) {
    remove_extension(x509, NID_basic_constraints);
    add_extension(x509, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    remove_extension(x509, NID_key_usage);
    add_extension(x509, NID_key_usage, "critical,keyCertSign");
  });
  EXPECT_TRUE(fails_with(icm_public_key_of(crypto(), small_ca), ErrorCode::kMalformed));
  const auto other = must(assemble_certificate(front, make_signer().sign({front})));
  EXPECT_TRUE(fails_with(icm_public_key_of(crypto(), other), ErrorCode::kBadSignature));
  EXPECT_TRUE(
      fails_with(icm_certificate_to_sign(crypto(), Bytes(96), "ICM", {}), ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(icm_certificate_to_sign(crypto(), icm_.key.public_xy(), "", {}),
                         ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace tallystick::core::testing
