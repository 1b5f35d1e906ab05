/* Makes shares on a Tallystick token and seals an asset, in C, through the standard C_* functions.
 *
 *   cc -I<include> $(pkg-config --cflags p11-kit-1) seal.c -ldl -o seal
 *   seal <libtallystick.so> <token label> <PIN> <OEM id in hex> < firmware > sealed
 *
 * The token holds a family and its provisioning software. Vendor mechanisms take their parameters
 * as flat bytes, integers big-endian. What comes out: the share blob for the parts (184 bytes), the
 * sealing context (218 bytes), the sealed firmware. docs/formats.md says what is in each. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <p11-kit/pkcs11.h>

#include "tallystick/pkcs11_tallystick.h"

enum { kMost = 1 << 20, kSuiteGcm = 1, kContext = 218, kShareBlob = 184 };

static CK_FUNCTION_LIST* p11;

static void check(CK_RV rv, const char* what) {
  if (rv == CKR_OK) return;
  fprintf(stderr, "%s: 0x%08lX\n", what, rv);
  exit(1);
}

static unsigned char* put(unsigned char* to, const void* from, size_t size) {
  memcpy(to, from, size);
  return to + size;
}

static unsigned char* put_number(unsigned char* to, unsigned long value, int width) {
  for (int i = width - 1; i >= 0; --i) *to++ = (unsigned char)(value >> (8 * i));
  return to;
}

static void attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                      void* out, CK_ULONG size) {
  CK_ATTRIBUTE wanted = {type, out, size};
  check(p11->C_GetAttributeValue(session, object, &wanted, 1), "C_GetAttributeValue");
}

static CK_SESSION_HANDLE log_in(const char* label, char* pin) {
  CK_SLOT_ID slots[64];
  CK_ULONG count = 0;
  check(p11->C_GetSlotList(CK_TRUE, NULL, &count), "C_GetSlotList");
  if (count > 64) count = 64;
  check(p11->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_TOKEN_INFO info;
    CK_SESSION_HANDLE session = 0;
    if (p11->C_GetTokenInfo(slots[i], &info) != CKR_OK) continue;
    if (memcmp(info.label, label, strlen(label)) != 0) continue;
    check(p11->C_OpenSession(slots[i], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
          "C_OpenSession");
    check(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)pin, strlen(pin)), "C_Login");
    return session;
  }
  fprintf(stderr, "no token labelled %s\n", label);
  exit(1);
}

static CK_OBJECT_HANDLE find_family(CK_SESSION_HANDLE session) {
  CK_KEY_TYPE type = CKK_TS_FAMILY;
  CK_ATTRIBUTE pattern = {CKA_KEY_TYPE, &type, sizeof type};
  CK_OBJECT_HANDLE family = 0;
  CK_ULONG count = 0;
  check(p11->C_FindObjectsInit(session, &pattern, 1), "C_FindObjectsInit");
  check(p11->C_FindObjects(session, &family, 1, &count), "C_FindObjects");
  check(p11->C_FindObjectsFinal(session), "C_FindObjectsFinal");
  if (count == 1) return family;
  fprintf(stderr, "no family in the token\n");
  exit(1);
}

int main(int argc, char** argv) {
  static unsigned char firmware[kMost];
  static unsigned char sealed[kMost + kMost / 64];
  unsigned char family_id[16];
  unsigned char oem_id[32];
  unsigned char share_id[16];
  unsigned char parameter[128];
  unsigned char context[kContext] = {0};
  unsigned char blob[kShareBlob];
  unsigned char suite = kSuiteGcm;
  unsigned char* end = NULL;
  if (argc != 5 || strlen(argv[4]) != 64) {
    fprintf(stderr, "usage: seal <module> <token label> <PIN> <OEM id, 64 hex digits>\n");
    return 2;
  }
  for (size_t i = 0; i < sizeof oem_id; ++i) {
    unsigned int byte = 0;
    if (sscanf(argv[4] + 2 * i, "%2x", &byte) != 1) return 2;
    oem_id[i] = (unsigned char)byte;
  }
  const size_t length = fread(firmware, 1, sizeof firmware, stdin);

  void* const library = dlopen(argv[1], RTLD_NOW);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  CK_C_GetFunctionList get = NULL;
  *(void**)&get = dlsym(library, "C_GetFunctionList");
  if (get == NULL) return 1;
  check(get(&p11), "C_GetFunctionList");
  check(p11->C_Initialize(NULL), "C_Initialize");
  const CK_SESSION_HANDLE session = log_in(argv[2], argv[3]);
  const CK_OBJECT_HANDLE family = find_family(session);
  attribute(session, family, CKA_TS_FAMILY_ID, family_id, sizeof family_id);

  /* F: OEM_SHARE from the token's random share and our own random input. */
  end = put(put(parameter, family_id, 16), oem_id, 32);
  end = put_number(end, 1, 4);
  check(p11->C_GenerateRandom(session, end, 32), "C_GenerateRandom");
  CK_MECHANISM gen = {CKM_TS_OEM_SHARE_GEN, parameter, (CK_ULONG)(end + 32 - parameter)};
  CK_OBJECT_HANDLE share = 0;
  check(p11->C_GenerateKey(session, &gen, NULL, 0, &share), "CKM_TS_OEM_SHARE_GEN");
  attribute(session, share, CKA_TS_SHARE_ID, share_id, sizeof share_id);

  /* G and the KDF: K_MK, then K_ENCD. */
  CK_MECHANISM to_master = {CKM_TS_MASTER_KEY_DERIVE, NULL, 0};
  CK_OBJECT_HANDLE master = 0;
  check(p11->C_DeriveKey(session, &to_master, share, NULL, 0, &master), "K_MK");
  unsigned char label[] = {kSuiteGcm, 'T', 'S', '1', '/', 'E', 'N', 'C', 'D'};
  CK_MECHANISM to_asset = {CKM_TS_ASSET_KEY_DERIVE, label, sizeof label};
  CK_OBJECT_HANDLE key = 0;
  check(p11->C_DeriveKey(session, &to_asset, master, NULL, 0, &key), "K_ENCD");

  /* The context: a package of one asset. */
  const unsigned long sealed_length = 56 + length + 16 * (length / 16384 + 1);
  end = put(context, "TS1/ASSET", 10);
  end = put(end, "TSPK", 4);
  end = put_number(put_number(put_number(end, 1, 2), kSuiteGcm, 1), 1, 1);
  end = put_number(put_number(end, 1, 4), 1, 4);
  end = put(put(put(end, family_id, 16), oem_id, 32), share_id, 16);
  end = put_number(put_number(end, 0, 8), sealed_length, 8) + 32;
  end = put_number(put_number(put_number(put_number(end, 1, 2), 0, 1), 0, 1), 0, 4);
  end = put_number(put_number(put_number(end, 0, 8), length, 8), sealed_length, 8);
  (void)put(end, "firmware", 8);
  (void)put_number(context + kContext - 16, 1, 4);

  CK_MECHANISM seal = {CKM_TS_SEAL, context, sizeof context};
  CK_ULONG size = sizeof sealed;
  check(p11->C_EncryptInit(session, &seal, key), "CKM_TS_SEAL");
  check(p11->C_Encrypt(session, firmware, length, sealed, &size), "C_Encrypt");

  /* What the parts need to open it. */
  CK_MECHANISM wrap = {CKM_TS_OEM_SHARE_WRAP, &suite, 1};
  CK_ULONG blob_size = sizeof blob;
  check(p11->C_WrapKey(session, &wrap, family, share, blob, &blob_size), "CKM_TS_OEM_SHARE_WRAP");

  fprintf(stderr, "%zu bytes sealed to %lu\n", length, size);
  if (fwrite(blob, 1, blob_size, stdout) != blob_size ||
      fwrite(context, 1, sizeof context, stdout) != sizeof context ||
      fwrite(sealed, 1, size, stdout) != size || fflush(stdout) != 0) {
    fprintf(stderr, "cannot write\n");
    return 1;
  }
  check(p11->C_Finalize(NULL), "C_Finalize");
  return 0;
}
