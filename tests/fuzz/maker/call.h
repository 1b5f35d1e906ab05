// Call writes an input the way fuzz::Arguments reads one, with names where the input has numbers.
#pragma once

#include <filesystem>
#include <optional>

#include "tallystick/pkcs11_tallystick.h"
#include "tests/fuzz/maker/corpus.h"
#include "tests/fuzz/support/argument_lists.h"
#include "tests/fuzz/support/token_names.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::fuzz::maker {

using core::Bytes;
using core::ByteView;
using test::must;
using test::value;

template <typename List, typename T>
std::uint8_t place_in(const List& list, const T& wanted) {
  const auto found = std::ranges::find(list, wanted);
  if (found == list.end()) throw std::runtime_error("not in the fuzzers' lists");
  return static_cast<std::uint8_t>(found - list.begin());
}

class Call {
 public:
  Call& u8(unsigned value) {
    out_.u8(static_cast<std::uint8_t>(value));
    return *this;
  }
  Call& number(std::uint64_t value) {
    if (value < 0xF0) return u8(static_cast<unsigned>(value));
    out_.u8(0xFF).u64(value);
    return *this;
  }
  Call& key(std::string_view label, CK_OBJECT_CLASS object_class = CKO_SECRET_KEY) {
    const auto found = std::ranges::find_if(kSeedKeys, [&](const SeedKey& key) {
      return key.label == label && key.object_class == object_class;
    });
    if (found == kSeedKeys.end()) throw std::runtime_error("not in the seed token");
    return u8(static_cast<unsigned>(found - kSeedKeys.begin()));
  }
  // With a parameter of the right structure to follow.
  Call& mechanism(CK_MECHANISM_TYPE type) { return u8(place_in(kMechanisms, type)).u8(0); }
  Call& hash(CK_MECHANISM_TYPE type) { return u8(place_in(kHashes, type)); }
  // What is longer than one byte can say has to be the input's end, or a multiple of 64.
  Call& region(ByteView bytes) {
    if (bytes.size() < 0xF0) {
      u8(static_cast<unsigned>(bytes.size()));
    } else {
      u8(static_cast<unsigned>(std::min<std::size_t>(0xFC, 0xEF + (bytes.size() + 63) / 64)));
    }
    return raw(bytes);
  }
  Call& nothing() { return u8(0xFF); }
  Call& raw(ByteView bytes) {
    out_.bytes(bytes);
    return *this;
  }
  // A template: as many attributes as follow.
  Call& attributes(unsigned count) { return u8(count); }
  Call& flag(CK_ATTRIBUTE_TYPE type, bool value) { return type_of(type).u8(value ? 1 : 0); }
  Call& ulong(CK_ATTRIBUTE_TYPE type, std::uint64_t value) {
    return type_of(type).u8(2).number(value);
  }
  Call& bytes(CK_ATTRIBUTE_TYPE type, ByteView value) { return type_of(type).u8(3).region(value); }
  Call& object_class(CK_OBJECT_CLASS value) {
    return type_of(CKA_CLASS).u8(6).u8(place_in(kClasses, value));
  }
  Call& key_type(CK_KEY_TYPE value) {
    return type_of(CKA_KEY_TYPE).u8(7).u8(place_in(kKeyTypes, value));
  }
  Call& type_of(CK_ATTRIBUTE_TYPE type) { return u8(place_in(kAttributes, type)); }

  [[nodiscard]] ByteView view() const { return out_.view(); }

 private:
  core::Writer out_;
};

inline const Bytes kText = {'s', 'o', 'm', 'e', ' ', 't', 'e', 'x',
                            't', ' ', 't', 'o', ' ', 'h', 'i', 'd'};

// The module with a copy of the seed token, for blobs that only it can make.
class SeedToken : public test::Bench {
 public:
  explicit SeedToken(const std::filesystem::path& seed) {
    finalize();
    const auto folder = std::filesystem::path(home().path()) / "tokens" / "0";
    std::filesystem::create_directories(folder);
    for (const auto& path : {folder, folder.parent_path(), folder.parent_path().parent_path()}) {
      std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    }
    for (const std::string name : {"token.db", "root.key"}) {
      std::filesystem::copy_file(seed / name, folder / name);
      std::filesystem::permissions(
          folder / name, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    }
    initialize();
    session_.emplace(functions(), test::slot_of(module(), "fuzz"));
    must(session_->login(CKU_USER, std::string(kUserPin)));
  }
  test::Session& session() { return *session_; }
  CK_OBJECT_HANDLE key(std::string_view label, CK_OBJECT_CLASS object_class = CKO_SECRET_KEY) {
    return session_->find(test::Attributes().text(CKA_LABEL, label).number(CKA_CLASS, object_class))
        .at(0);
  }

 private:
  std::optional<test::Session> session_;
};

void make_operations(const Corpus& corpus);
void make_keys(const Corpus& corpus, SeedToken& token);
void make_objects(const Corpus& corpus);
void make_vendor(const Corpus& corpus, SeedToken& token);
void make_token_files(const Corpus& corpus);

}  // namespace tallystick::fuzz::maker
