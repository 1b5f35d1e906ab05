// The documentation's examples, run as a reader would run them: what they seal opens in a part.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

class Examples : public ::testing::Test {
 protected:
  Examples() {
    write_file(files_.file("firmware"), firmware_);
    // The example makes its own login.
    must(token_.session().logout());
  }
  // Runs a command line and gives what it wrote to standard output.
  core::Bytes output_of(const std::string& command) {
    const auto out = files_.file("sealed");
    const auto line = command + " >'" + out + "' 2>'" + files_.file("log") + "'";
    const int status = std::system(line.c_str());
    const auto log = read_file(files_.file("log"));
    EXPECT_EQ(status, 0) << core::text_of(log);
    return read_file(out);
  }
  // Share blob, sealing context and sealed asset, opened as a part of the family does.
  void expect_opens(const core::Bytes& all) {
    const std::size_t blob_size = core::kShareBlobSize;
    const std::size_t context_size = core::kAssetContextSize;
    ASSERT_GT(all.size(), blob_size + context_size);
    const core::ByteView view(all);
    const auto& world = token_.world();
    const auto family = world.family_for(core::FamilyRole::kPart);
    const auto software =
        value(core::verify_software(world.crypto(), world.software(), world.icm_key().public_xy(),
                                    family.id, core::FamilyRole::kPart, 0));
    const core::ProvisioningSoftware part(world.crypto(), family, software);
    const auto share = value(part.take_share(view.first(blob_size), nullptr));
    EXPECT_EQ(share.context.oem_id, token_.oem_id());
    const auto key = value(part.derive_asset_key(value(part.derive_master_key(share)),
                                                 core::Suite::kGcm, core::kLabelEncData));
    auto opener = value(part.open_asset(key, view.subspan(blob_size, context_size)));
    core::Bytes plain;
    const core::ByteSink sink = [&plain](core::ByteView piece) -> core::Status {
      plain.insert(plain.end(), piece.begin(), piece.end());
      return {};
    };
    ASSERT_TRUE(opener.stream.update(view.subspan(blob_size + context_size), sink).ok());
    ASSERT_TRUE(opener.stream.finish(sink).ok());
    EXPECT_EQ(plain, firmware_);
    EXPECT_EQ(opener.asset.entry.name, "firmware");
  }

  FamilyToken token_;
  Scratch files_;
  const core::Bytes firmware_ = pattern(50000, 8);
};

TEST_F(Examples, ThePythonExampleSealsWhatAPartOpens) {
  expect_opens(output_of(std::string("MODULE='") + module_path() + "' TOKEN=test PIN=\"" +
                         kUserPin + "\" OEM_ID=" + core::to_hex(token_.oem_id()) + " '" +
                         EXAMPLE_PYTHON + "' '" + EXAMPLE_SCRIPT + "' '" + files_.file("firmware") +
                         "'"));
}

TEST_F(Examples, TheCExampleSealsWhatAPartOpens) {
  expect_opens(output_of(std::string("'") + EXAMPLE_C + "' '" + module_path() + "' test \"" +
                         kUserPin + "\" " + core::to_hex(token_.oem_id()) + " <'" +
                         files_.file("firmware") + "'"));
}

}  // namespace
}  // namespace tallystick::test
