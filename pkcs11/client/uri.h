// pkcs11: URIs (RFC 7512) through p11-kit: where a token is, and which object in it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <p11-kit/uri.h>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace tallystick::client {

// Why a text is not taken for a URI.
struct BadUri {
  std::string uri;  // without a PIN
  std::string why;
  std::string advice;  // may be empty
};

class Uri {
 public:
  static core::Result<Uri, BadUri> parse(const std::string& text);

  // As the user wrote it, without a PIN: for messages.
  [[nodiscard]] const std::string& text() const { return shown_; }

  [[nodiscard]] std::string module_path() const;
  [[nodiscard]] std::string module_name() const;
  [[nodiscard]] std::string pin_source() const;
  [[nodiscard]] std::optional<std::string_view> pin_value() const;
  [[nodiscard]] std::optional<CK_SLOT_ID> slot_id() const;

  [[nodiscard]] std::optional<core::Bytes> object_label() const { return attribute(CKA_LABEL); }
  [[nodiscard]] std::optional<core::Bytes> object_id() const { return attribute(CKA_ID); }
  [[nodiscard]] std::optional<CK_OBJECT_CLASS> object_class() const;
  [[nodiscard]] bool names_object() const { return object_label() || object_id(); }

  [[nodiscard]] bool matches(const CK_TOKEN_INFO& token) const;
  // False when the URI says nothing about which token.
  [[nodiscard]] bool names_token() const;

 private:
  struct Free {
    void operator()(P11KitUri* uri) const { p11_kit_uri_free(uri); }
  };
  using Handle = std::unique_ptr<P11KitUri, Free>;
  Uri(Handle uri, std::string shown) : uri_(std::move(uri)), shown_(std::move(shown)) {}
  [[nodiscard]] std::optional<core::Bytes> attribute(CK_ATTRIBUTE_TYPE type) const;

  Handle uri_;
  std::string shown_;
};

}  // namespace tallystick::client
