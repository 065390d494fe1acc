#include "tapegrad/tape/ref.h"

#include <utility>

#include "check.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/record.h"
#include "tapegrad/tape/tape.h"

using namespace tapegrad;

namespace {

struct PlainLeaf final : Leaf {
  void let_go() override {}
};

Ref tracked(PlainLeaf& leaf, Value value) {
  register_all_ops();
  Tape& t = Tape::current();
  static uint64_t version = 0;
  return Ref(&t, t.enter(&leaf, ++version, value));
}

Value counted(int64_t n) {
  Value v = Value::empty(DType::float64, Dims{n});
  for (int64_t i = 0; i < n; ++i) v.set_at(i, static_cast<double>(i));
  return v;
}

IndexSpec first_entry() {
  IndexSpec spec;
  spec.at(0);
  return spec;
}

const Node& node(const Ref& r) { return r.tape()->node(r.slot()); }

}  // namespace

TEST(handles_count) {
  PlainLeaf leaf;
  Ref a = tracked(leaf, Value(2.0));
  const int64_t live = Tape::current().live_nodes();
  CHECK(node(a).refs == 1 && node(a).value_refs == 1);
  Ref b = a;
  CHECK(node(a).refs == 2 && node(a).value_refs == 2);
  Ref c = std::move(b);
  CHECK(!b.tracked() && node(a).refs == 2);
  c = Ref(1.0);
  CHECK(node(a).refs == 1);
  a.swap(c);
  CHECK(c.tracked() && !a.tracked() && a.value().as_double() == 1);
  const uint32_t slot = std::move(c).release_slot();
  CHECK(Tape::current().live_nodes() == live);
  const Ref again = Ref::adopt(&Tape::current(), slot);
  CHECK(node(again).refs == 1);
}

TEST(only_what_depends_on_a_recording_is_recorded) {
  PlainLeaf leaf;
  const Ref x = tracked(leaf, Value(2.0));
  CHECK(add(x, Ref(1.0)).tracked());
  CHECK(!add(Ref(2.0), Ref(1.0)).tracked());
  CHECK(!less(x, Ref(3.0)).tracked());  // a mask has no derivative
  CHECK(less(x, Ref(3.0)).dtype() == DType::bool_);
}

TEST(errors_record_nothing) {
  PlainLeaf leaf;
  const Ref x = tracked(leaf, counted(3));
  const int64_t live = Tape::current().live_nodes();
  const uint32_t refs = node(x).refs, readers = node(x).value_refs;
  CHECK_THROWS_SAYING(ValueError, "(3,) (4,)", add(x, Ref(counted(4))));
  CHECK_THROWS(ValueError, concatenate({x, x, Ref(1.0)}, 0));
  CHECK_THROWS_SAYING(TypeError, "takes 2 operands, got 1", apply(*find_op("add"), {}, {x}));
  CHECK_THROWS(ValueError, matmul(x, Ref(counted(4))));
  IndexSpec array;
  array.array();
  const Ref bad(Value::from_int64(std::vector<int64_t>{0, 7}, Dims{2}));
  CHECK_THROWS(IndexError, gather(x, array, {&bad, 1}));
  CHECK_THROWS_SAYING(
      LinAlgError, "ingular",
      inv(multiply(reshape(concatenate({x, Ref(counted(1))}, 0), Dims{2, 2}), Ref(0.0))));
  CHECK(Tape::current().live_nodes() == live);
  CHECK(node(x).refs == refs && node(x).value_refs == readers);
}

TEST(in_place_ops_overwrite_what_nobody_else_needs) {
  PlainLeaf leaf;
  // Untracked, moved in, unshared.
  Value v = counted(5);
  void* const data = v.raw();
  Ref out = slice_set(Ref(std::move(v)), first_entry(), Ref(9.0));
  CHECK(out.value().raw() == data && out.value().at(0) == 9);
  // Untracked and shared: copied.
  const Value kept = counted(5);
  out = slice_set(Ref(kept), first_entry(), Ref(9.0));
  CHECK(out.value().raw() != kept.raw() && kept.at(0) == 0);
  // Tracked: the buffer moves on, the node stays.
  Ref x = square(tracked(leaf, counted(5)));
  void* const buffer = x.value().raw();
  const uint32_t slot = x.slot();
  x = slice_set(std::move(x), first_entry(), Ref(9.0));
  CHECK(x.slot() != slot && x.value().raw() == buffer);
  CHECK(!Tape::current().node(slot).value.has_data());
  // Another handle, or a rule that reads the old value: copied.
  const Ref other = x;
  x = slice_set(std::move(x), first_entry(), Ref(8.0));
  CHECK(x.value().raw() != buffer && other.value().at(0) == 9);
  const Ref reader = square(x);
  const uint32_t read = x.slot();
  x = slice_set(std::move(x), first_entry(), Ref(7.0));
  CHECK(Tape::current().node(read).value.at(0) == 8 && x.value().at(0) == 7);
}

TEST(in_place_ops_complain_before_they_take) {
  PlainLeaf leaf;
  Ref x = square(tracked(leaf, counted(5)));
  const uint32_t slot = x.slot();
  const Ref keep_node(x);
  CHECK_THROWS(ValueError, slice_set(std::move(x), first_entry(), Ref(counted(3))));
  CHECK(Tape::current().node(slot).value.has_data());
}

TEST(constants_keep_their_data_for_their_holders) {
  PlainLeaf leaf;
  const Ref x = tracked(leaf, counted(5));
  const Ref unread(counted(5)), read(counted(5));
  const Ref y = matmul(x, read);  // reads both
  const Ref z = concatenate({x, unread}, 0);
  CHECK(unread.value().has_data() && read.value().has_data());
  CHECK(!Tape::current().node(node(z).inputs()[1]).value.has_data());
  CHECK(Tape::current().node(node(y).inputs()[1]).value.has_data());
  // A written constant: the first operand of a recorded write that is no part of the recording
  // itself.
  const Value base = counted(5);
  const Ref written = slice_set(Ref(base), first_entry(), sum(x));
  CHECK(written.tracked() && written.value().at(0) == 10 && base.at(0) == 0);
}

TEST(ops_with_several_outputs_have_a_node_for_each) {
  PlainLeaf leaf;
  const Ref x = tracked(leaf, counted(6));
  const int64_t live = Tape::current().live_nodes();
  {
    std::vector<Ref> parts = split(x, 0, {2, 3});
    CHECK(parts.size() == 3 && parts[2].value().at(0) == 3);
    for (const Ref& p : parts) CHECK(p.tracked());
    parts.erase(parts.begin(), parts.begin() + 2);
    CHECK(parts[0].value().at(2) == 5);
  }
  CHECK(Tape::current().live_nodes() == live);
}

TEST(values_are_taken_by_their_only_user) {
  PlainLeaf leaf;
  Ref x = square(tracked(leaf, counted(5)));
  void* const data = x.value().raw();
  const uint32_t slot = x.slot();
  const Ref keep = add(x, x);
  const Value taken = std::move(x).take_value();
  CHECK(taken.raw() == data && taken.owns_buffer());
  CHECK(!Tape::current().node(slot).value.has_data());
  Ref shared = square(tracked(leaf, counted(5)));
  const Ref second = shared;
  CHECK(std::move(shared).take_value().raw() == second.value().raw());
  CHECK(second.value().has_data());
}
