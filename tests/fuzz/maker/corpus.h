// The corpora, room by room, and the seed token that they are made for.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/reader.h"

namespace tallystick::fuzz::maker {

// tests/fuzz, below which everything goes.
class Corpus {
 public:
  explicit Corpus(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // corpus/<target>/<name>
  void add(const std::string& target, const std::string& name, core::ByteView bytes) const;
  void add(const std::string& target, const std::string& name, std::string_view text) const {
    add(target, name, core::bytes_of(text));
  }
  // seed/<name>, which all targets read.
  void seed(const std::string& name, core::ByteView bytes) const;
  [[nodiscard]] std::filesystem::path seed_folder() const { return folder_ / "seed"; }

 private:
  std::filesystem::path folder_;
};

// A package of the world's OEM: of every kind of asset, or with one of several chunks.
core::Bytes small_package();
core::Bytes chunked_package();

void make_seed_token(const Corpus& corpus);
void make_core(const Corpus& corpus);
void make_pkcs11(const Corpus& corpus);
void make_devicesim(const Corpus& corpus);
void make_tools(const Corpus& corpus);

}  // namespace tallystick::fuzz::maker
