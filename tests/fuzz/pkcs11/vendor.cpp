// The profile's blobs, images and contexts through C_*: what an OEM's token takes from files.
// Input: u8 step, u8 flags (1: what was altered is signed by who should have), the bytes.
#include <array>

#include "core/base/reader.h"
#include "core/ts1/package.h"
#include "tests/fuzz/support/calls.h"
#include "tests/fuzz/support/token.h"
#include "tests/fuzz/support/world.h"
#include "tests/support/value.h"

using namespace tallystick;

namespace {

using fuzz::Arguments;
using fuzz::Region;
using fuzz::Session;

// The last `size` bytes become the key's signature over all before them.
void sign_end(core::Bytes& bytes, const core::EcPrivateKey& key, std::size_t size) {
  if (bytes.size() < size) return;
  const auto end = bytes.size() - size;
  const auto signature =
      test::value(key.sign(fuzz::world().crypto, {core::ByteView(bytes).first(end)}));
  std::ranges::copy(signature, bytes.begin() + static_cast<std::ptrdiff_t>(end));
}

void unwrap(Arguments& arguments, Session& session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key,
            core::ByteView parameter, core::ByteView blob) {
  const auto param = fuzz::copied(arguments, parameter);
  const auto bytes = fuzz::copied(arguments, blob);
  CK_MECHANISM mechanism{type, param.size == 0 ? nullptr : param.data, param.size};
  CK_OBJECT_HANDLE made = 0;
  if (fuzz::token()->C_UnwrapKey(session.handle(), &mechanism, key, bytes.data, bytes.size, nullptr,
                                 0, &made) == CKR_OK) {
    session.made(made);
  }
}

void create(Arguments& arguments, Session& session, CK_OBJECT_CLASS object_class,
            CK_KEY_TYPE key_type, core::ByteView value) {
  const auto bytes = fuzz::copied(arguments, value);
  std::vector<CK_ATTRIBUTE> wanted = {{CKA_CLASS, &object_class, sizeof object_class},
                                      {CKA_VALUE, bytes.data, bytes.size}};
  if (object_class == CKO_SECRET_KEY) {
    wanted.push_back({CKA_KEY_TYPE, &key_type, sizeof key_type});
  }
  CK_OBJECT_HANDLE made = 0;
  if (fuzz::token()->C_CreateObject(session.handle(), wanted.data(), wanted.size(), &made) ==
      CKR_OK) {
    session.made(made);
  }
}

// Role 2, with the OEM's consent for the token's present nonce.
void regenerate(Arguments& arguments, Session& session, core::ByteView blob, bool consent) {
  const auto& p11 = fuzz::token();
  const auto& world = fuzz::world();
  core::DeviceId id{};
  core::ByteArray<32> nonce{};
  std::array<CK_ATTRIBUTE, 2> wanted = {
      {{CKA_TS_DEVICE_ID, id.data(), id.size()}, {CKA_TS_NONCE, nonce.data(), nonce.size()}}};
  fuzz::expect(p11->C_GetAttributeValue(session.handle(), p11.key("device", CKO_PUBLIC_KEY),
                                        wanted.data(), wanted.size()) == CKR_OK,
               "the device key tells its id and nonce");
  core::Writer parameter;
  parameter.bytes(world.oem.public_xy());
  const auto message = core::regeneration_message(world.crypto, id, nonce, blob);
  if (message && consent) {
    parameter.bytes(test::value(world.oem.sign(world.crypto, {*message})));
  } else {
    parameter.zeros(96);
  }
  unwrap(arguments, session, CKM_TS_MASTER_SHARE_WRAP, p11.key("family", CKO_SECRET_KEY),
         parameter.view(), blob);
}

void seal(Arguments& arguments, Session& session, core::ByteView context, core::ByteView content) {
  const auto& p11 = fuzz::token();
  const auto param = fuzz::copied(arguments, context);
  const auto bytes = fuzz::copied(arguments, content);
  CK_MECHANISM mechanism{CKM_TS_SEAL, param.data, param.size};
  for (const auto* const label : {"encd-oem", "further-oem"}) {
    if (p11->C_EncryptInit(session.handle(), &mechanism, p11.key(label, CKO_SECRET_KEY)) !=
        CKR_OK) {
      continue;
    }
    const auto sealed = fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
      return p11->C_Encrypt(session.handle(), bytes.data, bytes.size, out, size);
    });
    const auto expected = core::sealed_length(content.size());
    fuzz::expect(sealed.empty() || sealed.size() == *expected, "sealed bytes have their length");
  }
  for (const auto object :
       {p11.key("readable", CKO_SECRET_KEY), p11.key("p256-readable", CKO_PRIVATE_KEY)}) {
    (void)fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
      return p11->C_WrapKey(session.handle(), &mechanism, p11.key("enck-oem", CKO_SECRET_KEY),
                            object, out, size);
    });
  }
}

