#include "tapegrad/autodiff/scalar_operation.h"

#include <cmath>
#include <thread>

#include "check.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"

using namespace tapegrad;

namespace {

struct Case {
  ScalarOperand operand;
  Ref ref;
};

// The same nodes, inputs and counts, whichever of the two has recorded them.
void check_same_node(const Tape& tape, uint32_t a, uint32_t b) {
  const Node &x = tape.node(a), &y = tape.node(b);
  CHECK(x.kind == y.kind && x.op == y.op && x.n_in == y.n_in && x.origin == y.origin);
  CHECK(x.refs == y.refs && x.extra == nullptr && y.extra == nullptr);
  CHECK(same_bits(x.value, y.value));
  for (uint8_t i = 0; i < x.n_in; ++i) {
    CHECK((x.in[i] == 0) == (y.in[i] == 0));
    if (x.in[i] == 0 || y.in[i] == 0) continue;
    const Node &p = tape.node(x.in[i]), &q = tape.node(y.in[i]);
    CHECK(p.kind == q.kind && p.origin == q.origin && same_bits(p.value, q.value));
    if (p.kind == NodeKind::constant) CHECK(p.refs == q.refs);
    if (p.kind != NodeKind::constant) CHECK(x.in[i] == y.in[i]);
  }
}

void check_all_functions(const std::vector<Variable>& variables) {
  Tape& tape = Tape::current();
  std::vector<Case> cases{{{nullptr, 0.75}, Ref(0.75)}};
  for (const Variable& v : variables) cases.push_back({{&v.cell(), v.item()}, v.ref()});
  for (size_t f = 0; f < scalar_fn_count; ++f) {
    const auto fn = static_cast<ScalarFn>(f);
    const ScalarFnInfo& info = scalar_fn_info(fn);
    if (info.returns_bool || info.arity > 2 || info.data_inputs != 0) continue;
    for (const Case& a : cases)
      for (const Case& b : cases) {
        if (a.operand.cell == nullptr && (info.arity == 1 || b.operand.cell == nullptr)) continue;
        const int64_t before = tape.live_nodes();
        const Variable fast(CellPtr(info.arity == 1
                                        ? apply_scalar_operation(fn, a.operand)
                                        : apply_scalar_operation(fn, a.operand, b.operand)));
        const int64_t made = tape.live_nodes() - before;
        const Ref slow =
            info.arity == 1 ? elementwise(fn, {a.ref}) : elementwise(fn, {a.ref, b.ref});
        CHECK(tape.live_nodes() - before == 2 * made);
        if (slow.tracked() && !fast.cell().is_leaf())
          check_same_node(tape, fast.cell().slot(), slow.slot());
        CHECK(same_bits(fast.value(), slow.value()));
      }
  }
}

}  // namespace

TEST(nodes_are_those_of_record_application) {
  const Variable leaf(0.5), other(0.25);
  check_all_functions({leaf, other, leaf * other});
}

TEST(nodes_inside_of_a_scope_keep_their_origin) {
  const Variable outside(0.5);
  Scope scope;
  const Variable argument = scope.argument(Ref(0.25));
  check_all_functions({outside, argument});
}

TEST(nothing_is_left_behind) {
  const Variable leaf(0.5);
  Tape& tape = Tape::current();
  tape.drain_releases();
  const int64_t before = tape.live_nodes();
  {
    const ScalarOperand x{&leaf.cell(), 0.5}, two{nullptr, 2.0};
    const Variable y(CellPtr(apply_scalar_operation(scalar_fn_of<Multiply>(), x, two)));
    CHECK(tape.live_nodes() > before);
  }
  CHECK(tape.live_nodes() == before);
}

TEST(derivatives_pass) {
  const Variable x(0.5), y(2.0);
  const Variable f = x * y + exp(x);
  f.backward();
  CHECK(x.grad().as_double() == 2.0 + std::exp(0.5));
  CHECK(y.grad().as_double() == 0.5);
}

