// The index of a token's objects by itself: what a change finds that somebody else was before.
#include "pkcs11/engine/object_index.h"

#include <gtest/gtest.h>

namespace tallystick::test {
namespace {

using token::HandleSource;
using token::ObjectIndex;
using token::ObjectPtr;

ObjectPtr data_object(std::uint8_t id, std::uint64_t generation) {
  token::Draft draft;
  draft.attributes.set_number(CKA_CLASS, CKO_DATA);
  return token::Object::make({id}, generation, std::move(draft));
}

TEST(ObjectIndexes, AnObjectThatWasDestroyedMeanwhileIsNotExchanged) {
  constexpr CK_SESSION_HANDLE kSession = 7;
  ObjectIndex index(std::make_shared<HandleSource>());
  const auto gone = data_object(9, 1);
  EXPECT_FALSE(index.exchange(*gone, data_object(9, 2))) << "in an empty index";
  const auto handle = index.put(index.make_place(gone, kSession));
  (void)index.put(index.make_place(data_object(3, 1), kSession));
  ASSERT_TRUE(index.remove(gone->id()));
  EXPECT_FALSE(index.exchange(*gone, data_object(9, 2)));
  EXPECT_EQ(index.get(handle), nullptr);
  EXPECT_EQ(index.get(gone->id()).object, nullptr);
}

TEST(ObjectIndexes, AnObjectThatWasChangedMeanwhileIsNotExchanged) {
  ObjectIndex index(std::make_shared<HandleSource>());
  const auto first = data_object(9, 1);
  const auto handle = index.put(index.make_place(first, 7));
  ASSERT_TRUE(index.exchange(*first, data_object(9, 2)));
  EXPECT_FALSE(index.exchange(*first, data_object(9, 2)));
  EXPECT_EQ(index.get(handle)->generation(), 2U);
}

}  // namespace
}  // namespace tallystick::test
