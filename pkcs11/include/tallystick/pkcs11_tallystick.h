/* Vendor numbers of the Tallystick token: key types, an object class, attributes and mechanisms.
 *
 * Include a PKCS#11 header first (p11-kit's or any other that has CK_ULONG). There is no vendor
 * function: everything here is reached through the standard C_* functions. Numbers are published
 * and never reused.
 *
 * Mechanism parameters are flat bytes without pointers; integers in them are big-endian. u8, u16,
 * u32, u64 name their widths, (n) a field of n bytes, and X || Y the two coordinates of a public
 * key (P-384: 48 bytes each). "Profile" is the TS1 profile in docs/.
 */
#ifndef TALLYSTICK_PKCS11_TALLYSTICK_H
#define TALLYSTICK_PKCS11_TALLYSTICK_H

/* Bit 31 marks vendor numbers, "TS" stands in the middle, bit 30 stays clear because it marks
 * attributes that are arrays. */
#define TS_VENDOR(n) (0x80545300UL | (n))

/* ---- Object class ---- */

/* Provisioning software. C_CreateObject with CKA_VALUE = the TSSW image (profile section 7) checks
 * the image against the family in the token and replaces an older one in one transaction. Public;
 * carries CKA_LABEL, CKA_TS_FAMILY_ID and CKA_TS_SW_VERSION; cannot be destroyed or changed. */
#define CKO_TS_SOFTWARE TS_VENDOR(0x01UL)

/* ---- Key types; the class is CKO_SECRET_KEY ---- */

/* Everything of the immutable portion of one part family: shares, K_OEM_SHARE, K_OEM_MASTER_SHARE
 * (absent in a station token), K_PUK_ICM_PROV, flags. Not destroyable, not extractable; survives
 * C_InitToken and C_InitPIN. Leaves only by CKM_TS_FAMILY_WRAP, role ICM. Profile section 1. */
#define CKK_TS_FAMILY TS_VENDOR(0x01UL)
/* OEM_SHARE, with RND_SHARE and OEM_RND_INPUT inside when it was made or regenerated here. Profile
 * section 3, function F. */
#define CKK_TS_OEM_SHARE TS_VENDOR(0x02UL)
/* K_MK: the master key of one share set. Never wrapped. Profile section 3, function G. */
#define CKK_TS_MASTER_KEY TS_VENDOR(0x03UL)
/* K_ENCK, K_ENCD or a key for a further data type; CKA_TS_LABEL says which. Never wrapped. Profile
 * section 3, KDF. */
#define CKK_TS_ASSET_KEY TS_VENDOR(0x04UL)

/* ---- Attributes; read-only to callers ---- */

#define CKA_TS_FAMILY_ID TS_VENDOR(0x11UL)      /* 16 bytes */
#define CKA_TS_OEM_ID TS_VENDOR(0x12UL)         /* 32 bytes: SHA-256 of the OEM's X || Y */
#define CKA_TS_SHARE_ID TS_VENDOR(0x13UL)       /* 16 bytes: names one share set in public */
#define CKA_TS_SW_FLOOR TS_VENDOR(0x14UL)       /* CK_ULONG: lowest software that may use it */
#define CKA_TS_ROLE TS_VENDOR(0x15UL)           /* CK_ULONG: one of CK_TS_ROLE_... */
#define CKA_TS_SUITE TS_VENDOR(0x16UL)          /* CK_ULONG: 1 AES-256-GCM, 2 AES-256-CCM */
#define CKA_TS_LABEL TS_VENDOR(0x17UL)          /* KDF label, ASCII, e.g. "TS1/ENCK" */
#define CKA_TS_DEVICE_ID TS_VENDOR(0x18UL)      /* 32 bytes: SHA-256(X || Y) of the device key */
#define CKA_TS_SW_VERSION TS_VENDOR(0x19UL)     /* CK_ULONG: installed software; 0 if none */
#define CKA_TS_ICM_PUBLIC_KEY TS_VENDOR(0x1AUL) /* 96 bytes: K_PUK_ICM_PROV, X || Y */
#define CKA_TS_FAMILY_FLAGS TS_VENDOR(0x1BUL)   /* CK_ULONG: CK_TS_FAMILY_... */
#define CKA_TS_NONCE                                             \
  TS_VENDOR(0x1CUL) /* 32 bytes, on the device key: for the next \
                       consent to regeneration; new after use */

/* CKA_TS_ROLE of a family: what this token is in it. */
#define CK_TS_ROLE_ICM 1UL
#define CK_TS_ROLE_PROVISIONING 2UL
#define CK_TS_ROLE_STATION 3UL
#define CK_TS_ROLE_PART 4UL
/* CKA_TS_ROLE of a share and of everything derived from it; inherited, never changed. */
#define CK_TS_ROLE_OEM 5UL    /* made or regenerated here: seals, signs tags, generates assets */
#define CK_TS_ROLE_TARGET 6UL /* opened from a blob of role 1 or 3: opens and checks */

