// How fast programs are with a key in our token by the provider, beside the same with the key in a
// file: EVP_DigestSign, TLS handshakes in memory. Both take turns in one process, and main() prints
// the ratios of their medians, in the processor's time: 1.00 is as fast as a key file.
#include <benchmark/benchmark.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/store.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "core/crypto/handles.h"
#include "tests/bench/module.h"
#include "tests/support/scratch.h"

namespace {

using namespace tallystick;
using namespace tallystick::bench;
using core::HandleDeleter;
using StorePtr = std::unique_ptr<OSSL_STORE_CTX, HandleDeleter<OSSL_STORE_close>>;
using InfoPtr = std::unique_ptr<OSSL_STORE_INFO, HandleDeleter<OSSL_STORE_INFO_free>>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, HandleDeleter<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, HandleDeleter<SSL_free>>;

void must(bool good, const char* what) {
  if (!good) stop(what);
}

struct Kind {
  const char* name;
  const char* algorithm;
  const char* option;
};
constexpr std::array kKinds = {Kind{"P-256", "EC", "P-256"}, Kind{"RSA-2048", "RSA", nullptr},
                               Kind{"Ed25519", "ED25519", nullptr}};

// The keys of all kinds, in our token and outside it, in one library context.
class Desk {
 public:
  Desk() {
    ::setenv("TALLYSTICK_HOME", folder_.file("tokens").c_str(), 1);
    ::setenv("TALLYSTICK_MODULE", TALLYSTICK_MODULE, 1);
    ::setenv("TALLYSTICK_PIN", std::string(kPin).c_str(), 1);
    module_ = Module::start(TALLYSTICK_MODULE);
    must(module_ != nullptr, "no module");
    lib_.reset(OSSL_LIB_CTX_new());
    const std::filesystem::path provider = TALLYSTICK_PROVIDER;
    OSSL_PROVIDER_set_default_search_path(lib_.get(), provider.parent_path().c_str());
    default_.reset(OSSL_PROVIDER_load(lib_.get(), "default"));
    ours_.reset(OSSL_PROVIDER_load(lib_.get(), "tallystick"));
    must(default_ && ours_, "no provider");
    for (const Kind& kind : kKinds) {
      keys_[std::string(kind.name) + " file"] = generate(kind, false);
      keys_[std::string(kind.name) + " token"] = generate(kind, true);
    }
  }

  EVP_PKEY* key(const std::string& name) { return keys_.at(name).get(); }
  OSSL_LIB_CTX* lib() { return lib_.get(); }

  static std::string uri(const std::string& kind) {
    return "pkcs11:token=" + std::string(kTokenLabel) + ";object=" + kind + ";type=private";
  }

 private:
  core::PkeyPtr generate(const Kind& kind, bool in_token) {
    const core::PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(
        lib_.get(), kind.algorithm, in_token ? "provider=tallystick" : "provider=default"));
    must(EVP_PKEY_keygen_init(context.get()) > 0, "no generation");
    std::string group = kind.option == nullptr ? "" : kind.option;
    std::string where = uri(kind.name);
    std::vector<OSSL_PARAM> params;
    if (!group.empty()) {
      params.push_back(OSSL_PARAM_construct_utf8_string("group", group.data(), 0));
    }
    if (in_token) {
      params.push_back(OSSL_PARAM_construct_utf8_string("tallystick_uri", where.data(), 0));
    }
    params.push_back(OSSL_PARAM_construct_end());
    EVP_PKEY* made = nullptr;
    must(EVP_PKEY_CTX_set_params(context.get(), params.data()) > 0 &&
             EVP_PKEY_generate(context.get(), &made) > 0,
         "no key");
    return core::PkeyPtr(made);
  }

  test::Scratch folder_;
  std::unique_ptr<Module> module_;
  core::LibCtxPtr lib_;
  core::ProviderPtr default_;
  core::ProviderPtr ours_;
  std::map<std::string, core::PkeyPtr> keys_;
};

Desk& desk() {
  // Never destroyed: the module is ended by nobody while the provider has sessions.
  static auto* shared = new Desk;
  return *shared;
}

