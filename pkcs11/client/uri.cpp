#include "pkcs11/client/uri.h"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace tallystick::client {
namespace {

std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

// The URI without its pin-values. There may be more than one; behind the ? each goes to the next &
// (a ; or a further ? is part of it). Before the ? an & is part of it, too, and nothing is shown
// from there on. p11-kit passes over white space wherever it stands, also within a name.
std::string without_pin(const std::string& text) {
  constexpr std::string_view kName = "pin-value=";
  constexpr std::string_view kHidden = "...";
  std::string shown = text;
  std::erase_if(shown, [](unsigned char letter) { return std::isspace(letter) != 0; });
  std::size_t start = shown.find(kName);
  if (start == std::string::npos) return text;
  while (start != std::string::npos) {
    const std::size_t value = start + kName.size();
    const bool in_query = shown.find('?') < start;
    const std::size_t end =
        in_query ? std::min(shown.find('&', value), shown.size()) : shown.size();
    shown.replace(value, end - value, kHidden);
    start = shown.find(kName, value + kHidden.size());
  }
  return shown;
}

}  // namespace

core::Result<Uri, BadUri> Uri::parse(const std::string& text) {
  Handle uri(p11_kit_uri_new());
  const std::string shown = without_pin(text);
  if (!uri) return BadUri{shown, "out of memory", ""};
  const int result = p11_kit_uri_parse(text.c_str(), P11_KIT_URI_FOR_ANY, uri.get());
  if (result != P11_KIT_URI_OK) {
    return BadUri{shown, "not a pkcs11: URI",
                  "for example 'pkcs11:token=NAME;object=KEY?module-path=/path/module.so'"};
  }
  if (p11_kit_uri_any_unrecognized(uri.get()) != 0) {
    return BadUri{shown, "the URI has an attribute that is not known", ""};
  }
  return Uri(std::move(uri), shown);
}

std::string Uri::module_path() const {
  return text_or_empty(p11_kit_uri_get_module_path(uri_.get()));
}
std::string Uri::module_name() const {
  return text_or_empty(p11_kit_uri_get_module_name(uri_.get()));
}
std::string Uri::pin_source() const {
  return text_or_empty(p11_kit_uri_get_pin_source(uri_.get()));
}

std::optional<std::string_view> Uri::pin_value() const {
  const char* value = p11_kit_uri_get_pin_value(uri_.get());
  return value == nullptr ? std::nullopt : std::optional<std::string_view>(value);
}

std::optional<CK_SLOT_ID> Uri::slot_id() const {
  const CK_SLOT_ID slot = p11_kit_uri_get_slot_id(uri_.get());
  return slot == static_cast<CK_SLOT_ID>(-1) ? std::nullopt : std::optional<CK_SLOT_ID>(slot);
}

std::optional<CK_OBJECT_CLASS> Uri::object_class() const {
  const auto value = attribute(CKA_CLASS);
  CK_OBJECT_CLASS number = 0;
  if (!value || value->size() != sizeof number) return std::nullopt;
  std::memcpy(&number, value->data(), sizeof number);
  return number;
}

bool Uri::matches(const CK_TOKEN_INFO& token) const {
  return p11_kit_uri_match_token_info(uri_.get(), &token) == 1;
}

bool Uri::names_token() const {
  CK_TOKEN_INFO nothing{};
  nothing.label[0] = 1;  // p11-kit compares with what cannot be a label, serial or model
  nothing.serialNumber[0] = 1;
  nothing.model[0] = 1;
  nothing.manufacturerID[0] = 1;
  return slot_id().has_value() || !matches(nothing);
}

std::optional<core::Bytes> Uri::attribute(CK_ATTRIBUTE_TYPE type) const {
  const CK_ATTRIBUTE* found = p11_kit_uri_get_attribute(uri_.get(), type);
  if (found == nullptr || found->pValue == nullptr) return std::nullopt;
  const auto* bytes = static_cast<const std::uint8_t*>(found->pValue);
  return core::Bytes(bytes, bytes + found->ulValueLen);
}

}  // namespace tallystick::client
