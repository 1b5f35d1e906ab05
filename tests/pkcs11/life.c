/* A process that loads the module, uses it and ends, in an order that its arguments give.
 *
 *   life MODULE [WORD...]
 *
 * Each word is one step; a word that fails ends the process with status 1. With a dash before it
 * (-final) a word may also be refused: what counts is that nothing crashes. Built with LIFE_LINKED
 * the program has the module among its own libraries, and MODULE is only what "load" opens again.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char* module_path;
static void* library;
static CK_FUNCTION_LIST* p11;
static CK_SESSION_HANDLE session;
static CK_OBJECT_HANDLE private_key, public_key, secret_key;
static CK_BYTE so_pin[] = "so's own", user_pin[] = "user's";
static CK_BYTE text[] = "what is signed";

typedef CK_RV step_function(void);

static CK_RV load(void) {
  CK_C_GetFunctionList get;
  library = dlopen(module_path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return CKR_GENERAL_ERROR;
  }
  *(void**)&get = dlsym(library, "C_GetFunctionList");
  return get == NULL ? CKR_GENERAL_ERROR : get(&p11);
}

static CK_RV unload(void) {
  const int failed = dlclose(library);
  library = NULL;
  return failed ? CKR_GENERAL_ERROR : CKR_OK;
}

#ifdef LIFE_LINKED
static CK_RV linked(void) { return C_GetFunctionList(&p11); }
#endif

/* The module once more, by another name of the same file: one module, already initialised. */
static CK_RV load_link(void) {
  char path[] = "/tmp/life-XXXXXX", name[64];
  CK_C_GetFunctionList get = NULL;
  CK_FUNCTION_LIST* other = NULL;
  void* again = NULL;
  if (mkdtemp(path) == NULL) return CKR_HOST_MEMORY;
  snprintf(name, sizeof name, "%s/other.so", path);
  if (symlink(module_path, name) == 0) again = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  unlink(name);
  rmdir(path);
  if (again != NULL) *(void**)&get = dlsym(again, "C_GetFunctionList");
  if (get == NULL || get(&other) != CKR_OK) return CKR_GENERAL_ERROR;
  if (other->C_Initialize(NULL) != CKR_CRYPTOKI_ALREADY_INITIALIZED) return CKR_FUNCTION_FAILED;
  return dlclose(again) ? CKR_GENERAL_ERROR : CKR_OK;
}

static CK_RV init(void) { return p11->C_Initialize(NULL); }
static CK_RV final(void) { return p11->C_Finalize(NULL); }

static CK_RV open_on(CK_SLOT_ID slot) {
  return p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
}
static CK_RV open_session(void) { return open_on(0); }
static CK_RV close_session(void) { return p11->C_CloseSession(session); }
static CK_RV login(void) { return p11->C_Login(session, CKU_USER, user_pin, sizeof user_pin - 1); }

static CK_RV make_token(void) {
  CK_UTF8CHAR label[33] = "life                            ";
  CK_RV rv = p11->C_InitToken(0, so_pin, sizeof so_pin - 1, label);
  if (rv == CKR_OK) rv = open_session();
  if (rv == CKR_OK) rv = p11->C_Login(session, CKU_SO, so_pin, sizeof so_pin - 1);
  if (rv == CKR_OK) rv = p11->C_InitPIN(session, user_pin, sizeof user_pin - 1);
  if (rv == CKR_OK) rv = close_session();
  return rv;
}

