#include <optional>
#include <vector>

#include "check.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/autodiff/variable.h"
#include "tapegrad/base/error.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/registry.h"

using namespace tapegrad;

namespace {

Variable blank_of(const Dims& shape) {
  register_all_ops();
  return Variable(CellPtr(Cell::blank(Value::zeros(DType::float64, shape))));
}

IndexSpec element(int64_t k) { return IndexSpec().range(k, 1, 1); }

}  // namespace

TEST(a_blank_is_plain_until_a_variable_is_written) {
  const Variable x(Value::from(std::vector<double>{2.0}, Dims{1}));
  Variable y = blank_of(Dims{3});
  CHECK(y.cell().is_blank());
  y.cell().assign(element(0), {}, Ref(Value(5.0)));
  CHECK(y.cell().is_blank());
  y.cell().assign(element(1), {}, x.ref());
  CHECK(!y.cell().is_blank());
  CHECK(y.cell().value().at(0) == 5.0);
  CHECK(y.cell().value().at(1) == 2.0);
}

TEST(lent_memory_is_one_memory) {
  Variable y = blank_of(Dims{2, 3});
  const Variable row(CellPtr(y.cell().item(IndexKey{IndexSpec::entry(Dims{2, 3}, 0, 1)})));
  const std::optional<Value> whole = y.cell().lend();
  const std::optional<Value> part = row.cell().lend();
  CHECK(whole && part);
  CHECK(static_cast<const double*>(part->raw()) == static_cast<const double*>(whole->raw()) + 3);
  y.cell().set_value(Value::full(DType::float64, Dims{2, 3}, 4.0));
  CHECK(part->at(2) == 4.0);
  part->data<double>()[0] = 7.0;
  CHECK(y.cell().value().at(3) == 7.0);
  CHECK(row.cell().value().at(0) == 7.0);
  const Ref read = y.ref();
  part->data<double>()[0] = 8.0;
  CHECK(read.value().at(3) == 7.0);  // what was read stays
}

TEST(a_variable_is_written_once_the_memory_is_back) {
  const Variable x(Value::from(std::vector<double>{2.0}, Dims{1}));
  Variable y = blank_of(Dims{3});
  CHECK(y.cell().lend().has_value());
  CHECK_THROWS(TypeError, y.cell().assign(element(1), {}, x.ref()));
  CHECK(y.cell().is_blank());
  CHECK(y.cell().value().at(1) == 0.0);
  y.cell().take_back();
  y.cell().assign(element(1), {}, x.ref());
  CHECK(!y.cell().is_blank());
  CHECK(!y.cell().lend().has_value());
}
