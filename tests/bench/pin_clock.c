// Loaded before everything else into one run of openssl (LD_PRELOAD): tells the derivation of the
// key from the PIN apart, which a key file has nothing of. Each derivation by scrypt adds a line to
// the file that TALLYSTICK_PIN_CLOCK names: seconds of the processor, seconds of the clock, page
// faults. In C, so that nothing comes with it.
#define _GNU_SOURCE  // RTLD_NEXT
#include <dlfcn.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

typedef int (*derive_function)(EVP_KDF_CTX*, unsigned char*, size_t, const OSSL_PARAM*);

static double seconds(clockid_t clock) {
  struct timespec time = {0, 0};
  (void)clock_gettime(clock, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static long page_faults(void) {
  struct rusage used;
  return getrusage(RUSAGE_SELF, &used) == 0 ? used.ru_minflt : 0;
}

__attribute__((visibility("default"))) int EVP_KDF_derive(EVP_KDF_CTX* context, unsigned char* key,
                                                          size_t size, const OSSL_PARAM params[]) {
  union {
    void* object;
    derive_function function;
  } real = {dlsym(RTLD_NEXT, "EVP_KDF_derive")};
  const char* const report = getenv("TALLYSTICK_PIN_CLOCK");
  if (report == NULL || EVP_KDF_is_a(EVP_KDF_CTX_kdf(context), "SCRYPT") == 0) {
    return real.function(context, key, size, params);
  }
  const long faults = page_faults();
  const double processor = seconds(CLOCK_PROCESS_CPUTIME_ID);
  const double clock = seconds(CLOCK_MONOTONIC);
  const int derived = real.function(context, key, size, params);
  const double used = seconds(CLOCK_PROCESS_CPUTIME_ID) - processor;
  const double passed = seconds(CLOCK_MONOTONIC) - clock;
  FILE* const file = fopen(report, "a");
  if (file != NULL) {
    (void)fprintf(file, "%.9f %.9f %ld\n", used, passed, page_faults() - faults);
    (void)fclose(file);
  }
  return derived;
}