static CK_RV pair(void) {
  CK_BYTE p256[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
  CK_ATTRIBUTE public[] = {{CKA_EC_PARAMS, p256, sizeof p256}};
  CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
  return p11->C_GenerateKeyPair(session, &mechanism, public, 1, NULL, 0, &public_key, &private_key);
}

/* Something to sign with that no login is needed for. */
static CK_RV secret(void) {
  CK_ULONG length = 32;
  CK_BBOOL no = CK_FALSE;
  CK_ATTRIBUTE attributes[] = {{CKA_VALUE_LEN, &length, sizeof length},
                               {CKA_PRIVATE, &no, sizeof no}};
  CK_MECHANISM mechanism = {CKM_GENERIC_SECRET_KEY_GEN, NULL, 0};
  return p11->C_GenerateKey(session, &mechanism, attributes, COUNT(attributes), &secret_key);
}

static CK_RV sign_with(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key, CK_OBJECT_HANDLE check) {
  CK_BYTE signature[64];
  CK_ULONG size = sizeof signature;
  CK_MECHANISM mechanism = {type, NULL, 0};
  CK_RV rv = p11->C_SignInit(session, &mechanism, key);
  if (rv == CKR_OK) rv = p11->C_Sign(session, text, sizeof text, signature, &size);
  if (rv == CKR_OK) rv = p11->C_VerifyInit(session, &mechanism, check);
  if (rv == CKR_OK) rv = p11->C_Verify(session, text, sizeof text, signature, size);
  return rv;
}
static CK_RV sign(void) { return sign_with(CKM_ECDSA_SHA256, private_key, public_key); }
static CK_RV mac(void) { return sign_with(CKM_SHA256_HMAC, secret_key, secret_key); }

static CK_RV find(void) {
  CK_OBJECT_HANDLE found[16];
  CK_ULONG count;
  CK_RV rv = p11->C_FindObjectsInit(session, NULL, 0);
  if (rv == CKR_OK) rv = p11->C_FindObjects(session, found, COUNT(found), &count);
  if (rv == CKR_OK) rv = p11->C_FindObjectsFinal(session);
  return rv == CKR_OK && count == 0 ? CKR_FUNCTION_FAILED : rv;
}

/* Operations that are never ended. */
static CK_RV begin(void) {
  CK_MECHANISM mac_mechanism = {CKM_SHA256_HMAC, NULL, 0}, digest = {CKM_SHA256, NULL, 0};
  CK_RV rv = p11->C_SignInit(session, &mac_mechanism, secret_key);
  if (rv == CKR_OK) rv = p11->C_SignUpdate(session, text, sizeof text);
  if (rv == CKR_OK) rv = p11->C_DigestInit(session, &digest);
  if (rv == CKR_OK) rv = p11->C_DigestUpdate(session, text, sizeof text);
  if (rv == CKR_OK) rv = p11->C_FindObjectsInit(session, NULL, 0);
  return rv;
}

/* The program's own use of OpenSSL, before or after the module's. */
static CK_RV openssl(void) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  return EVP_Digest(text, sizeof text, digest, NULL, EVP_sha256(), NULL) == 1 ? CKR_OK
                                                                              : CKR_GENERAL_ERROR;
}
static CK_RV cleanup(void) {
  OPENSSL_cleanup();
  return CKR_OK;
}

/* What programs call from their exit handlers; the answers do not matter then. */
static void late_calls(void) {
  CK_INFO info;
  CK_BYTE random[8];
  if (p11 == NULL) return;
  (void)p11->C_GetInfo(&info);
  (void)p11->C_GenerateRandom(session, random, sizeof random);
  (void)p11->C_CloseSession(session);
  (void)p11->C_Finalize(NULL);
  (void)p11->C_Initialize(NULL);
  (void)p11->C_Finalize(NULL);
}
static CK_RV late(void) { return atexit(late_calls) == 0 ? CKR_OK : CKR_HOST_MEMORY; }
static CK_RV late_openssl(void) { return OPENSSL_atexit(late_calls) ? CKR_OK : CKR_HOST_MEMORY; }

static CK_RV exit_here(void) { exit(0); }
static void* exit_thread(void* unused) {
  (void)unused;
  exit(0);
}
static CK_RV exit_in_thread(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, exit_thread, NULL) != 0) return CKR_HOST_MEMORY;
  (void)pthread_join(thread, NULL);
  return CKR_GENERAL_ERROR; /* not reached: the process ends meanwhile */
}
static void* login_thread(void* unused) {
  (void)unused;
  return login() == CKR_OK && mac() == CKR_OK ? NULL : &session;
}
/* A thread that has been in the module and is gone before the process ends. */
static CK_RV in_thread(void) {
  pthread_t thread;
  void* failed = NULL;
  if (pthread_create(&thread, NULL, login_thread, NULL) != 0) return CKR_HOST_MEMORY;
  (void)pthread_join(thread, &failed);
  return failed ? CKR_FUNCTION_FAILED : CKR_OK;
}