/* CKA_TS_FAMILY_FLAGS; not both. */
#define CK_TS_FAMILY_UNIFORM 1UL
#define CK_TS_FAMILY_COUNTED 2UL

/* ---- Mechanisms ----
 * All but the first two need the installed provisioning software to permit the operation (profile
 * section 7); otherwise CKR_KEY_FUNCTION_NOT_PERMITTED. A parameter of the wrong length or content
 * gives CKR_MECHANISM_PARAM_INVALID; bytes that do not open, whatever the cause, one error:
 * CKR_WRAPPED_KEY_INVALID for keys, CKR_ENCRYPTED_DATA_INVALID for data. */

/* C_GenerateKey: a family is born, role ICM.
 * Parameter: family_id(16) || u8 flags || u8 further shares (0 to 6) || K_PUK_ICM_PROV(96);
 * 114 bytes. */
#define CKM_TS_FAMILY_GEN TS_VENDOR(0x21UL)

/* C_WrapKey: parameter u8 role (2, 3 or 4). The wrapping key is the recipient's device public key;
 * a certificate for the same key, issued under the family's K_PUK_ICM_PROV, must be in the token.
 * The result lacks its signature(96), which the holder of K_PRK_ICM_PROV appends.
 * C_UnwrapKey with the own device key: parameter SHA-256(K_PUK_ICM_PROV)(32), which came by another
 * way than the blob. */
#define CKM_TS_FAMILY_WRAP TS_VENDOR(0x22UL)

/* C_GenerateKey: OEM_SHARE, role OEM.
 * Parameter: family_id(16) || oem_id(32) || u32 sw_floor || OEM_RND_INPUT(16 to 64); 68 to 116
 * bytes. */
#define CKM_TS_OEM_SHARE_GEN TS_VENDOR(0x24UL)

/* C_WrapKey, C_UnwrapKey with a family: OEM_SHARE <-> share blob of role 1 (184 bytes). Parameter:
 * wrap u8 suite; unwrap none. Unwrapping gives role target. Neither in a counted family. */
#define CKM_TS_OEM_SHARE_WRAP TS_VENDOR(0x25UL)

/* C_WrapKey, C_UnwrapKey with a family: OEM_SHARE <-> share blob of role 2. Parameter: wrap
 * u8 suite; unwrap OEM X || Y (96) || consent signature(96). Unwrapping is regeneration, role
 * OEM; it uses up CKA_TS_NONCE of the device key. */
#define CKM_TS_MASTER_SHARE_WRAP TS_VENDOR(0x26UL)

/* C_WrapKey with a device public key, certified as for CKM_TS_FAMILY_WRAP: OEM_SHARE -> share blob
 * of role 3 (704 bytes). Parameter: u8 suite || job_id(16) || u64 number || u64 limit ||
 * OEM X || Y (96) || grant(96); 225 bytes. C_UnwrapKey with the own device key: no parameter; role
 * target. */
#define CKM_TS_SHARE_FOR_DEVICE TS_VENDOR(0x27UL)

/* C_DeriveKey: OEM_SHARE -> K_MK. No parameter. */
#define CKM_TS_MASTER_KEY_DERIVE TS_VENDOR(0x28UL)

/* C_DeriveKey: K_MK -> asset key. Parameter: u8 suite || label ("TS1/ENCK", "TS1/ENCD",
 * "TS1/AUTH", "TS1/PROOF", "TS1/X/<name>"). */
#define CKM_TS_ASSET_KEY_DERIVE TS_VENDOR(0x29UL)

/* C_DeriveKey: OEM_SHARE of role OEM -> a generated asset (profile section 3, function H).
 * Parameter: u8 type || u32 index || u32 length (0 unless CK_TS_ASSET_BYTES) || name(1 to 32). */
#define CKM_TS_ASSET_GENERATE TS_VENDOR(0x2AUL)
#define CK_TS_ASSET_AES128 1
#define CK_TS_ASSET_AES256 2
#define CK_TS_ASSET_HMAC256 3
#define CK_TS_ASSET_P256 4
#define CK_TS_ASSET_P384 5
#define CK_TS_ASSET_ED25519 6
#define CK_TS_ASSET_BYTES 7

/* C_Encrypt... with K_ENCD or a key for a further data type, C_WrapKey with K_ENCK; role OEM.
 * Parameter: the whole context of profile section 6. With a NULL output buffer the lengths in it
 * are not compared yet. */
#define CKM_TS_SEAL TS_VENDOR(0x2BUL)

/* C_UnwrapKey with K_ENCK; role target. Parameter as for CKM_TS_SEAL. A key comes out sensitive,
 * not extractable, with the uses that the entry's flags grant and no others. C_Decrypt... answers
 * CKR_KEY_FUNCTION_NOT_PERMITTED unless the token is the part. */
#define CKM_TS_OPEN TS_VENDOR(0x2CUL)

#endif