void sign(benchmark::State& state, const std::string& name, const char* digest) {
  EVP_PKEY* key = desk().key(name);
  const std::string message(200, 'm');
  std::vector<unsigned char> signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  for (auto _ : state) {
    const core::MdCtxPtr context(EVP_MD_CTX_new());
    std::size_t size = signature.size();
    must(EVP_DigestSignInit_ex(context.get(), nullptr, digest, desk().lib(), nullptr, key,
                               nullptr) > 0 &&
             EVP_DigestSign(context.get(), signature.data(), &size,
                            reinterpret_cast<const unsigned char*>(message.data()),
                            message.size()) > 0,
         "not signed");
  }
}

core::X509Ptr certificate(EVP_PKEY* key) {
  core::X509Ptr made(X509_new_ex(desk().lib(), nullptr));
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_set_pubkey(made.get(), key);
  must(X509_sign(made.get(), key, EVP_sha256()) > 0, "no certificate");
  return made;
}

void handshake(benchmark::State& state, const std::string& name, int version) {
  EVP_PKEY* key = desk().key(name);
  const SslCtxPtr server(SSL_CTX_new_ex(desk().lib(), nullptr, TLS_server_method()));
  const SslCtxPtr client(SSL_CTX_new_ex(desk().lib(), nullptr, TLS_client_method()));
  const auto shown = certificate(key);
  must(SSL_CTX_use_certificate(server.get(), shown.get()) > 0 &&
           SSL_CTX_use_PrivateKey(server.get(), key) > 0 &&
           SSL_CTX_set_max_proto_version(server.get(), version) > 0,
       "no server");
  for (auto _ : state) {
    const SslPtr at_server(SSL_new(server.get()));
    const SslPtr at_client(SSL_new(client.get()));
    BIO* one = nullptr;
    BIO* other = nullptr;
    must(BIO_new_bio_pair(&one, 0, &other, 0) > 0, "no line");
    SSL_set_bio(at_server.get(), one, one);
    SSL_set_bio(at_client.get(), other, other);
    SSL_set_accept_state(at_server.get());
    SSL_set_connect_state(at_client.get());
    int rounds = 0;
    while (SSL_is_init_finished(at_server.get()) == 0 ||
           SSL_is_init_finished(at_client.get()) == 0) {
      SSL_do_handshake(at_client.get());
      SSL_do_handshake(at_server.get());
      must(++rounds < 20, "no handshake");
    }
  }
}

// Keeps the medians for the ratios.
class Medians : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const auto& run : runs) {
      if (run.run_type != Run::RT_Iteration) continue;
      times_[run.run_name.function_name].push_back(run.GetAdjustedCPUTime());
    }
    ConsoleReporter::ReportRuns(runs);
  }
  double median(const std::string& name) {
    auto& all = times_[name];
    if (all.empty()) return 0;
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
  }
  void ratio(const std::string& what, double goal) {
    const double file = median(what + " file");
    const double token = median(what + " token");
    if (token > 0) std::printf("%-32s %.2f   (goal %.2f)\n", what.c_str(), file / token, goal);
  }

 private:
  std::map<std::string, std::vector<double>> times_;
};

void add(const std::string& name, const std::function<void(benchmark::State&)>& body) {
  benchmark::RegisterBenchmark(name.c_str(), body)->Unit(benchmark::kMicrosecond)->Repetitions(9);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (const std::string where : {"file", "token"}) {
    for (const Kind& kind : kKinds) {
      const auto name = std::string(kind.name) + " " + where;
      const char* digest = std::string_view(kind.name) == "Ed25519" ? nullptr : "SHA256";
      add("sign " + name, [=](auto& state) { sign(state, name, digest); });
    }
    for (const char* kind : {"P-256", "RSA-2048"}) {
      const auto name = std::string(kind) + " " + where;
      add("TLS 1.3 " + name, [=](auto& state) { handshake(state, name, TLS1_3_VERSION); });
      add("TLS 1.2 " + name, [=](auto& state) { handshake(state, name, TLS1_2_VERSION); });
    }
  }

  Medians medians;
  benchmark::RunSpecifiedBenchmarks(&medians);
  std::printf("\nspeed with the key in the token, of the speed with a key file\n");
  medians.ratio("sign P-256", 0.80);
  medians.ratio("sign RSA-2048", 0.95);
  medians.ratio("sign Ed25519", 0.80);
  for (const char* version : {"TLS 1.3 ", "TLS 1.2 "}) {
    for (const char* kind : {"P-256", "RSA-2048"}) medians.ratio(std::string(version) + kind, 0.90);
  }
  benchmark::Shutdown();
  return 0;
}