void tag(Arguments& arguments, Session& session, core::Bytes head, bool sign) {
  const auto& p11 = fuzz::token();
  // header ‖ entries ‖ key ‖ signature
  if (sign && head.size() >= 192) {
    const auto at = head.size() - 192;
    std::ranges::copy(fuzz::world().oem.public_xy(),
                      head.begin() + static_cast<std::ptrdiff_t>(at));
    sign_end(head, fuzz::world().oem, 96);
  }
  const auto bytes = fuzz::copied(arguments, head);
  CK_MECHANISM mechanism{CKM_AES_CMAC, nullptr, 0};
  if (p11->C_SignInit(session.handle(), &mechanism, p11.key("auth-oem", CKO_SECRET_KEY)) !=
      CKR_OK) {
    return;
  }
  auto made = fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
    return p11->C_Sign(session.handle(), bytes.data, bytes.size, out, size);
  });
  if (made.empty()) return;
  fuzz::expect(p11->C_VerifyInit(session.handle(), &mechanism,
                                 p11.key("auth-target", CKO_SECRET_KEY)) == CKR_OK &&
                   p11->C_Verify(session.handle(), bytes.data, bytes.size, made.data(),
                                 made.size()) == CKR_OK,
               "a target checks the tag that the OEM made");
}

void make(Arguments& arguments, Session& session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE base,
          core::ByteView parameter) {
  const auto param = fuzz::copied(arguments, parameter);
  CK_MECHANISM mechanism{type, param.data, param.size};
  CK_OBJECT_HANDLE made = 0;
  const auto rv =
      base == 0 ? fuzz::token()->C_GenerateKey(session.handle(), &mechanism, nullptr, 0, &made)
                : fuzz::token()->C_DeriveKey(session.handle(), &mechanism, base, nullptr, 0, &made);
  if (rv == CKR_OK) session.made(made);
}

void give_out(Arguments& arguments, Session& session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE by,
              CK_OBJECT_HANDLE key, core::ByteView parameter) {
  const auto param = fuzz::copied(arguments, parameter);
  CK_MECHANISM mechanism{type, param.data, param.size};
  (void)fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
    return fuzz::token()->C_WrapKey(session.handle(), &mechanism, by, key, out, size);
  });
}