TEST(an_element_has_the_node_of_an_item) {
  Value content = Value::zeros(DType::float64, Dims{3, 2});
  for (int64_t i = 0; i < 6; ++i) content.data<double>()[i] = static_cast<double>(i);
  const Variable leaf(content);
  const Variable recorded = leaf * leaf;
  Tape& tape = Tape::current();
  for (const Variable& x : {leaf, recorded})
    for (const int64_t j : {0, 1, -1, -2}) {
      const int64_t at[] = {2, j};
      const Variable fast(CellPtr(element_at(x.cell(), at)));
      IndexSpec spec;
      const Variable slow(CellPtr(x.cell().item({.spec = spec.at(2).at(j < 0 ? j + 2 : j)})));
      CHECK(same_bits(fast.value(), slow.value()));
      const Node &a = tape.node(fast.cell().slot()), &b = tape.node(slow.cell().slot());
      CHECK(a.op == b.op && a.n_in == b.n_in && a.in[0] == b.in[0] && a.origin == b.origin);
      CHECK(a.extra->attrs == b.extra->attrs && fast.cell().is_number());
    }
}

TEST(keys_that_are_no_element_are_left_to_item) {
  const Variable x(Value::zeros(DType::float64, Dims{3, 2})), number(1.0);
  const int64_t row[] = {1}, outside[] = {1, 2}, before[] = {-4, 0}, deep[] = {0, 0, 0};
  CHECK(element_at(x.cell(), row) == nullptr && element_at(x.cell(), {}) == nullptr);
  CHECK(element_at(x.cell(), outside) == nullptr && element_at(x.cell(), before) == nullptr);
  CHECK(element_at(x.cell(), deep) == nullptr && element_at(number.cell(), row) == nullptr);
}

TEST(an_element_is_written_as_assign_writes_it) {
  for (const DType d : {DType::float64, DType::float32}) {
    const Variable fast(Value::zeros(d, Dims{3, 2})), slow(Value::zeros(d, Dims{3, 2}));
    const Variable before = fast * fast;
    const int64_t at[] = {-1, 1};
    IndexSpec spec;
    CHECK(set_element(fast.cell(), at, 0.1));
    slow.cell().assign(spec.at(2).at(1), {}, Ref(0.1));
    CHECK(same_bits(fast.value(), slow.value()) && fast.cell().is_leaf());
    CHECK(fast.cell().version() == slow.cell().version());
    CHECK(before.value().at(5) == 0.0);  // what was recorded keeps what it saw
    sum(before).backward();
    CHECK(fast.grad().at(5) == 0.0);
  }
}

TEST(writes_that_are_no_plain_element_of_a_leaf_are_left_to_assign) {
  const Variable x(Value::zeros(DType::float64, Dims{3, 2}));
  const Variable recorded = x * x;
  const int64_t at[] = {0, 0}, row[] = {0}, outside[] = {3, 0};
  CHECK(!set_element(recorded.cell(), at, 1.0) && !set_element(x.cell(), row, 1.0));
  CHECK(!set_element(x.cell(), outside, 1.0) && x.cell().version() == 0);
}

TEST(where_recording_is_off_there_is_no_node) {
  const Variable x(0.5);
  const RecordingGuard off(false);
  const Variable y(CellPtr(apply_scalar_operation(scalar_fn_of<Sin>(), {&x.cell(), 0.5})));
  CHECK(y.cell().is_unrecorded() && y.item() == std::sin(0.5));
}

TEST(operands_that_are_no_float64_scalars_are_refused) {
  const Variable array(Value::zeros(DType::float64, Dims{1})),
      single(Value::scalar(1, DType::float32)), number(1.5);
  ScalarOperand s;
  CHECK(!read_scalar(array.cell(), s) && !read_scalar(single.cell(), s));
  CHECK(read_scalar(number.cell(), s) && s.x == 1.5);
}

TEST(the_recording_of_another_thread_is_refused) {
  const Variable x(0.5);
  const Variable y = x * x;
  std::thread([&] {
    CHECK_THROWS_SAYING(RuntimeError, "another thread",
                        apply_scalar_operation(scalar_fn_of<Sin>(), {&y.cell(), 0.25}));
    const Variable z(CellPtr(apply_scalar_operation(scalar_fn_of<Sin>(), {&x.cell(), 0.5})));
    CHECK(z.item() == std::sin(0.5));  // a leaf may be read anywhere
  }).join();
}
