// The rules that the model knows by name. One of them can be left out on purpose: the comparison
// must then find a difference, or it would not notice when the module forgot the rule.
#pragma once

#include <array>
#include <bitset>
#include <optional>
#include <string_view>

namespace tallystick::model {

enum class Rule {
  kOneWay,
  kUsesAreNotAdded,
  kComputed,
  kTwice,
  kModifiable,
  kCopyable,
  kDestroyable,
  kTrustedBySo,
  kTrustStays,
  kHistory,
  kHidden,
  kNotFoundByValue,
  kDigestReadable,
  kUsesAreAsked,
  kAllowedMechanisms,
  kExtractable,
  kWrapWithTrusted,
  kWrappingKeysStay,
  kWrappingKeyCiphers,
  kWrappingKeyFromHere,
  kWrappingKeyStrength,
  kPrivateHalfStays,
  kWrapTemplate,
  kUnwrapTemplate,
  kDeriveTemplate,
  kUnwrappedIsSensitive,
  kSplitUses,
  kMacIsDerivation,
  kPrivateNeedsUser,
  kReadOnlySession,
  kSoIsReadWrite,
  kSessionObjectsEnd,
  kLogoutEndsHandles,
  kLogoutEndsOperations,
  kLastSessionLogsOut,
  kOneOperation,
  kWantsPin,
  kStateOfKeys,
  kTriesCount,
  kManagedStaysAsItIs,
  kManagedTemplate,
  kManagedMechanism,
  kManagedStaysInside,
  kSoftwarePermits,
  kRoleDecides,
};

inline constexpr auto kRuleNames = std::to_array<std::string_view>({
    "one-way-attributes",
    "uses-are-not-added",
    "computed-attributes",
    "no-attribute-twice",
    "modifiable",
    "copyable",
    "destroyable",
    "trusted-by-the-so",
    "trust-does-not-travel",
    "history-is-computed",
    "sensitive-values-are-hidden",
    "not-found-by-value",
    "digest-of-readable-keys",
    "uses-are-asked",
    "allowed-mechanisms",
    "extractable",
    "wrap-with-trusted",
    "wrapping-keys-stay",
    "wrapping-key-does-not-cipher",
    "wrapping-key-from-here",
    "wrapping-key-strength",
    "private-half-stays",
    "wrap-template",
    "unwrap-template",
    "derive-template",
    "unwrapped-is-sensitive",
    "uses-are-not-split",
    "mac-is-derivation",
    "private-needs-user",
    "read-only-session",
    "so-is-read-write",
    "session-objects-end",
    "logout-ends-handles",
    "logout-ends-operations",
    "last-session-logs-out",
    "one-operation",
    "pin-for-each-use",
    "state-of-keys",
    "tries-are-counted",
    "managed-stays-as-it-is",
    "managed-template-tightens",
    "managed-one-mechanism",
    "managed-stays-inside",
    "software-permits",
    "role-decides",
});
inline constexpr std::size_t kRules = kRuleNames.size();
static_assert(static_cast<std::size_t>(Rule::kRoleDecides) + 1 == kRules);

class Rules {
 public:
  [[nodiscard]] bool on(Rule rule) const { return !off_.test(static_cast<std::size_t>(rule)); }
  void leave_out(Rule rule) { off_.set(static_cast<std::size_t>(rule)); }

 private:
  std::bitset<kRules> off_;
};

inline std::optional<Rule> rule_named(std::string_view name) {
  for (std::size_t i = 0; i < kRules; ++i) {
    if (kRuleNames[i] == name) return static_cast<Rule>(i);
  }
  return std::nullopt;
}

}  // namespace tallystick::model