// The parameter of CKM_TS_SHARE_FOR_DEVICE with the OEM's grant for what it says.
core::Bytes granted(core::ByteView parameter, Session& session) {
  const auto& p11 = fuzz::token();
  const auto& world = fuzz::world();
  core::Bytes out(parameter.begin(), parameter.end());
  if (out.size() != 225) return out;
  std::array<std::uint8_t, 80> point{};
  CK_ATTRIBUTE wanted{CKA_EC_POINT, point.data(), point.size()};
  fuzz::expect(p11->C_GetAttributeValue(session.handle(), p11.key("device", CKO_PUBLIC_KEY),
                                        &wanted, 1) == CKR_OK &&
                   wanted.ulValueLen == 67,
               "the device key tells its point");
  fuzz::Input in(parameter.subspan(1));
  core::JobId job{};
  std::ranges::copy(in.take(job.size()), job.begin());
  (void)in.u64();
  const auto message = test::value(core::grant_message(
      world.crypto, world.share.context, job, in.u64(), core::ByteView(point).subspan(3, 64)));
  std::ranges::copy(world.oem.public_xy(), out.begin() + 33);
  std::ranges::copy(test::value(world.oem.sign(world.crypto, {message})), out.begin() + 129);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& p11 = fuzz::token();
  const auto& world = fuzz::world();
  fuzz::Input in(data, size);
  Arguments arguments(in);
  Session session;
  const auto step = in.u8();
  const bool sign = in.flag();
  // For a call with two pieces of bytes.
  const auto first = step % 14U == 5 || step % 14U == 6 ? in.chunk() : core::ByteView();
  const auto given = in.rest();
  core::Bytes bytes(given.begin(), given.end());
  switch (step % 14U) {
    case 0:
      unwrap(arguments, session, CKM_TS_OEM_SHARE_WRAP, p11.key("family", CKO_SECRET_KEY), {},
             bytes);
      break;
    case 1:
      regenerate(arguments, session, bytes, sign);
      break;
    case 2:
      unwrap(arguments, session, CKM_TS_SHARE_FOR_DEVICE, p11.key("device", CKO_PRIVATE_KEY), {},
             bytes);
      break;
    case 3:
      if (sign) sign_end(bytes, world.icm, 96);
      unwrap(arguments, session, CKM_TS_FAMILY_WRAP, p11.key("device", CKO_PRIVATE_KEY),
             world.fingerprint, bytes);
      break;
    case 4:
      if (sign && bytes.size() >= core::kSoftwarePrefix) {
        const auto signature = test::value(
            world.icm.sign(world.crypto, {core::ByteView(bytes).first(core::kSoftwareHeaderSize)}));
        std::ranges::copy(signature, bytes.begin() + core::kSoftwareHeaderSize);
      }
      create(arguments, session, CKO_TS_SOFTWARE, 0, bytes);
      break;
    case 5:
      seal(arguments, session, first, bytes);
      break;
    case 6:
      unwrap(arguments, session, CKM_TS_OPEN, p11.key("enck-target", CKO_SECRET_KEY), first, bytes);
      break;
    case 7:
      tag(arguments, session, std::move(bytes), sign);
      break;
    case 8:
      make(arguments, session, CKM_TS_ASSET_GENERATE, p11.key("share-oem", CKO_SECRET_KEY), bytes);
      break;
    case 9:
      make(arguments, session, CKM_TS_ASSET_KEY_DERIVE,
           p11.key(sign ? "master-oem" : "master-target", CKO_SECRET_KEY), bytes);
      break;
    case 10:
      make(arguments, session, CKM_TS_OEM_SHARE_GEN, 0, bytes);
      break;
    case 11:
      if (sign) {
        create(arguments, session, CKO_SECRET_KEY, CKK_TS_FAMILY, bytes);
      } else {
        make(arguments, session, CKM_TS_FAMILY_GEN, 0, bytes);
      }
      break;
    case 12:
      give_out(arguments, session, CKM_TS_SHARE_FOR_DEVICE, p11.key("part", CKO_PUBLIC_KEY),
               p11.key("share-oem", CKO_SECRET_KEY), sign ? granted(bytes, session) : bytes);
      break;
    default:
      for (const auto type :
           {CKM_TS_OEM_SHARE_WRAP, CKM_TS_MASTER_SHARE_WRAP, CKM_TS_FAMILY_WRAP}) {
        give_out(arguments, session, type, p11.key("family", CKO_SECRET_KEY),
                 p11.key("share-oem", CKO_SECRET_KEY), bytes);
      }
      break;
  }
  return 0;
}
