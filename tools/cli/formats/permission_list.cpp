#include "tools/cli/formats/permission_list.h"

#include "core/ts1/text.h"
#include "tools/cli/formats/names.h"
#include "tools/cli/formats/toml_reader.h"
#include "tools/cli/text.h"

namespace tallystick::cli {
namespace {

using core::Operation;
using core::PermissionRecord;

// Reads the table [permit].
class PermitReader {
 public:
  explicit PermitReader(TomlTable& table) : table_(&table) {}

  void simple(const std::string& key, Operation operation) {
    if (table_->boolean(key).value_or(false)) add(operation, 0);
  }

  void blob_roles(const std::string& key, Operation operation) {
    const auto roles = table_->numbers(key, 3);
    if (!roles) return;
    std::uint32_t mask = 0;
    for (const std::uint64_t role : *roles) {
      if (role == 0) table_->complain(key, "knows the roles 1, 2 and 3");
      mask |= 1U << static_cast<unsigned>(role);
    }
    add_mask(key, operation, mask);
  }

  void suites(const std::string& key, Operation operation) {
    const auto names = table_->texts(key);
    if (!names) return;
    std::uint32_t mask = 0;
    for (const std::string& name : *names) {
      const auto suite = suite_named(name);
      if (!suite) table_->complain(key, "knows \"gcm\" and \"ccm\"");
      if (suite) mask |= 1U << static_cast<unsigned>(*suite);
    }
    add_mask(key, operation, mask);
  }

  void types(const std::string& key) {
    const auto names = table_->texts(key);
    if (!names) return;
    std::uint32_t mask = 0;
    for (const std::string& name : *names) {
      const auto type = core::generated_type_from(name);
      if (name == "all") {
        mask |= (1U << core::kGeneratedTypes) - 1;
      } else if (type) {
        mask |= 1U << (static_cast<unsigned>(*type) - 1);
      } else {
        table_->complain(key, "does not know \"" + name + "\"");
      }
    }
    add_mask(key, Operation::kGenerate, mask);
  }

  void moves(const std::string& key) {
    const auto texts = table_->texts(key);
    if (!texts) return;
    for (const std::string& text : *texts) {
      const std::size_t to = text.find(" to ");
      const auto from = to == std::string::npos ? std::nullopt : state(text.substr(0, to));
      const auto until = to == std::string::npos ? std::nullopt : state(text.substr(to + 4));
      if (from && until && *from < *until) {
        add(Operation::kMoveLifeCycle, *from * 256 + *until);
      } else {
        table_->complain(key, "has moves such as \"provisioning to locked\", forwards only");
      }
    }
  }

  [[nodiscard]] const std::vector<PermissionRecord>& records() const { return records_; }

 private:
  static std::optional<std::uint32_t> state(std::string_view name) {
    for (std::uint32_t i = 0; i <= 3; ++i) {
      if (life_cycle_text(i) == name) return i;
    }
    return std::nullopt;
  }
  void add(Operation operation, std::uint32_t argument) {
    records_.push_back({static_cast<std::uint16_t>(operation), argument});
  }
  void add_mask(const std::string& key, Operation operation, std::uint32_t mask) {
    if (mask == 0) table_->complain(key, "is an empty list; leave it out instead");
    add(operation, mask);
  }

  TomlTable* table_;
  std::vector<PermissionRecord> records_;
};

std::vector<PermissionRecord> read_permit(TomlTable& permit) {
  PermitReader reader(permit);
  reader.simple("make-shares", Operation::kMakeShares);
  reader.simple("regenerate", Operation::kRegenerate);
  reader.blob_roles("give-blobs", Operation::kGiveBlobs);
  reader.blob_roles("take-blobs", Operation::kTakeBlobs);
  reader.suites("seal", Operation::kSealAssets);
  reader.suites("open", Operation::kOpenAssets);
  reader.simple("further-types", Operation::kFurtherTypes);
  reader.types("generate");
  reader.simple("install", Operation::kInstall);
  reader.simple("prove", Operation::kProve);
  reader.moves("life-cycle");
  reader.simple("nxp-commands", Operation::kNxpCommands);
  return reader.records();
}

Outcome<PermissionList> read_from(const TomlFile& file,
                                  const std::optional<core::FamilyId>& family) {
  TomlTable root = file.root();
  PermissionList list;
  list.header.name = root.required_text("name");
  if (!core::field_from_name(list.header.name)) {
    root.complain("name", "must be at most 32 bytes of UTF-8 without NUL");
  }
  list.header.version = static_cast<std::uint32_t>(root.required_number("version", kMost32));
  const auto family_text = root.text("family_id");
  const auto named = family_text ? uuid_from(*family_text) : family;
  if (!named) root.complain("family_id", family_text ? "is not a UUID" : "is missing");
  if (family && named && *family != *named) {
    root.complain("family_id", "is not the family that the command line names");
  }
  list.header.family_id = named.value_or(core::FamilyId{});
  for (const std::string& name : root.texts("roles").value_or(std::vector<std::string>{})) {
    const auto role = role_named(name);
    if (!role || *role == core::FamilyRole::kIcm) {
      root.complain("roles", "knows \"provisioning\", \"station\" and \"part\"");
    } else {
      list.header.role_mask =
          static_cast<std::uint16_t>(list.header.role_mask | 1U << static_cast<unsigned>(*role));
    }
  }
  if (list.header.role_mask == 0) root.complain("roles", "names no role");
  auto permit = root.table("permit");
  if (!permit) root.complain("permit", "is missing");
  if (auto done = root.finish(); !done) return std::move(done).error();
  list.records = read_permit(*permit);
  if (auto done = permit->finish(); !done) return std::move(done).error();
  if (list.records.empty()) return file_failure(permit->file(), "[permit] permits nothing");
  return list;
}

}  // namespace

Outcome<PermissionList> read_permission_list(const std::string& path,
                                             const std::optional<core::FamilyId>& family) {
  auto file = TomlFile::read(path);
  if (!file) return std::move(file).error();
  return read_from(*file, family);
}

Outcome<PermissionList> parse_permission_list(const std::string& name, std::string_view text,
                                              const std::optional<core::FamilyId>& family) {
  auto file = TomlFile::parse(name, text);
  if (!file) return std::move(file).error();
  return read_from(*file, family);
}

}  // namespace tallystick::cli