static const struct {
  const char* word;
  step_function* run;
} steps[] = {{"load", load},
             {"unload", unload},
             {"load-link", load_link},
#ifdef LIFE_LINKED
             {"linked", linked},
#endif
             {"init", init},
             {"final", final},
             {"make-token", make_token},
             {"session", open_session},
             {"close", close_session},
             {"login", login},
             {"pair", pair},
             {"secret", secret},
             {"sign", sign},
             {"mac", mac},
             {"find", find},
             {"begin", begin},
             {"openssl", openssl},
             {"cleanup", cleanup},
             {"late", late},
             {"late-openssl", late_openssl},
             {"in-thread", in_thread},
             {"exit", exit_here},
             {"exit-thread", exit_in_thread}};

static void run(const char* word) {
  const int may_fail = word[0] == '-';
  size_t i;
  CK_RV rv;
  for (i = 0; i < COUNT(steps) && strcmp(word + may_fail, steps[i].word) != 0; ++i) continue;
  if (i == COUNT(steps)) {
    fprintf(stderr, "life: no step \"%s\"\n", word);
    exit(2);
  }
  rv = steps[i].run();
  if (rv == CKR_OK || may_fail) return;
  fprintf(stderr, "life: %s: 0x%lx\n", word, rv);
  _exit(1);
}

/* What a process holds: a leak in any of these shows after many rounds. */
struct held {
  long resident_kib, descriptors, mappings;
  size_t allocated;
};

static long entries(const char* directory) {
  DIR* open = opendir(directory);
  long count = 0;
  while (open != NULL && readdir(open) != NULL) ++count;
  if (open != NULL) closedir(open);
  return count;
}

static struct held held_now(void) {
  struct held now = {0, entries("/proc/self/fd"), 0, mallinfo2().uordblks};
  long size = 0;
  int c;
  FILE* file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%ld %ld", &size, &now.resident_kib) != 2) exit(2);
  now.resident_kib *= sysconf(_SC_PAGESIZE) / 1024;
  fclose(file);
  file = fopen("/proc/self/maps", "r");
  if (file == NULL) exit(2);
  while ((c = getc(file)) != EOF) now.mappings += c == '\n';
  fclose(file);
  return now;
}

/* Whole lives, one after the other. A login hashes its PIN and is slow, so each hundredth has one.
 */
static int rounds(int count, int check) {
  static const char* const before[] = {"load", "init", "session", "secret", "mac", "find"};
  static const char* const with_login[] = {"login", "pair", "sign"};
  static const char* const after[] = {"close", "final", "unload"};
  struct held first = {0, 0, 0, 0}, last;
  int round;
  size_t i;
  for (round = 1; round <= count; ++round) {
    for (i = 0; i < COUNT(before); ++i) run(before[i]);
    for (i = 0; i < COUNT(with_login) && round % 100 == 0; ++i) run(with_login[i]);
    for (i = 0; i < COUNT(after); ++i) run(after[i]);
    if (round == 100) first = held_now();
  }
  last = held_now();
  printf(
      "rounds 100 to %d: %ld to %ld KiB resident, %zu to %zu bytes allocated, %ld to %ld "
      "descriptors, %ld to %ld mappings\n",
      count, first.resident_kib, last.resident_kib, first.allocated, last.allocated,
      first.descriptors, last.descriptors, first.mappings, last.mappings);
  if (!check) return 0;
  if (last.descriptors != first.descriptors || last.mappings > first.mappings) return 1;
  /* A round that leaves a byte behind shows here. */
  if (last.allocated > first.allocated + 64) return 1;
  /* Pages come and go. */
  return last.resident_kib > first.resident_kib + 256 ? 1 : 0;
}

int main(int argc, char** argv) {
  int i;
  if (argc < 2) return 2;
  module_path = argv[1];
  for (i = 2; i < argc; ++i) {
    if (strncmp(argv[i], "rounds=", 7) == 0) return rounds(atoi(argv[i] + 7), 1);
    /* Where another allocator counts. */
    if (strncmp(argv[i], "repeat=", 7) == 0) return rounds(atoi(argv[i] + 7), 0);
    run(argv[i]);
  }
  return 0;
}
